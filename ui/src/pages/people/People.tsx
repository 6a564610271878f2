import "../../kit/table.css";
import "../../kit/form.css";
import "./people.css";
import { useMemo, useState, type ReactNode } from "react";
import { Link } from "react-router";
import type { Account } from "../../api/words";
import { useIsStale } from "../../frame/LiveState";
import { Choice } from "../../kit/Field";
import { More } from "../../kit/More";
import { useListOf } from "../../kit/neighbours";
import { StateInk } from "../../kit/Pill";
import { Failed, Loading, NoneYet, NothingMatches } from "../../kit/States";
import { useHasSnapshot, useSeat } from "../../live/stores";
import { useMe } from "../../session";
import { seatState } from "../../states";
import { useDrawerLink, useSearch } from "../../use-search";
import { serverNow } from "../../live/clock";
import { ExportButton } from "../exports/ExportButton";
import { hoursSpan } from "../exports/filters";
import { useTitle } from "../../use-title";
import { useWords } from "../../words";
import { count, telephone, visible } from "../../words/format";
import { useAccounts, useGroups } from "./data";
import { matches, NO_GROUP, ROLES, sorted, type PeopleOrder } from "./people";

/** Rows drawn at once; further ones as one scrolls to them. */
const DRAWN = 150;

/** `/people`: every account that the reader may see; filters over one load. */
export default function People() {
  const t = useWords();
  const { rights } = useMe();
  const { data: accounts, error, refetch } = useAccounts();
  const groups = useGroups().data ?? [];
  const [search, set] = useSearch();
  useTitle(t("people.title"));
  const filter = { text: search.get("q") ?? "", role: search.get("role") ?? "", group: search.get("group") ?? "" };
  const order = search.get("sort") ?? "number";
  const shown = useMemo(
    () => sorted((accounts ?? []).filter((it) => matches(it, { text: filter.text, role: filter.role, group: filter.group })), order),
    [accounts, filter.text, filter.role, filter.group, order],
  );
  useListOf("agent", useMemo(() => shown.map((it) => it.number), [shown]));
  const clear = () => set({ q: null, role: null, group: null });
  return (
    <>
      <div className="page-head">
        <h1>{t("people.title")}</h1>
        <span className="space" />
        <ExportButton what="agents" filters={hoursSpan(new Date(serverNow()))} />
        {rights.has("people.edit") ? <Link className="button primary" to="/people/new">{t("people.add")}</Link> : null}
      </div>
      {error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : accounts === undefined ? <Loading height={400} /> : (
        <>
          <div className="filters" role="search">
            <input className="search" type="search" aria-label={t("people.search")} placeholder={t("people.search")} value={filter.text} onChange={(event) => set({ q: event.target.value })} />
            <Choice label={t("people.role")} value={filter.role} onChange={(role) => set({ role })}
              options={[{ value: "", label: t("people.allRoles") }, ...ROLES.map((role) => ({ value: role as string, label: t(`role.${role}`) }))]} />
            <Choice label={t("people.group")} value={filter.group} onChange={(group) => set({ group })}
              options={[{ value: "", label: t("people.allGroups") }, ...groups.map((it) => ({ value: it.name, label: visible(it.name) })), { value: NO_GROUP, label: t("people.noGroup") }]} />
            <span className="space" />
            <span className="hint" role="status">{t("common.total", { n: count(shown.length) })}</span>
          </div>
          {accounts.length === 0 ? <div className="card"><NoneYet>{t("people.none")}</NoneYet></div>
            : shown.length === 0 ? <div className="card"><NothingMatches onClear={clear} /></div>
            : <PeopleTable accounts={shown} order={order} onOrder={(sort) => set({ sort: sort === "number" ? null : sort })} />}
        </>
      )}
    </>
  );
}

