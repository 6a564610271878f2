import { useState, type FormEvent } from "react";
import { ApiProblem, post } from "../../../api/call";
import { askForecast, type CampaignText } from "../../../api/campaign-rows";
import { useOfflineReason } from "../../../frame/LiveState";
import { Band } from "../../../kit/Band";
import { Button } from "../../../kit/Button";
import { problemWords } from "../../../kit/States";
import { useLanguage, useWords, type PlainKey } from "../../../words";
import { count, percent } from "../../../words/format";
import { useCampaignRows } from "../data";
import { fieldAt } from "../settings/patch";
import type { Fields } from "../settings/toml";
import { isOpenTask, useTask } from "./data";
import { isOwn, questionOf, readForecast, type Asked, type AskedFault, type Forecast, type Pacing } from "./forecast";

/** What to expect: simulated with agents; a division where there are none. */
export function ForecastPanel({ campaign }: { campaign: CampaignText }) {
  const t = useWords();
  const isAnnounce = fieldAt((campaign.fields ?? {}) as Fields, "mode") === "announce";
  return (
    <section className="card" aria-label={t("start.forecast")}>
      <header><h2>{t("start.forecast")}</h2>{isAnnounce ? null : <span className="hint">{t("start.forecastHelp")}</span>}</header>
      <div className="body forecast">{isAnnounce ? <Sum campaign={campaign} /> : <Simulation campaign={campaign} />}</div>
    </section>
  );
}

/** A line is used so long by an announcement's call, from dialling to its end: ringing and listening, on average. */
const CALL_SECS = 30;

/** Announcement: numbers left, divided by the calls a second of its own setting. */
function Sum({ campaign }: { campaign: CampaignText }) {
  const t = useWords();
  const fields = (campaign.fields ?? {}) as Fields;
  const asked = fieldAt(fields, "calling.calls_per_sec");
  const most = fieldAt(fields, "calling.concurrency_max");
  // Calls at once bound the rate: each keeps its line for about half a minute.
  const bound = typeof most === "number" && most > 0 ? most / CALL_SECS : Infinity;
  const rate = typeof asked === "number" && asked > 0 ? Math.min(asked, bound) : bound;
  const row = useCampaignRows({ state: "", group: "", q: campaign.name }).data?.pages.flatMap((page) => page.items).find((it) => it.name === campaign.name);
  if (!Number.isFinite(rate)) return <p>{t("start.sumNoRate")}</p>;
  if (row === undefined) return <p>–</p>;
  if (row.leads_open === 0) return <p>{t("start.sumNone")}</p>;
  const hours = row.leads_open / rate / 3600;
  const time = hours >= 1 ? t("start.sumHours", { n: hours.toFixed(1) }) : t("start.sumMinutes", { n: Math.max(1, Math.round(hours * 60)) });
  return (
    <>
      <p>{t("start.sum", { left: count(row.leads_open), rate: rate.toFixed(1).replace(/\.0$/, ""), time })}</p>
      {rate === bound ? <p className="hint">{t("start.sumBound", { most: Number(most), secs: CALL_SECS })}</p> : null}
      <p className="hint">{t("start.sumRetries")}</p>
    </>
  );
}

const DEFAULTS: Asked = { agents: "10", answerRate: "", talk: "", wrap: "", hours: "13", isFromHistory: false, isNeeded: false };

function Simulation({ campaign }: { campaign: CampaignText }) {
  const t = useWords();
  const language = useLanguage();
  const offline = useOfflineReason();
  const [asked, setAsked] = useState(DEFAULTS);
  const [faults, setFaults] = useState<Partial<Record<keyof Asked, AskedFault>>>({});
  const [task, setTask] = useState<number>();
  const [problem, setProblem] = useState<unknown>();
  const [isSending, setSending] = useState(false);
  const { data, error } = useTask(task);
  const isWorking = task !== undefined && (data === undefined || isOpenTask(data)) && !error;
  const forecast = data?.state === "done" ? readForecast(data.result) : undefined;
  const set = (change: Partial<Asked>) => setAsked({ ...asked, ...change });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = questionOf(asked);
    setFaults("faults" in read ? read.faults : {});
    if ("faults" in read || isWorking || isSending || offline !== undefined) return;
    setProblem(undefined);
    setSending(true);
    askForecast(campaign.name, read.question).then((answer) => setTask(answer.task), setProblem).finally(() => setSending(false));
  };
  const cancel = () => {
    if (task === undefined) return;
    // A task that has just ended cannot be stopped; its result comes by itself.
    post("/api/v1/tasks/{id}/actions", { path: { id: task }, body: { action: "cancel" } }).catch((refused: unknown) => {
      if (!(refused instanceof ApiProblem && refused.status === 409)) setProblem(refused);
    });
  };
  const words = problem !== undefined || error ? problemWords(problem ?? error, t) : data?.state === "failed" ? (data.error?.[language] ?? "") : data?.state === "done" && forecast === undefined ? t("start.cancelled") : undefined;
  return (
    <>
      <form className="forecast" onSubmit={submit} noValidate>
        <div className="asked">
          <Asking label={t("start.agents")} unit={t("start.people")} value={asked.agents} fault={faults.agents} onChange={(agents) => set({ agents })} />
          <Asking label={t("start.answerRate")} unit="%" value={asked.answerRate} fault={faults.answerRate} onChange={(answerRate) => set({ answerRate })} hint="30" />
          <Asking label={t("start.talk")} unit={t("start.secs")} value={asked.talk} fault={faults.talk} onChange={(talk) => set({ talk })} hint="60" />
          <Asking label={t("start.wrap")} unit={t("start.secs")} value={asked.wrap} fault={faults.wrap} onChange={(wrap) => set({ wrap })} hint="12" />
          <Asking label={t("start.hours")} unit={t("start.hoursUnit")} value={asked.hours} fault={faults.hours} onChange={(hours) => set({ hours })} />
        </div>
        <div className="options">
          <label className="flag"><input type="checkbox" checked={asked.isFromHistory} onChange={(event) => set({ isFromHistory: event.target.checked })} /> <span>{t("start.history")}</span></label>
          <label className="flag"><input type="checkbox" checked={asked.isNeeded} onChange={(event) => set({ isNeeded: event.target.checked })} /> <span>{t("start.needed")}</span></label>
          <Button type="submit" busy={isWorking || isSending} refusal={offline}>{forecast === undefined ? t("start.run") : t("start.again")}</Button>
          {isWorking ? <Button kind="link" onClick={cancel}>{t("start.cancel")}</Button> : null}
        </div>
      </form>
      <p role="status" className="hint">{isWorking ? (data === undefined || data.total === 0 ? t("start.queued") : t("start.working", { done: data.done, all: data.total })) : data?.state === "cancelled" ? t("start.cancelled") : ""}</p>
      {words === undefined ? null : <p className="refusal" role="alert">{t("start.failed", { words })}</p>}
      {forecast === undefined ? null : <Result forecast={forecast} fields={(campaign.fields ?? {}) as Fields} hours={asked.hours} />}
    </>
  );
}

