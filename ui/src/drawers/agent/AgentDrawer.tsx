import "../../kit/form.css";
import "../../kit/table.css";
import "../../pages/people/people.css";
import { useState } from "react";
import { Link } from "react-router";
import { ApiProblem } from "../../api/call";
import type { Account, Seat } from "../../api/words";
import { useIsStale } from "../../frame/LiveState";
import { CopyButton } from "../../kit/Copy";
import { Drawer } from "../../kit/Drawer";
import { Pill } from "../../kit/Pill";
import { Failed, Gone, Loading } from "../../kit/States";
import { useSecond } from "../../live/clock";
import { useSeat } from "../../live/stores";
import { useAccount } from "../../pages/people/data";
import type { Once } from "../../pages/people/people";
import { PhoneState } from "../../pages/people/People";
import { Sheets } from "../../pages/people/Sheets";
import { useMe } from "../../session";
import { seatState } from "../../states";
import { useWords } from "../../words";
import { day, duration, moment, telephone, visible } from "../../words/format";
import { AccountActions } from "./AccountActions";
import { GroupsOfAgent } from "./GroupsOfAgent";
import { SessionsOfAgent } from "./SessionsOfAgent";

/** `?agent=8001`: one person: account, seat, groups, passwords. */
export default function AgentDrawer({ number }: { number: string }) {
  const t = useWords();
  const { data: account, error, refetch } = useAccount(number);
  const [once, setOnce] = useState<Once>();
  const isGone = error instanceof ApiProblem && error.status === 404;
  return (
    <Drawer parameter="agent" title={account ? <><span className="mono">{number}</span> {visible(account.name)}</> : <span className="mono">{number}</span>}
      buttons={account && once === undefined ? <AccountActions account={account} onOnce={setOnce} /> : undefined}>
      {isGone ? <Gone>{t("people.gone", { number })}</Gone>
        : error && !account ? <Failed problem={error} onRetry={() => void refetch()} />
        : account === undefined ? <Loading height={300} />
        : once !== undefined ? <Sheets items={[once]} />
        : <Details account={account} />}
    </Drawer>
  );
}

function Details({ account }: { account: Account }) {
  const t = useWords();
  const { rights } = useMe();
  const seat = useSeat(account.number);
  return (
    <>
      <section>
        <dl className="facts">
          <dt>{t("people.role")}</dt><dd>{t(`role.${account.role}`)}{account.operator ? ` · ${t("people.operator")}` : ""}</dd>
          <dt>{t("people.login")}</dt><dd>{visible(account.login)}</dd>
          <dt>{t("people.phone")}</dt><dd>{account.phone_user === null ? t("people.phoneNone") : <><span className="mono">{account.phone_user}</span> · <PhoneState account={account} /></>}</dd>
          <dt>{t("people.telephone")}</dt><dd>{account.telephone === null ? t("people.telephoneNone") : <span className="action"><span>{telephone(account.telephone)}</span>{account.telephone.includes("*") ? null : <CopyButton text={account.telephone}>{t("people.copy")}</CopyButton>}</span>}</dd>
          <dt>{t("people.skills")}</dt><dd>{account.skills.length === 0 ? t("people.skillsNone") : visible(account.skills.join(", "))}</dd>
          <dt>{t("people.recorded")}</dt><dd>{t(account.recorded ? "people.recordedYes" : "people.recordedNo")}</dd>
          <dt>{t("people.since")}</dt><dd><time dateTime={account.created_at} title={account.created_at}>{day(new Date(account.created_at))}</time></dd>
        </dl>
      </section>
      {seat === undefined ? null : <SeatNow seat={seat} />}
      <GroupsOfAgent account={account} />
      {rights.has("people.read") ? <SessionsOfAgent number={account.number} /> : null}
      {rights.has("calls.read") ? <section><h3>{t("people.calls")}</h3><p><Link to={`/results?by=${encodeURIComponent(account.number)}`}>{t("people.callsLink")}</Link></p></section> : null}
    </>
  );
}

function SeatNow({ seat }: { seat: Seat }) {
  const t = useWords();
  const now = useSecond();
  const isStale = useIsStale();
  const isAway = seat.availability === "signed_out";
  return (
    <section className={isStale ? "stale" : undefined}>
      <h3>{t("people.now")}</h3>
      <p><Pill state={seatState(seat)} detail={isAway ? undefined : duration(now - Date.parse(seat.since) / 1000)} /></p>
      {isAway ? null : (
        <dl className="facts">
          <dt>{t("floor.signedIn")}</dt><dd>{seat.signed_in_at === null ? "–" : moment(new Date(seat.signed_in_at), new Date(now * 1000))}</dd>
          <dt>{t("floor.answered")}</dt><dd>{seat.answered}</dd>
          <dt>{t("floor.talked")}</dt><dd>{duration(seat.talked_secs)}</dd>
        </dl>
      )}
      <p><Link to={`/floor?q=${encodeURIComponent(seat.agent)}`}>{t("people.onFloor")}</Link></p>
    </section>
  );
}
