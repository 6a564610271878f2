import "../../kit/form.css";
import "../../kit/table.css";
import "./schedule.css";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { readSchedule, type Schedule as Plan, type ScheduledCampaign } from "../../api/leads-table";
import { Button } from "../../kit/Button";
import { Glyph } from "../../kit/Glyph";
import { StateInk } from "../../kit/Pill";
import { Failed, Loading, NoneYet } from "../../kit/States";
import { serverNow, useSecond } from "../../live/clock";
import { CAMPAIGN_STATES, SCHEDULE_STATES } from "../../states";
import { useSearch } from "../../use-search";
import { useTitle } from "../../use-title";
import { useLanguage, useWords } from "../../words";
import { count, visible } from "../../words/format";
import { dayOf } from "../results/filters";
import { Holidays } from "./Holidays";
import { barsOf, daysOf, weekName, weekOf } from "./week";

/** The zone of this browser, in which the week is drawn. */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** `/schedule`: when which campaign may dial, in a week; who shares a trunk; the organisation's holidays. */
export default function Schedule() {
  const t = useWords();
  const [search, set] = useSearch();
  useTitle(t("schedule.title"));
  const now = new Date(serverNow());
  const monday = weekOf(search, now);
  const days = daysOf(monday);
  const [from, until] = [dayOf(monday), dayOf(days[days.length - 2] ?? monday)];
  const { data, error, refetch, isPlaceholderData } = useQuery({
    queryKey: ["schedule", from], queryFn: ({ signal }) => readSchedule({ from, until }, signal), refetchInterval: 60_000, placeholderData: (before) => before,
  });
  const go = (weeks: number) => set({ week: weekName(monday, weeks, now) });
  return (
    <>
      <div className="page-head">
        <h1>{t("schedule.title")}</h1>
        <span className="hint">{t("schedule.inZone", { zone })}</span>
        <span className="space" />
        <Button size="small" label={t("schedule.before")} onClick={() => go(-1)}>‹</Button>
        <strong role="status">{t("schedule.week", { from, until })}</strong>
        <Button size="small" label={t("schedule.after")} onClick={() => go(1)}>›</Button>
        <Button size="small" onClick={() => set({ week: null })}>{t("schedule.thisWeek")}</Button>
      </div>
      {data === undefined ? (error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : <Loading height={360} />) : (
        <div className={isPlaceholderData || error ? "schedule stale" : "schedule"}>
          {data.campaigns.length === 0 ? <div className="card"><NoneYet>{t("schedule.none")}</NoneYet></div> : <Week campaigns={data.campaigns} days={days} />}
          <Conflicts plan={data} />
          <Trunks plan={data} />
        </div>
      )}
      <Holidays />
    </>
  );
}

function Conflicts({ plan }: { plan: Plan }) {
  const t = useWords();
  const language = useLanguage();
  if (plan.conflicts.length === 0) return null;
  return (
    <section className="card" aria-labelledby="conflicts">
      <header><h2 id="conflicts">{t("schedule.conflicts")}</h2></header>
      <ul className="body conflicts">
        {plan.conflicts.map((it, n) => <li key={n}><span style={{ color: "var(--waiting-ink)" }}><Glyph name="warning" /></span> <span><strong>{dayOf(new Date(it.from)).slice(5)} {visible(it.trunk)}</strong> {visible(it.words[language])}</span></li>)}
      </ul>
    </section>
  );
}

function Week({ campaigns, days }: { campaigns: readonly ScheduledCampaign[]; days: readonly Date[] }) {
  const t = useWords();
  const language = useLanguage();
  const name = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { weekday: "short" });
  const today = dayOf(new Date(serverNow()));
  const shown = days.slice(0, -1);
  return (
    <div className="table-box">
      <table className="table week">
        <thead>
          <tr>
            <th scope="col">{t("campaigns.name")}</th>
            {shown.map((day) => <th key={day.getTime()} scope="col" aria-current={dayOf(day) === today ? "date" : undefined}>{name.format(day)} {dayOf(day).slice(5)}</th>)}
          </tr>
        </thead>
        <tbody>{campaigns.map((it) => <CampaignRow key={it.name} campaign={it} days={days} today={today} />)}</tbody>
      </table>
    </div>
  );
}

