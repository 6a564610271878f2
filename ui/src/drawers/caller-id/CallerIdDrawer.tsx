import "../../kit/form.css";
import "../../kit/table.css";
import "../../pages/caller-ids/caller-ids.css";
import "./caller-id.css";
import { ApiProblem } from "../../api/call";
import type { CallerIdDetail } from "../../api/words";
import { Drawer } from "../../kit/Drawer";
import { Failed, Forbidden, Gone, Loading } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { CampaignLinks, IdleWarning, RestUntil, StatePill } from "../../pages/caller-ids/cells";
import { useCallerId, useCallerIdEvents } from "../../pages/caller-ids/data";
import { usePersonName } from "../../pages/audio/person-name";
import { useMe } from "../../session";
import { useWords } from "../../words";
import { count, moment, telephone } from "../../words/format";
import { CallerIdActs } from "./CallerIdActs";
import { CallerIdApproval } from "./CallerIdApproval";
import { CallerIdHealth } from "./CallerIdHealth";
import { CallerIdLog } from "./CallerIdLog";
import { CallerIdProof } from "./CallerIdProof";
import { EditableFacts } from "./EditableFacts";

/** Campaigns that are named; further ones are counted. */
const CAMPAIGNS = 20;

/** `?caller-id=075512345678`: one number: what calls do with it, what its calls say, what is known of it, how it came here. */
export default function CallerIdDrawer({ number }: { number: string }) {
  const t = useWords();
  const { rights, person } = useMe();
  const mayRead = rights.has("caller_ids.edit");
  const { data: row, error, refetch } = useCallerId(number, mayRead);
  useCallerIdEvents();
  const isGone = error instanceof ApiProblem && error.status === 404;
  const title = telephone(row?.number ?? number);
  if (!mayRead || row === undefined) {
    return (
      <Drawer parameter="caller-id" title={title}>
        {!mayRead ? <Forbidden right="caller_ids.edit" role={person.role} /> : isGone ? <Gone>{t("callerIds.gone", { number: title })}</Gone> : error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={300} />}
      </Drawer>
    );
  }
  return (
    <Drawer parameter="caller-id" title={title} detail={<span role="status"><StatePill row={row} /></span>} buttons={row.actions.length === 0 ? undefined : <CallerIdActs row={row} />}>
      <UseNow row={row} />
      <CallerIdApproval row={row} />
      <CallerIdHealth row={row} />
      <EditableFacts row={row} />
      <CallerIdProof row={row} />
      <CallerIdLog row={row} />
    </Drawer>
  );
}

/** What calls do with the number now, and since when. */
function UseNow({ row }: { row: CallerIdDetail }) {
  const t = useWords();
  const nameOf = usePersonName();
  const now = new Date(serverNow());
  const at = (text: string | null) => (text === null ? t("callerIds.never") : <time dateTime={text} title={text}>{moment(new Date(text), now)}</time>);
  return (
    <section>
      <p>{t(`callerIds.use_${row.state}`)} <RestUntil row={row} /></p>
      <IdleWarning row={row} />
      <dl className="facts">
        <dt>{t("callerIds.since")}</dt><dd>{at(row.state_since)}</dd>
        {row.bound_agent === null ? null : <><dt>{t("callerIds.agent")}</dt><dd>{nameOf(row.bound_agent)}</dd></>}
        <dt>{t("callerIds.today")}</dt><dd>{t("callerIds.callsToday", { n: count(row.today) })}</dd>
        <dt>{t("callerIds.lastDay")}</dt><dd>{row.cap === null || row.cap_by === null ? t("callerIds.callsToday", { n: count(row.last_day) }) : t("callerIds.callsOf", { n: count(row.last_day), max: count(row.cap), by: t(`callerIds.capBy_${row.cap_by}`) })}</dd>
        <dt>{t("callerIds.lastUsed")}</dt><dd>{at(row.last_used_at ?? row.first_used_at)}</dd>
        <dt>{t("callerIds.firstUsed")}</dt><dd>{at(row.first_used_at)}</dd>
        <dt>{t("callerIds.campaigns")}</dt><dd><CampaignLinks names={row.campaigns} most={CAMPAIGNS} /></dd>
      </dl>
    </section>
  );
}
