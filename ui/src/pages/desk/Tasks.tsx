import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { get, newKey, post } from "../../api/call";
import type { Schemas, Seat } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { useKey } from "../../keys/use-key";
import { Button } from "../../kit/Button";
import { Failed, Loading, problemWords } from "../../kit/States";
import { useSecond } from "../../live/clock";
import { liveSeat } from "../../live/stores";
import { queries } from "../../session";
import { LEAD_STATES, OUTCOME_STATES } from "../../states";
import { useAction } from "../../use-action";
import { useWords } from "../../words";
import { count, moment, visible } from "../../words/format";
import { act, type AgentAction } from "./act";
import { DESK_KEYS } from "./keys";
import { isPreview, may, type Workplace } from "./seat";

const GROUPS = ["open", "follow_up", "failed", "done"] as const;
type Group = (typeof GROUPS)[number];

/** How often the lists are read again, in ms: another agent may take a callback that is for anyone. */
const AGAIN = 20_000;
/** A callback is marked so many seconds before it is due. */
const SOON = 300;
const FETCHED = 10;

export const readTasksAgain = (): void => {
  void queries.invalidateQueries({ queryKey: ["desk-leads"] });
  void queries.invalidateQueries({ queryKey: ["desk-callbacks"] });
};

/** The agent's own leads in four groups, and callbacks. Where the campaign dials by itself there is nothing to pick: counts only. */
export function Tasks({ seat, workplace }: { seat: Seat; workplace: Workplace | undefined }) {
  const t = useWords();
  const [group, setGroup] = useState<Group>("open");
  const box = useRef<HTMLElement>(null);
  useKey(DESK_KEYS.list, () => box.current?.focus());
  const name = workplace?.name;
  const { data, error, refetch } = useQuery({
    queryKey: ["desk-leads", name, group], enabled: name !== undefined, refetchInterval: AGAIN,
    queryFn: () => get("/api/v1/me/leads", { query: { campaign: name ?? "", state: group } }),
  });
  const isPicking = workplace?.mode === "preview" || workplace?.mode === "announce";
  return (
    <nav ref={box} tabIndex={-1} className="card tasks" aria-label={t("desk.tasks")}>
      <Callbacks seat={seat} />
      <div className="groups" role="tablist">
        {GROUPS.map((it) => (
          <button key={it} type="button" role="tab" aria-selected={it === group} onClick={() => setGroup(it)}>
            <span>{t(LEAD_STATES[it].word)}</span><span className="number">{data === undefined ? "–" : count(data.counts[it] ?? 0)}</span>
          </button>
        ))}
      </div>
      {name === undefined ? <p className="hint">{t("desk.noCampaignOpen")}</p> : error ? <Failed problem={error} onRetry={() => void refetch()} /> : data === undefined ? <Loading height={120} />
        : data.items.length === 0 ? <p className="hint">{t("desk.noTasks")}</p>
        : <ul className="leads">{data.items.map((it) => <LeadRow key={it.lead} lead={it} seat={seat} />)}</ul>}
      {isPicking && group === "open" && name !== undefined ? <Fetch campaign={name} /> : null}
    </nav>
  );
}

function useCallLead(seat: Seat, campaign: string | null, lead: number) {
  return useAction(() => act({ action: "call_lead", campaign: campaign ?? "", lead } as AgentAction), () => { const now = liveSeat(seat.agent); return now === undefined || now.refused !== null || (now.work !== null && !isPreview(now)); });
}

/** Opened by a double click or Enter, dialled with F8 while its row has the focus. */
function LeadRow({ lead, seat }: { lead: Schemas["DeskLeadView"]; seat: Seat }) {
  const t = useWords();
  const offline = useOfflineReason();
  const call = useCallLead(seat, lead.campaign, lead.lead);
  const refusal = offline ?? (may(seat, "call_lead") ? undefined : t("desk.notNow"));
  const outcome = lead.last_outcome === null ? undefined : OUTCOME_STATES[lead.last_outcome as keyof typeof OUTCOME_STATES];
  return (
    <li onDoubleClick={() => { if (refusal === undefined && !call.busy) call.run(); }}>
      <span className="name">{visible(lead.name ?? t("desk.noName"))}</span>
      <span className="second">{visible(lead.household ?? "")}{outcome === undefined ? "" : ` · ${t(outcome.word)}`}</span>
      <Button size="small" refusal={refusal} busy={call.busy} onClick={call.run}>{t("desk.dial")}</Button>
      {call.refusal === undefined ? null : <span className="refusal" role="alert">{call.refusal}</span>}
    </li>
  );
}

function Callbacks({ seat }: { seat: Seat }) {
  const t = useWords();
  const second = useSecond();
  const { data } = useQuery({ queryKey: ["desk-callbacks"], queryFn: () => get("/api/v1/me/callbacks"), refetchInterval: AGAIN });
  const items = data?.items ?? [];
  return (
    <section className="callbacks">
      <h2>{t("desk.callbacks", { n: items.length })}</h2>
      {items.length === 0 ? <p className="hint">{t("desk.noCallbacks")}</p> : <ul>{items.map((it) => <CallbackRow key={it.lead} it={it} seat={seat} second={second} />)}</ul>}
    </section>
  );
}

function CallbackRow({ it, seat, second }: { it: Schemas["DeskCallback"]; seat: Seat; second: number }) {
  const t = useWords();
  const offline = useOfflineReason();
  const call = useCallLead(seat, it.campaign, it.lead);
  const left = Date.parse(it.at) / 1000 - second;
  const isDue = left <= 0;
  return (
    <li className={isDue ? "due" : left <= SOON ? "soon" : undefined}>
      <span className="name">{left <= SOON ? "⏰ " : ""}<time dateTime={it.at}>{moment(new Date(it.at), new Date(second * 1000))}</time> {visible(it.name ?? t("desk.noName"))}</span>
      <span className="second">{it.own ? t("desk.mine") : t("desk.anyone")}{it.skill === null ? "" : ` · ${visible(it.skill)}`}{isDue ? ` · ${t("desk.due")}` : ""}</span>
      <Button size="small" refusal={offline ?? (may(seat, "call_lead") ? undefined : t("desk.notNow"))} busy={call.busy} onClick={call.run}>{t("desk.dial")}</Button>
      {call.refusal === undefined ? null : <span className="refusal" role="alert">{call.refusal}</span>}
    </li>
  );
}

/** Further leads that nobody has. */
function Fetch({ campaign }: { campaign: string }) {
  const t = useWords();
  const [state, setState] = useState<{ busy?: boolean; fetched?: number; problem?: unknown }>({});
  const fetchMore = () => {
    setState({ busy: true });
    post("/api/v1/me/leads/fetch", { body: { campaign, count: FETCHED }, key: newKey() }).then((answer) => {
      setState({ fetched: answer.fetched });
      readTasksAgain();
    }, (problem: unknown) => setState({ problem }));
  };
  return (
    <footer>
      <Button size="small" busy={state.busy} onClick={fetchMore}>{t("desk.fetch", { n: FETCHED })}</Button>
      {state.fetched === undefined ? null : <span className="sent" role="status">{t(state.fetched === 0 ? "desk.fetchedNone" : "desk.fetched", { n: state.fetched })}</span>}
      {state.problem === undefined ? null : <span className="refusal" role="alert">{problemWords(state.problem, t)}</span>}
    </footer>
  );
}