function PeopleTable({ accounts, order, onOrder }: { accounts: Account[]; order: string; onOrder: (order: string) => void }) {
  const t = useWords();
  const [drawn, setDrawn] = useState(DRAWN);
  const hasLive = useHasSnapshot();
  return (
    <StaleBox>
      <table className="table">
        <thead>
          <tr>
            <OrderHead by="number" order={order} onOrder={onOrder}>{t("people.number")}</OrderHead>
            <OrderHead by="name" order={order} onOrder={onOrder}>{t("people.name")}</OrderHead>
            <OrderHead by="role" order={order} onOrder={onOrder}>{t("people.role")}</OrderHead>
            <th scope="col">{t("people.groups")}</th><th scope="col">{t("people.state")}</th><th scope="col">{t("people.phone")}</th>
            <th scope="col">{t("people.telephone")}</th><th scope="col">{t("people.login")}</th><th scope="col">{t("people.skills")}</th>
          </tr>
        </thead>
        <tbody>{accounts.slice(0, drawn).map((account) => <PersonRow key={account.number} account={account} hasLive={hasLive} />)}</tbody>
      </table>
      {accounts.length > drawn ? <More onMore={() => setDrawn(drawn + DRAWN)} /> : null}
    </StaleBox>
  );
}

/** Pales the live cells while the stream is lost. It is drawn once a second, the rows inside are not. */
function StaleBox({ children }: { children: ReactNode }) {
  return <div className={useIsStale() ? "table-box people is-stale" : "table-box people"}>{children}</div>;
}

/** A column head that orders the table: up, then down. */
function OrderHead({ by, order, onOrder, children }: { by: PeopleOrder; order: string; onOrder: (order: string) => void; children: ReactNode }) {
  const isUp = order === by;
  const isDown = order === `-${by}`;
  return (
    <th scope="col" aria-sort={isUp ? "ascending" : isDown ? "descending" : "none"}>
      <button type="button" className="order" onClick={() => onOrder(isUp ? `-${by}` : by)}>{children}<span aria-hidden="true">{isUp ? "▲" : isDown ? "▼" : ""}</span></button>
    </th>
  );
}

function PersonRow({ account, hasLive }: { account: Account; hasLive: boolean }) {
  const t = useWords();
  const link = useDrawerLink();
  return (
    <tr>
      <td>{account.number}</td>
      <td><Link className="row" to={link({ agent: account.number })}>{visible(account.name)}</Link></td>
      <td>{t(`role.${account.role}`)}</td>
      <td><Memberships account={account} /></td>
      <td className="live">{hasLive ? <SeatState agent={account.number} /> : "–"}</td>
      <td className="live"><PhoneState account={account} /></td>
      <td>{account.telephone === null ? "" : telephone(account.telephone)}</td>
      <td className="login" title={account.login}>{visible(account.login)}</td>
      <td className="wide" title={account.skills.join(", ")}>{visible(account.skills.join(", "))}</td>
    </tr>
  );
}

/** Groups of a person with their priority; those not in use are struck through and say so. */
export function Memberships({ account }: { account: Account }) {
  const t = useWords();
  return (
    <span className="memberships">
      {[...account.groups].sort((a, b) => Number(b.in_use) - Number(a.in_use) || a.priority - b.priority).map((it) => it.in_use
        ? <span key={it.group} title={t("people.priorityOf", { n: it.priority })}>{visible(it.group ?? "–")} <span className="second">{it.priority}</span></span>
        : <span key={it.group} className="off" title={t("people.notInUse")}><s>{visible(it.group ?? "–")}</s><span className="visually-hidden"> {t("people.notInUse")}</span></span>)}
    </span>
  );
}

export function SeatState({ agent }: { agent: string }) {
  const seat = useSeat(agent);
  return seat === undefined ? <>–</> : <StateInk state={seatState(seat)} />;
}

/** The SIP phone: whether the account has one, whether it is registered, and how far it is. */
export function PhoneState({ account }: { account: Account }) {
  const t = useWords();
  const seat = useSeat(account.number);
  if (account.phone_user === null) return <span className="second">{t("people.phoneNone")}</span>;
  if (seat === undefined) return <>–</>;
  if (seat.phone === null) return <span className="second">{t("people.phoneAway")}</span>;
  const latency = seat.phone.latency_ms;
  return <span className="talking-ink">{t("people.phoneHere")}{latency === null || latency === undefined ? "" : ` ${t("floor.latency", { n: latency })}`}</span>;
}