function Asking({ label, unit, value, fault, onChange, hint }: { label: string; unit: string; value: string; fault: AskedFault | undefined; onChange: (value: string) => void; hint?: string }) {
  const t = useWords();
  return (
    <label>
      {label}
      <span className="with-unit"><input className="control" type="text" inputMode="decimal" value={value} placeholder={hint} maxLength={8} aria-invalid={fault !== undefined || undefined} onChange={(event) => onChange(event.target.value)} /><span className="unit">{unit}</span></span>
      {fault === undefined ? null : <span className="fault" role="alert">{t(`start.fault_${fault}` as PlainKey)}</span>}
    </label>
  );
}

/** Every pacing as a row of bands; the campaign's own first. */
function Result({ forecast, fields, hours }: { forecast: Forecast; fields: Fields; hours: string }) {
  const t = useWords();
  const mode = String(fieldAt(fields, "mode"));
  const ratio = Number(fieldAt(fields, "pacing.call_ratio") ?? 2);
  const own = (it: Pacing) => isOwn(it.name, mode, ratio);
  const rows = [...forecast.pacings].sort((a, b) => Number(own(b)) - Number(own(a)));
  const longest = Math.max(1, ...rows.map((it) => it.hours?.most ?? 0));
  const hasNeeded = rows.some((it) => it.needed !== "none");
  const most = Math.max(1, ...rows.map((it) => (typeof it.needed === "object" ? it.needed.most : 0)));
  const { ceiling } = forecast;
  return (
    <div className="result" tabIndex={0} role="region" aria-label={t("start.forecast")}>
      <p className="hint">{t("start.assumed", { leads: count(forecast.leads), agents: forecast.agents, rate: percent(forecast.answerRate, 0), talk: forecast.talkSecs.toFixed(0), wrap: forecast.wrapSecs.toFixed(0), ring: forecast.ringSecs.toFixed(0) })}</p>
      <table className="forecast-table">
        <thead><tr><th scope="col">{t("start.pacing")}</th><th scope="col">{t("start.finish")}</th><th scope="col">{t("start.busy")}</th><th scope="col">{t("start.abandoned")} <span className="hint">{t("start.ceiling", { n: percent(ceiling) })}</span></th><th scope="col">{t("start.perHour")}</th>{hasNeeded ? <th scope="col">{t("start.agentsNeeded")}</th> : null}</tr></thead>
        <tbody>
          {rows.map((it) => (
            <tr key={it.name} className={own(it) ? "own" : undefined}>
              <th scope="row">{pacingWords(it.name, t)}{own(it) ? <span className="hint"> {t("start.own")}</span> : null}</th>
              <td>{it.hours === undefined ? "–" : it.isFinished ? <Band spread={it.hours} end={longest} write={(n) => `${n.toFixed(1)} h`} /> : t("start.notIn", { n: hours })}</td>
              <td>{it.busy === undefined ? "–" : <Band spread={it.busy} end={1} write={(n) => percent(n, 0)} />}</td>
              <td>{it.abandoned === undefined ? "–" : <Band spread={it.abandoned} end={Math.max(ceiling * 2, it.abandoned.most)} ceiling={ceiling} isOver={it.abandoned.median > ceiling} write={(n) => percent(n)} />}</td>
              <td>{it.perHour === undefined ? "–" : it.perHour.median.toFixed(0)}</td>
              {!hasNeeded ? null : <td>{it.needed === "none" ? "–" : it.needed === "over" ? t("start.over", { n: "2,000" }) : <Band spread={it.needed} end={most} write={(n) => n.toFixed(0)} />}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function pacingWords(name: string, t: ReturnType<typeof useWords>): string {
  const [mode = "", ratio] = name.split(" ");
  const known = mode === "progressive" || mode === "ratio" || mode === "predictive" ? t(`mode.${mode}`) : name;
  return ratio === undefined ? known : `${known} ${ratio}`;
}
