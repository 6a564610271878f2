import { useState } from "react";
import { newKey, post } from "../../api/call";
import type { Schemas, Seat } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { Menu } from "../../kit/Menu";
import { liveSeat } from "../../live/stores";
import { useAction } from "../../use-action";
import { useWords } from "../../words";
import { Answer, Confirm } from "../campaigns/CampaignActions";
import { isInCall } from "./seats";

function force(agent: string, what: unknown): Promise<unknown> {
  return post("/api/v1/me/actions", { body: { action: "force", agent, what } as Schemas["AgentAction"], key: newKey() });
}

/** What a shift lead may force, by the agent's state; the rest is grey and says why. */
export function ForceMenu({ seat }: { seat: Seat }) {
  const t = useWords();
  const offline = useOfflineReason();
  const [asked, setAsked] = useState<"pause" | "release" | "sign_out">();
  const { agent } = seat;
  const name = `${agent} ${seat.name ?? ""}`.trim();
  const isPaused = () => liveSeat(agent)?.availability === "paused";
  const ready = useAction(() => force(agent, "ready"), () => !isPaused() && liveSeat(agent)?.activity !== "wrap_up");
  const release = useAction(() => force(agent, "release"), () => { const now = liveSeat(agent); return !now || !isInCall(now); });
  const signOut = useAction(() => force(agent, "sign_out"), () => (liveSeat(agent)?.availability ?? "signed_out") === "signed_out");
  const inCall = isInCall(seat);
  const canReady = seat.availability === "paused" || seat.activity === "wrap_up";
  const close = () => setAsked(undefined);
  return (
    <span className="action">
      <Menu size="small" label={`${t("floor.force")} ${name}`} entries={[
        { id: "pause", label: t("floor.forcePause"), refusal: offline ?? (seat.availability === "paused" ? t("activity.paused") : undefined), onChoose: () => setAsked("pause") },
        { id: "ready", label: t("floor.forceReady"), refusal: offline ?? (canReady ? undefined : t("floor.alreadyReady")), onChoose: ready.run },
        { id: "release", label: t("floor.forceRelease"), refusal: offline ?? (inCall ? undefined : t("floor.onlyWhileTalking")), onChoose: () => setAsked("release") },
        { id: "sign_out", label: t("floor.forceSignOut"), refusal: offline ?? (inCall ? t("floor.notWhileTalking") : undefined), onChoose: () => setAsked("sign_out") },
      ]}>{t("floor.force")} <span aria-hidden="true">▾</span></Menu>
      <Answer refusal={ready.refusal ?? release.refusal ?? signOut.refusal} sent={ready.sent || release.sent || signOut.sent} />
      {asked === "pause" ? <PauseDialog agent={agent} name={name} onClose={close} /> : null}
      {asked === "release" ? <Confirm title={t("floor.forceRelease")} sentence={t("floor.forceReleaseAsk", { name })} yes={t("floor.forceRelease")} isDanger onYes={release.run} onClose={close} /> : null}
      {asked === "sign_out" ? <Confirm title={t("floor.forceSignOut")} sentence={t("floor.forceSignOutAsk", { name })} yes={t("floor.forceSignOut")} onYes={signOut.run} onClose={close} /> : null}
    </span>
  );
}

function PauseDialog({ agent, name, onClose }: { agent: string; name: string; onClose: () => void }) {
  const t = useWords();
  const [reason, setReason] = useState("");
  const pause = useAction(async () => {
    await force(agent, { pause: { reason: reason.trim() } });
    onClose();
  }, () => true);
  return (
    <Dialog title={t("floor.forcePause")} onClose={onClose} buttons={
      <>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button kind="primary" busy={pause.busy} refusal={reason.trim() === "" ? t("entry.required") : undefined} onClick={pause.run}>{t("floor.forcePause")}</Button>
      </>
    }>
      <p>{t("floor.forcePauseAsk", { name })}</p>
      <Field label={t("floor.reason")} value={reason} onChange={setReason} maxLength={200} autoFocus autoComplete="off" fault={pause.refusal} />
    </Dialog>
  );
}
