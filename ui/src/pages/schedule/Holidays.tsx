import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { ApiProblem } from "../../api/call";
import { readHolidays, saveHolidays, type Holidays as Saved } from "../../api/leads-table";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Field } from "../../kit/Field";
import { LeaveAsk } from "../../kit/LeaveAsk";
import { offerSaved } from "../../kit/undo";
import { Failed, Loading, problemWords } from "../../kit/States";
import { queries, useMe } from "../../session";
import { useWords } from "../../words";
import { visible } from "../../words/format";
import { changesOf, holidayText, parseHoliday, withHoliday } from "./holidays";

const HOLIDAYS = ["holidays"];
/** Days that the service keeps. */
const MAX = 366;

/** Days on which no campaign of the organisation dials, beside each campaign's own. */
export function Holidays() {
  const t = useWords();
  const { rights } = useMe();
  const { data, error, refetch } = useQuery({ queryKey: HOLIDAYS, queryFn: ({ signal }) => readHolidays(signal) });
  return (
    <section className="card holidays" aria-labelledby="holidays">
      <header><h2 id="holidays">{t("schedule.holidays")}</h2><span className="hint">{t("schedule.holidaysHelp")}</span></header>
      <div className="body">
        {data === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={80} />)
          : rights.has("schedule.edit") ? <Editor saved={data} onReload={() => void refetch()} />
          : data.days.length === 0 ? <p className="hint">{t("schedule.noHolidays")}</p> : <ul className="chips">{data.days.map((day) => <li key={day} className="chip">{dayWords(day)}</li>)}</ul>}
      </div>
    </section>
  );
}

function adopt(saved: Saved): void {
  queries.setQueryData(HOLIDAYS, saved);
  void queries.invalidateQueries({ queryKey: ["schedule"] });
}

const dayWords = (day: string): string => visible(day.replace("..", " – "));

/** The days as they will be; a save that somebody else overtook keeps them. */
function Editor({ saved, onReload }: { saved: Saved; onReload: () => void }) {
  const t = useWords();
  const offline = useOfflineReason();
  // What the editor began with: a reading in the background does not change what somebody edits.
  const [base, setBase] = useState(saved);
  const [days, setDays] = useState(saved.days);
  const [from, setFrom] = useState("");
  const [until, setUntil] = useState("");
  const [isUnfit, setUnfit] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const changes = changesOf(base.days, days);
  if (saved.version !== base.version && changes === 0) {
    setBase(saved);
    setDays(saved.days);
  }
  const add = (event: FormEvent) => {
    event.preventDefault();
    const it = parseHoliday(holidayText({ from, until: until === "" ? from : until }));
    setUnfit(it === undefined);
    if (it === undefined) return;
    setDays(withHoliday(days, it));
    setFrom("");
    setUntil("");
  };
  const save = () => {
    setBusy(true);
    setProblem(undefined);
    saveHolidays(days, base.version).then(
      (now) => {
        setBase(now);
        setDays(now.days);
        adopt(now);
        offerSaved(t, async () => adopt(await saveHolidays(base.days, now.version)));
      },
      (refused: unknown) => {
        setProblem(refused);
        if (refused instanceof ApiProblem && refused.code === "changed") onReload();
      },
    ).finally(() => setBusy(false));
  };
  // Somebody saved meanwhile: their days and the changes made here together, to be looked at and saved again.
  const merge = () => {
    setDays([...new Set([...saved.days.filter((it) => days.includes(it) || !base.days.includes(it)), ...days.filter((it) => !base.days.includes(it))])].sort());
    setBase(saved);
    setProblem(undefined);
  };
  const isOvertaken = problem instanceof ApiProblem && problem.code === "changed";
  return (
    <div className="holiday-editor">
      {days.length === 0 ? <p className="hint">{t("schedule.noHolidays")}</p> : (
        <ul className="chips">
          {days.map((day) => <li key={day} className={base.days.includes(day) ? "chip" : "chip set"}>{dayWords(day)}<button type="button" className="remove" aria-label={t("schedule.removeDay", { day: dayWords(day) })} onClick={() => setDays(days.filter((it) => it !== day))}>✕</button></li>)}
        </ul>
      )}
      <form className="holiday-add" onSubmit={add}>
        <Field label={t("schedule.firstDay")} type="date" value={from} onChange={(day) => { setFrom(day); setUnfit(false); }} fault={isUnfit ? t("schedule.unfitDays") : undefined} />
        <Field label={t("schedule.lastDay")} type="date" value={until} onChange={(day) => { setUntil(day); setUnfit(false); }} />
        <Button type="submit" refusal={days.length >= MAX ? t("schedule.tooMany", { max: MAX }) : undefined}>{t("schedule.addDays")}</Button>
      </form>
      <div className="action">
        <Button kind="primary" busy={busy} refusal={offline ?? (changes === 0 ? t("kit.noChanges") : undefined)} onClick={save}>{t("kit.save")}</Button>
        {changes === 0 ? null : <><span className="hint" role="status">{t("kit.unsaved", { n: changes })}</span><Button kind="link" onClick={() => setDays(base.days)}>{t("kit.discard")}</Button></>}
        {problem === undefined ? null : <span className="refusal" role="alert">{problemWords(problem, t)}</span>}
        {isOvertaken && saved.version !== base.version ? <Button size="small" onClick={merge}>{t("schedule.merge")}</Button> : null}
      </div>
      <LeaveAsk changes={changes} />
    </div>
  );
}
