import { Link } from "react-router";
import type { CallerId, CallerIdDay } from "../../api/words";
import { Glyph } from "../../kit/Glyph";
import { Pill } from "../../kit/Pill";
import { serverNow } from "../../live/clock";
import { useCampaign } from "../../live/stores";
import { CALLER_ID_STATES, CALLER_ID_VERDICTS } from "../../states";
import { useLanguage, useWords } from "../../words";
import { count, moment, percent, visible } from "../../words/format";
import { wideSentence } from "../../words/width";
import { idleOf, ratesOf, warmUpDay } from "./figures";

/** The state with how far it is: the day of a warm-up. */
export function StatePill({ row }: { row: CallerId }) {
  const day = warmUpDay(row);
  return <Pill state={CALLER_ID_STATES[row.state]} detail={day === undefined ? undefined : `${day}/7`} />;
}

/** Until when a number rests; nothing where it does not. */
export function RestUntil({ row }: { row: CallerId }) {
  const t = useWords();
  if (row.state !== "flagged" && row.state !== "resting") return null;
  if (row.rest_until === null) return <span className="second">{t("callerIds.untilResumed")}</span>;
  return <time className="second" dateTime={row.rest_until} title={row.rest_until}>{t("callerIds.until", { at: moment(new Date(row.rest_until), new Date(serverNow())) })}</time>;
}

/** That no call shows it before a colleague has approved it. */
export function ApprovalNeeded({ row }: { row: CallerId }) {
  const t = useWords();
  if (row.approval !== "missing" && row.approval !== "waiting") return null;
  if (row.state === "retired") return null;
  return <span className="waiting-ink"><Glyph name="waiting" /> {t(`callerIds.approval_${row.approval}`)}</span>;
}

/** Calls of the last 24 hours beside the cap that holds now: "64 / 80 in 24 h". */
export function CapOfDay({ row }: { row: CallerId }) {
  const t = useWords();
  if (row.cap === null || row.cap_by === null) return null;
  return <span className="second below" title={t(`callerIds.capBy_${row.cap_by}`)}>{t("callerIds.ofCap", { n: count(row.last_day), max: count(row.cap) })}</span>;
}

/** "7 days unused and it is taken back: 2 days left", where that is near. */
export function IdleWarning({ row }: { row: CallerId }) {
  const t = useWords();
  const idle = idleOf(row, serverNow());
  if (idle === undefined || !idle.isNear) return null;
  const words = idle.left === 0 ? t("callerIds.idleOver", { days: row.idle_days }) : t("callerIds.idleNear", { days: row.idle_days, left: idle.left });
  return <span className="waiting-ink"><Glyph name="warning" /> {words}</span>;
}

/** Own rate and control, with how many calls stand behind each. */
export function RatePair({ span }: { span: CallerIdDay }) {
  const t = useWords();
  const { own, of, control, controlOf } = ratesOf(span);
  if (own === null) return <>{t("common.none")}</>;
  return (
    <span className="rate-pair">
      <span>{percent(own)} / {control === null ? t("common.none") : percent(control)}</span>
      <span className="base">{control === null ? t("callerIds.baseAlone", { n: count(of) }) : t("callerIds.base", { n: count(of), control: count(controlOf) })}</span>
    </span>
  );
}

/** What the calls say, as the service says it, with the verdict's glyph. */
export function VerdictWords({ verdict, words }: { verdict: CallerId["verdict"]; words: CallerId["words"] }) {
  const language = useLanguage();
  const state = CALLER_ID_VERDICTS[verdict];
  return (
    <span className={verdict === "suspected" ? "verdict suspected" : "verdict"}>
      <span className="mark" style={{ color: `var(--${state.meaning}-ink)` }}><Glyph name={state.glyph} /></span>
      <span>{language === "zh" ? wideSentence(words.zh) : words.en}</span>
    </span>
  );
}

/** Campaigns whose settings name the number. */
export function CampaignLinks({ names, most }: { names: readonly string[]; most: number }) {
  const t = useWords();
  if (names.length === 0) return <span className="second">{t("callerIds.noCampaign")}</span>;
  const rest = names.slice(most);
  return (
    <span className="campaign-links">
      {names.slice(0, most).map((name) => <CampaignLink key={name} name={name} />)}
      {rest.length === 0 ? null : <span className="second" title={rest.map(visible).join(", ")}>{t("callerIds.more", { n: rest.length })}</span>}
    </span>
  );
}

function CampaignLink({ name }: { name: string }) {
  const title = visible(useCampaign(name)?.title ?? name);
  return <Link to={`/campaigns/${encodeURIComponent(name)}/settings`} title={title}>{title}</Link>;
}
