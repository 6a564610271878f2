import type { KeyboardEvent, MouseEvent, ReactNode } from "react";
import { Link, useNavigate } from "react-router";
import type { Call } from "../../api/words";
import { Button } from "../../kit/Button";
import { useDrawerLink, useSearch } from "../../use-search";
import { hasWord, useWords, type PlainKey } from "../../words";
import { clock, duration, moment, telephone, visible } from "../../words/format";
import { useCampaignWords, type CampaignWords } from "../campaigns/titles";
import { COLUMNS, type Column } from "./columns";
import { callId, orderOf, talked, type Order } from "./filters";
import { OutcomeInk } from "./OutcomeInk";
import { PlayMark } from "./Player";

interface TableProps {
  calls: Call[];
  shown: ReadonlySet<Column>;
  isOneDay: boolean;
  onPlay: ((call: Call) => void) | undefined;
  playing: Call | undefined;
}

const RIGHT: ReadonlySet<Column> = new Set(["talk", "waited", "ordinal"]);
const CLIPPED: ReadonlySet<Column> = new Set(["name", "campaign", "disposition", "building"]);

/** What a click on a head sorts by: the first order, and at the next click the second. */
const ORDER_OF: Partial<Record<Column, readonly [down: Order, up?: Order]>> = { talk: ["longest", "shortest"], waited: ["waited"] };

export function CallTable({ calls, shown, isOneDay, onPlay, playing }: TableProps) {
  const t = useWords();
  const columns = COLUMNS.filter((it) => shown.has(it));
  const words = useCampaignWords(calls.map((it) => it.campaign));
  return (
    <table className="table results">
      <thead>
        <tr>
          <SortHead label="results.at" orders={["newest", "oldest"]} />
          {columns.map((it) => {
            const orders = ORDER_OF[it];
            return orders === undefined ? <th key={it} scope="col" className={RIGHT.has(it) ? "number" : undefined}>{t(`results.column_${it}`)}</th>
              : <SortHead key={it} label={`results.column_${it}`} orders={orders} isRight />;
          })}
        </tr>
      </thead>
      <tbody>{calls.map((call) => <CallRow key={callId(call)} call={call} columns={columns} words={words} isOneDay={isOneDay} onPlay={onPlay} isPlaying={playing !== undefined && callId(playing) === callId(call)} />)}</tbody>
    </table>
  );
}

function SortHead({ label, orders: [down, up], isRight = false }: { label: PlainKey; orders: readonly [Order, Order?]; isRight?: boolean }) {
  const t = useWords();
  const [search, set] = useSearch();
  const order = orderOf(search);
  const isDown = order === down;
  const isUp = order === up;
  const next = isDown ? up ?? "newest" : down;
  return (
    <th scope="col" className={isRight ? "number" : undefined} aria-sort={isUp ? "ascending" : isDown ? "descending" : "none"}>
      <button type="button" className="order" onClick={() => set({ sort: next === "newest" ? null : next })}>{t(label)}<span aria-hidden="true">{isUp ? "▲" : isDown ? "▼" : ""}</span></button>
    </th>
  );
}

interface RowProps {
  call: Call;
  columns: readonly Column[];
  words: CampaignWords;
  isOneDay: boolean;
  onPlay: TableProps["onPlay"];
  isPlaying: boolean;
}

function CallRow({ call, columns, words, isOneDay, onPlay, isPlaying }: RowProps) {
  const t = useWords();
  const link = useDrawerLink();
  const navigate = useNavigate();
  const at = new Date(call.at);
  const to = link({ call: callId(call) });
  const talk = talked(call);
  const ended = `results.ended_${call.ended_by ?? ""}`;
  const cells: Record<Column, () => ReactNode> = {
    campaign: () => (call.campaign === null ? "–" : words.title(call.campaign)),
    name: () => (call.lead === null ? visible(call.name ?? "") : <Link className="plain" to={link({ lead: String(call.lead) })}>{visible(call.name ?? String(call.lead))}</Link>),
    building: () => visible(call.building ?? ""),
    number: () => (call.number === null ? "–" : telephone(call.number)),
    ordinal: () => (call.ordinal === null ? "" : String(call.ordinal)),
    agent: () => (call.agent === null ? "" : <Link className="plain" to={link({ agent: call.agent })}>{call.agent} <span className="second">{visible(call.agent_name ?? "")}</span></Link>),
    outcome: () => <OutcomeInk call={call} />,
    waited: () => (call.waited_ms === null ? "" : <>{duration(call.waited_ms / 1000)}{call.missed ? <span className="second"> {t("results.inVain")}</span> : null}</>),
    talk: () => (talk === undefined ? "" : duration(talk)),
    disposition: () => (call.disposition === null ? "" : words.disposition(call.campaign, call.disposition)),
    result: () => (call.result === null ? "" : words.result(call.campaign, call.result)),
    ended: () => (hasWord(ended) ? t(ended) : visible(call.ended_by ?? "")),
    trunk: () => visible(call.trunk ?? ""),
    caller_id: () => (call.caller_id === null ? "" : telephone(call.caller_id)),
    note: () => visible(call.note ?? ""),
    recording: () => (call.recording === null || onPlay === undefined ? "" : <Button kind={isPlaying ? "primary" : "plain"} size="small" label={t("results.playOf", { time: clock(at), name: call.name ?? call.number ?? "" })} onClick={() => onPlay(call)}><PlayMark /></Button>),
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTableRowElement>) => {
    if (event.key !== " " || event.target instanceof HTMLButtonElement || call.recording === null || onPlay === undefined) return;
    event.preventDefault();
    onPlay(call);
  };
  // A click beside the links and buttons of the row opens the call, unless it ends the choice of a text that is to be copied.
  const onClick = (event: MouseEvent<HTMLTableRowElement>) => {
    if (event.defaultPrevented || event.button !== 0 || (event.target as Element).closest("a, button") !== null) return;
    if (window.getSelection()?.isCollapsed === false) return;
    void navigate(to, { preventScrollReset: true });
  };
  return (
    <tr className="opens" onKeyDown={onKeyDown} onClick={onClick}>
      <td><Link className="row" to={to} preventScrollReset title={call.at}>{isOneDay ? clock(at) : moment(at, new Date(0)) + at.toISOString().slice(16, 19)}</Link></td>
      {columns.map((column) => <td key={column} className={RIGHT.has(column) ? "number" : column === "note" ? "wide" : CLIPPED.has(column) ? "clip" : undefined} title={column === "note" ? call.note ?? "" : undefined}>{cells[column]()}</td>)}
    </tr>
  );
}
