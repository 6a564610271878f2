import { useCallback, useState } from "react";
import { Link } from "react-router";
import { ApiProblem } from "../../api/call";
import type { Approval } from "../../api/words";
import { Glyph } from "../../kit/Glyph";
import { Pill } from "../../kit/Pill";
import { Failed, Gone, Loading } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { useMe } from "../../session";
import { APPROVAL_STATES } from "../../states";
import { useWords } from "../../words";
import { moment, telephone, visible } from "../../words/format";
import { useSound, useSoundEvents } from "../audio/data";
import { usePersonName } from "../audio/person-name";
import { SoundFacts } from "../audio/SoundFacts";
import { SoundPlayer } from "../audio/SoundPlayer";
import { CallerIdToApprove } from "./CallerIdToApprove";
import { Decide } from "./Decide";
import { ListReport } from "./ListReport";
import { useList } from "./data";

interface Props {
  approval: Approval;
  onDecided: (words: string) => void;
}

/** The thing itself, and what may be said about it. */
export function ApprovalDetail({ approval, onDecided }: Props) {
  const t = useWords();
  const { person } = useMe();
  const nameOf = usePersonName();
  const [isHeard, setHeard] = useState(false);
  const onHeard = useCallback(() => setHeard(true), []);
  const [isRead, setRead] = useState(false);
  const onRead = useCallback(() => setRead(true), []);
  const now = new Date(serverNow());
  const [isSound, isNumber] = [approval.kind === "audio", approval.kind === "caller_id"];
  const isWaiting = approval.state === "open";
  return (
    <>
      <header>
        <h2>{isNumber ? telephone(approval.title) : visible(approval.title)}</h2>
        <Pill state={APPROVAL_STATES[approval.state]} />
        <span className="hint">{t("approvals.asked", { who: nameOf(approval.by), at: moment(new Date(approval.at), now) })}</span>
        <Link className="open" to={approval.href}>{t(isSound ? "approvals.openSound" : isNumber ? "approvals.openCallerId" : "approvals.openList")}</Link>
      </header>
      <div className="body">
        {approval.decided_at === null ? null : <p>{t("approvals.decided", { who: nameOf(approval.decided_by), at: moment(new Date(approval.decided_at), now) })}{approval.note === null ? null : <><br />{t("approvals.note", { note: visible(approval.note) })}</>}</p>}
        {isSound ? <SoundToApprove id={approval.subject} onHeard={onHeard} /> : isNumber ? <CallerIdToApprove number={approval.title} onRead={onRead} /> : <ListToApprove id={approval.subject} onRead={onRead} />}
        {approval.may_decide ? (
          <>
            {isSound && isHeard ? <p className="heard" role="status"><Glyph name="done" /> {t("approvals.heard")}</p> : null}
            <Decide approval={approval} onDecided={onDecided} wait={isSound ? (isHeard ? undefined : t("approvals.hearFirst")) : isRead ? undefined : t("approvals.notYet")} />
          </>
        ) : isWaiting && approval.by === person.number ? <p className="hint">{t("approvals.own")}</p> : null}
      </div>
    </>
  );
}

function SoundToApprove({ id, onHeard }: { id: number; onHeard: () => void }) {
  const t = useWords();
  useSoundEvents();
  const { data: sound, error, refetch } = useSound(id);
  if (sound === undefined) return error instanceof ApiProblem && error.status === 404 ? <Gone>{t("audio.gone")}</Gone> : error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={200} />;
  return <>{sound.state === "unreadable" ? null : <SoundPlayer sound={sound} onHeard={onHeard} />}<SoundFacts sound={sound} /></>;
}

function ListToApprove({ id, onRead }: { id: number; onRead: () => void }) {
  const { data: list, error, refetch } = useList(id);
  if (list === undefined) return error instanceof ApiProblem && error.status === 404 ? <Gone /> : error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={200} />;
  return <ListReport list={list} onRead={onRead} />;
}