function CampaignRow({ campaign, days, today }: { campaign: ScheduledCampaign; days: readonly Date[]; today: string }) {
  const t = useWords();
  const language = useLanguage();
  const path = `/campaigns/${encodeURIComponent(campaign.name)}`;
  const state = CAMPAIGN_STATES[campaign.state as keyof typeof CAMPAIGN_STATES];
  return (
    <tr>
      <th scope="row">
        <Link className="row" to={`${path}/live`}>{visible(campaign.title ?? campaign.name)}</Link>
        <span className="second">{campaign.drained ? <StateInk state={SCHEDULE_STATES.drained} /> : state === undefined ? visible(campaign.state) : <StateInk state={state} />}{campaign.timezone === zone ? "" : ` ${t("schedule.zone", { zone: visible(campaign.timezone) })}`}</span>
      </th>
      {days.slice(0, -1).map((day, n) => {
        const bars = barsOf(campaign.bars, day, days[n + 1] ?? day);
        return (
          <td key={day.getTime()}>
            <div className="day">
              {bars.map(({ bar, from, until }, m) => (
                <Link key={m} className={`hours-bar ${bar.kind}${campaign.drained ? " idle" : ""}`} to={`${path}/settings#group-hours`} title={visible(bar.words[language])} style={{ left: `${from * 100}%`, width: `${(until - from) * 100}%` }}>{visible(bar.words[language])}</Link>
              ))}
              {dayOf(day) === today ? <NowLine day={day} next={days[n + 1] ?? day} /> : null}
            </div>
            {bars.length === 0 ? <span className="visually-hidden">{t("schedule.noHours")}</span> : null}
          </td>
        );
      })}
    </tr>
  );
}

/** The present moment, by the service's clock. */
function NowLine({ day, next }: { day: Date; next: Date }) {
  const second = useSecond();
  const share = (second * 1000 - day.getTime()) / (next.getTime() - day.getTime());
  return <i className="now-line" aria-hidden="true" style={{ left: `${Math.min(1, Math.max(0, share)) * 100}%` }} />;
}

/** Who uses which trunk, and what each gets of it if all call at once. */
function Trunks({ plan }: { plan: Plan }) {
  const t = useWords();
  if (plan.trunks.length === 0) return null;
  const title = (name: string) => visible(plan.campaigns.find((it) => it.name === name)?.title ?? name);
  return (
    <section className="card" aria-labelledby="trunk-shares">
      <header><h2 id="trunk-shares">{t("today.trunks")}</h2><span className="hint">{t("schedule.sharesHelp")}</span></header>
      <ul className="body trunk-shares">
        {plan.trunks.map((it) => (
          <li key={it.name}>
            <strong>{visible(it.name)}</strong> <span className="hint">{t("schedule.lines", { n: count(it.calls_max) })}</span>
            {it.shares.length === 0 ? <> {t("schedule.nobody")}</> : (
              <ul>{it.shares.map((share) => (
                <li key={share.campaign}>
                  <span className="share-name">{title(share.campaign)}</span> <span className="number">{t("schedule.lines", { n: count(share.lines) })}</span>
                  <span className="share-bar" aria-hidden="true"><i style={{ width: `${Math.min(100, (share.lines / Math.max(1, it.calls_max)) * 100)}%` }} /></span>
                  <span className="hint">{t("schedule.rule", { priority: share.priority, weight: share.weight })}{share.lines_reserved === 0 ? "" : ` ${t("schedule.reserved", { n: count(share.lines_reserved) })}`}</span>
                </li>
              ))}</ul>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
