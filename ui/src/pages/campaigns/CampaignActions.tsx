import { useState } from "react";
import { newKey, post } from "../../api/call";
import type { Campaign, CampaignAction } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { Menu } from "../../kit/Menu";
import { liveCampaign } from "../../live/stores";
import { useMe } from "../../session";
import { campaignState } from "../../states";
import { useAction } from "../../use-action";
import { useWords } from "../../words";
import { callsOut } from "./figures";
import { TestCall } from "./TestCall";

/** From so many calls on, hanging up all asks for the campaign's name. */
const TYPED_FROM = 20;

export function sendCampaign(name: string, action: CampaignAction): Promise<unknown> {
  return post("/api/v1/campaigns/{name}/actions", { path: { name }, body: action, key: newKey() });
}

/** Pause or resume: no question, since each undoes the other. */
export function PauseButton({ campaign, size }: { campaign: Campaign; size?: "small" }) {
  const t = useWords();
  const offline = useOfflineReason();
  const { name } = campaign;
  const isPaused = campaign.why === "paused" || campaign.view["drained"] === true;
  const pause = useAction(() => sendCampaign(name, { action: "pause" }), () => liveCampaign(name)?.why === "paused");
  const resume = useAction(() => sendCampaign(name, { action: "resume" }), () => liveCampaign(name)?.why !== "paused");
  if (campaignState(campaign) === "finished") return null;
  const action = isPaused ? resume : pause;
  return (
    <span className="action">
      <Button size={size} busy={action.busy} refusal={offline} onClick={action.run}>{isPaused ? t("campaigns.resume") : t("campaigns.pause")}</Button>
      <Answer refusal={action.refusal} sent={action.sent} />
    </span>
  );
}

/** What became of an action, beside its button. */
export function Answer({ refusal, sent }: { refusal: string | undefined; sent: boolean }) {
  const t = useWords();
  if (refusal !== undefined) return <span className="refusal" role="alert">{refusal}</span>;
  return sent ? <span className="sent" role="status">{t("common.sent")}</span> : null;
}

/** The actions in a campaign's head. */
export function CampaignActions({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  const { rights } = useMe();
  const offline = useOfflineReason();
  const [asked, setAsked] = useState<"drain" | "hang_up_all" | "test_call">();
  const { name } = campaign;
  const out = callsOut(campaign);
  const drain = useAction(() => sendCampaign(name, { action: "drain" }), () => ["draining", "paused", "finished"].includes(liveCampaign(name)?.why ?? ""));
  const hangUp = useAction(() => sendCampaign(name, { action: "hang_up_all" }), () => callsOut(liveCampaign(name) ?? campaign) === 0);
  if (!rights.has("campaigns.run")) return null;
  // A shift lead pauses and resumes; ending calls and test calls are a manager's.
  const isManager = rights.has("campaigns.edit");
  const isFinished = campaignState(campaign) === "finished";
  const none = out === 0 ? t("campaigns.noCalls") : undefined;
  const close = () => setAsked(undefined);
  return (
    <span className="action">
      <PauseButton campaign={campaign} />
      {isFinished || !isManager ? null : <Button onClick={() => setAsked("test_call")} refusal={offline}>{t("campaigns.testCall")}</Button>}
      {!isManager ? null : <Menu label={t("campaigns.more")} entries={[
        { id: "drain", label: t("campaigns.drain"), refusal: offline ?? (isFinished ? t("campaign.finished") : undefined), onChoose: () => setAsked("drain") },
        { id: "hang_up_all", label: t("campaigns.hangUpAll", { n: out }), refusal: offline ?? none, onChoose: () => setAsked("hang_up_all") },
      ]}>{t("campaigns.more")} <span aria-hidden="true">▾</span></Menu>}
      <Answer refusal={drain.refusal ?? hangUp.refusal} sent={drain.sent || hangUp.sent} />
      {asked === "drain" ? <Confirm title={t("campaigns.drain")} sentence={t("campaigns.drainAsk", { n: out })} yes={t("campaigns.drain")} onYes={drain.run} onClose={close} /> : null}
      {asked === "hang_up_all" ? (
        <Confirm title={t("campaigns.hangUpAll", { n: out })} sentence={t("campaigns.hangUpAllAsk", { n: out })} yes={t("campaigns.hangUpAll", { n: out })} isDanger
          typed={out > TYPED_FROM ? name : undefined} onYes={hangUp.run} onClose={close} />
      ) : null}
      {asked === "test_call" ? <TestCall name={name} onClose={close} /> : null}
    </span>
  );
}

interface ConfirmProps {
  title: string;
  sentence: string;
  yes: string;
  isDanger?: boolean;
  /** A word that has to be typed first. */
  typed?: string | undefined;
  onYes: () => void;
  onClose: () => void;
}

/** Asks once; the button says what happens, with its number. */
export function Confirm({ title, sentence, yes, isDanger, typed, onYes, onClose }: ConfirmProps) {
  const t = useWords();
  const [text, setText] = useState("");
  const missing = typed !== undefined && text !== typed ? t("common.confirmTyped", { word: typed }) : undefined;
  return (
    <Dialog title={title} onClose={onClose} buttons={
      <>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button kind={isDanger ? "danger" : "primary"} refusal={missing} onClick={() => { onYes(); onClose(); }}>{yes}</Button>
      </>
    }>
      <p>{sentence}</p>
      {typed === undefined ? null : <Field label={t("common.confirmTyped", { word: typed })} value={text} onChange={setText} autoComplete="off" />}
    </Dialog>
  );
}
