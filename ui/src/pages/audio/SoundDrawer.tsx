import { useState } from "react";
import { Link } from "react-router";
import { ApiProblem, post } from "../../api/call";
import type { Sound } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Drawer } from "../../kit/Drawer";
import { Pill } from "../../kit/Pill";
import { Failed, Gone, Loading, problemWords } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { useMe } from "../../session";
import { SOUND_STATES } from "../../states";
import { useWords } from "../../words";
import { moment, visible } from "../../words/format";
import { useDecisions } from "../approvals/data";
import { refreshSounds, useSound } from "./data";
import { useCampaignTitles } from "../campaigns/titles";
import { usePersonName } from "./person-name";
import { SoundFacts } from "./SoundFacts";
import { SoundPlayer } from "./SoundPlayer";

/** One sound: listen, what was measured, who approved it; retire. */
export function SoundDrawer({ id, onRetired }: { id: number; onRetired: (name: string) => void }) {
  const t = useWords();
  const { rights } = useMe();
  const { data: sound, error, refetch } = useSound(id);
  const [isAsking, setAsking] = useState(false);
  const offline = useOfflineReason();
  const titleOf = useCampaignTitles(sound?.used_by ?? []);
  if (sound === undefined) {
    const isGone = error instanceof ApiProblem && error.status === 404;
    return <Drawer parameter="sound" title={t("audio.title")}>{isGone ? <Gone>{t("audio.gone")}</Gone> : error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={200} />}</Drawer>;
  }
  const inUse = sound.used_by.length === 0 ? undefined : t("audio.inUse", { names: sound.used_by.map(titleOf).join(", ") });
  const retire = rights.has("audio.edit") ? <Button refusal={offline ?? inUse} onClick={() => setAsking(true)}>{t("audio.retire")}</Button> : undefined;
  return (
    <Drawer parameter="sound" title={visible(sound.name)} detail={<Pill state={SOUND_STATES[sound.state]} />} buttons={retire === undefined ? undefined : <>{retire}{inUse === undefined ? null : <span className="hint">{inUse}</span>}</>}>
      {sound.state === "unreadable" ? null : <section><h3>{t("audio.listen")}</h3><SoundPlayer sound={sound} /></section>}
      <section><h3>{t("audio.facts")}</h3><SoundFacts sound={sound} /></section>
      <ApprovalOf sound={sound} />
      {isAsking ? <AskRetire sound={sound} onClose={() => setAsking(false)} onRetired={onRetired} /> : null}
    </Drawer>
  );
}

/** Where the sound stands with the second person. */
function ApprovalOf({ sound }: { sound: Sound }) {
  const t = useWords();
  const { person, rights } = useMe();
  const nameOf = usePersonName();
  const decision = useDecisions(rights.has("approvals.decide")).get(`audio:${sound.id}`);
  if (sound.state === "waiting") {
    const mayDecide = rights.has("approvals.decide") && sound.made_by !== person.number;
    return <section><h3>{t("audio.approval")}</h3><p>{t("audio.waitsFor")}</p>{mayDecide ? <p><Link to={`/approvals?of=audio:${sound.id}`}>{t("audio.toApproval")}</Link></p> : null}</section>;
  }
  if (decision === undefined || decision.decided_at === null) return null;
  const who = nameOf(decision.decided_by);
  const at = moment(new Date(decision.decided_at), new Date(serverNow()));
  return <section><h3>{t("audio.approval")}</h3><p>{decision.state === "refused" ? t("audio.refusedBecause", { who, note: visible(decision.note ?? "") }) : t("audio.approvedBy", { who, at })}</p></section>;
}

function AskRetire({ sound, onClose, onRetired }: { sound: Sound; onClose: () => void; onRetired: (name: string) => void }) {
  const t = useWords();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const name = visible(sound.name);
  const retire = async () => {
    setBusy(true);
    try {
      await post("/api/v1/audio/{id}/actions", { path: { id: sound.id }, body: { action: "retire" }, etag: sound.etag });
      onRetired(sound.name);
      await refreshSounds();
    } catch (problem) {
      setRefusal(problemWords(problem, t));
      setBusy(false);
      // It changed, or a campaign names it now: the drawer shows what holds.
      await refreshSounds();
    }
  };
  return (
    <Dialog title={t("audio.askRetire", { name })} onClose={onClose}
      buttons={<><Button kind="plain" onClick={onClose}>{t("common.cancel")}</Button><Button kind="danger" busy={busy} onClick={() => void retire()}>{t("audio.retireNow", { name })}</Button></>}>
      <p>{t("audio.retireHelp")}</p>
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Dialog>
  );
}
