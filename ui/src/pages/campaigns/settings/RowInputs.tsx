import type { ReactNode } from "react";
import { LEAD_STATES, OUTCOMES } from "../../../api/words";
import { Button } from "../../../kit/Button";
import { useWords } from "../../../words";
import { narrow } from "../../../words/width";
import { DAYS, readDays, writeDays } from "./days";
import { isFields, type Fields, type Value } from "./toml";

interface RowsProps {
  value: Value | undefined;
  spec: { default: Value | undefined };
  onChange: (value: Value | undefined) => void;
  labelId: string;
  helpId: string;
}

const textOf = (value: Value | undefined): string => (value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

/** A row without what is not set. */
const trimmed = (row: Record<string, Value | undefined>): Fields => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined && value !== "" && value !== false)) as Fields;

const replaced = <T,>(rows: readonly T[], at: number, row: T): T[] => rows.map((it, n) => (n === at ? row : it));
const without = <T,>(rows: readonly T[], at: number): T[] => rows.filter((_, n) => n !== at);

/** The frame of an editor of rows: a table, and a button for another row. */
function Rows({ head, children, onAdd, labelId, helpId }: { head: string[]; children: ReactNode[]; onAdd: () => void; labelId: string; helpId: string }) {
  const t = useWords();
  return (
    <div className="rows">
      {children.length === 0 ? null : (
        <table className="row-inputs" aria-labelledby={labelId} aria-describedby={helpId}>
          <thead><tr>{head.map((it) => <th key={it} scope="col">{it}</th>)}<td /></tr></thead>
          <tbody>{children}</tbody>
        </table>
      )}
      <Button size="small" onClick={onAdd}>{t("settings.addRow")}</Button>
    </div>
  );
}

function Remove({ n, onRemove }: { n: number; onRemove: () => void }) {
  const t = useWords();
  return <td><Button kind="plain" size="small" label={t("settings.removeRow", { n: n + 1 })} onClick={onRemove}>✕</Button></td>;
}

function Cell({ label, value, onChange, hint, size }: { label: string; value: string; onChange: (value: string) => void; hint?: string; size?: number }) {
  return <td><input className="control" type="text" aria-label={label} value={value} placeholder={hint} size={size} spellCheck={false} maxLength={200} onChange={(event) => onChange(event.target.value)} /></td>;
}

/** Calling hours: days as buttons, from and to as times. */
export function WindowRows({ value, spec, onChange, ...names }: RowsProps) {
  const t = useWords();
  const rows = (Array.isArray(value) ? value : Array.isArray(spec.default) ? spec.default : []).filter(isFields);
  return (
    <Rows {...names} head={[t("settings.days"), t("settings.from"), t("settings.to")]} onAdd={() => onChange([...rows, { days: "mon-fri", from: "09:00", to: "18:00" }])}>
      {rows.map((row, n) => {
        const days = readDays(textOf(row["days"]));
        const set = (key: string, next: string) => onChange(replaced(rows, n, { ...row, [key]: narrow(next) }));
        return (
          <tr key={n}>
            {days === undefined ? <Cell label={t("settings.days")} value={textOf(row["days"])} onChange={(next) => set("days", next)} /> : (
              <td>
                <span className="days" role="group" aria-label={t("settings.days")}>
                  {DAYS.map((day) => {
                    const isOn = days.has(day);
                    const next = new Set(DAYS.filter((it) => (it === day ? !isOn : days.has(it))));
                    return <button key={day} type="button" className="chip" aria-pressed={isOn} onClick={() => { if (next.size > 0) set("days", writeDays(next)); }}>{t(`settings.day_${day}`)}</button>;
                  })}
                </span>
              </td>
            )}
            <Cell label={t("settings.from")} value={textOf(row["from"])} onChange={(next) => set("from", next)} hint="08:00" size={6} />
            <Cell label={t("settings.to")} value={textOf(row["to"])} onChange={(next) => set("to", next)} hint="21:00" size={6} />
            <Remove n={n} onRemove={() => onChange(rows.length === 1 ? undefined : without(rows, n))} />
          </tr>
        );
      })}
    </Rows>
  );
}

/** The delay before the next attempt, by outcome. */
export function AfterRows({ value, onChange, ...names }: RowsProps) {
  const t = useWords();
  const rows = Object.entries(isFields(value) ? value : {});
  const write = (next: [string, Value][]) => onChange(next.length === 0 ? undefined : Object.fromEntries(next));
  const free = OUTCOMES.filter((it) => !rows.some(([key]) => key === it));
  return (
    <Rows {...names} head={[t("settings.outcome"), t("settings.delay")]} onAdd={() => { if (free[0]) write([...rows, [free[0], "1h"]]); }}>
      {rows.map(([outcome, delay], n) => (
        <tr key={n}>
          <td>
            <select className="control" aria-label={t("settings.outcome")} value={outcome} onChange={(event) => write(replaced(rows, n, [event.target.value, delay]))}>
              {OUTCOMES.some((it) => it === outcome) ? null : <option value={outcome}>{outcome}</option>}
              {OUTCOMES.filter((it) => it === outcome || free.includes(it)).map((it) => <option key={it} value={it}>{t(`outcome.${it}`)}</option>)}
            </select>
          </td>
          <Cell label={t("settings.delay")} value={textOf(delay)} onChange={(next) => write(replaced(rows, n, [outcome, narrow(next)]))} hint="30m" size={8} />
          <Remove n={n} onRemove={() => write(without(rows, n))} />
        </tr>
      ))}
    </Rows>
  );
}

const SIGNS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "*", "#"];
const DOES = ["result", "repeat", "agents", "blacklist", "record"] as const;
type Does = (typeof DOES)[number];

/** What a key does; `undefined` for several things at once. */
function doesOf(key: Fields): Does | undefined {
  const set = Object.keys(key).filter((it) => key[it] !== false && key[it] !== "");
  return set.length === 0 ? "record" : set.length === 1 ? DOES.find((it) => it === set[0]) : undefined;
}

export function KeyRows({ value, onChange, ...names }: RowsProps) {
  const t = useWords();
  const rows = Object.entries(isFields(value) ? value : {}).map(([key, does]): [string, Fields] => [key, isFields(does) ? does : {}]);
  // A number as a key would come first in any object; the order of the phone's keys is as good as any.
  const write = (next: [string, Fields][]) => onChange(next.length === 0 ? undefined : Object.fromEntries(next));
  const free = SIGNS.filter((it) => !rows.some(([key]) => key === it));
  return (
    <Rows {...names} head={[t("settings.key"), t("settings.keyDoes"), t("settings.keyResult")]} onAdd={() => { if (free[0]) write([...rows, [free[0], { result: `key_${free[0]}` }]]); }}>
      {rows.map(([key, does], n) => {
        const kind = doesOf(does);
        const set = (next: Fields) => write(replaced(rows, n, [key, next]));
        return (
          <tr key={key}>
            <td>
              <select className="control" aria-label={t("settings.key")} value={key} onChange={(event) => write(replaced(rows, n, [event.target.value, does]))}>
                {SIGNS.includes(key) ? null : <option value={key}>{key}</option>}
                {SIGNS.filter((it) => it === key || free.includes(it)).map((it) => <option key={it} value={it}>{it}</option>)}
              </select>
            </td>
            {kind === undefined ? <td colSpan={2} className="hint">{t("settings.keyMany")}</td> : (
              <>
                <td>
                  <select className="control" aria-label={t("settings.keyDoes")} value={kind}
                    onChange={(event) => set(event.target.value === "record" ? {} : event.target.value === "result" ? { result: `key_${key}` } : { [event.target.value]: true })}>
                    {DOES.map((it) => <option key={it} value={it}>{t(`settings.key_${it}`)}</option>)}
                  </select>
                </td>
                {kind === "result" ? <Cell label={t("settings.keyResult")} value={textOf(does["result"])} onChange={(next) => set({ result: next })} /> : <td />}
              </>
            )}
            <Remove n={n} onRemove={() => write(without(rows, n))} />
          </tr>
        );
      })}
    </Rows>
  );
}

const FLAGS = ["default", "do_not_call", "wrong_number", "machine"] as const;

export function DispositionRows({ value, onChange, ...names }: RowsProps) {
  const t = useWords();
  const rows = (Array.isArray(value) ? value : []).filter(isFields);
  const write = (next: Fields[]) => onChange(next.length === 0 ? undefined : next);
  return (
    <Rows {...names} head={[t("settings.code"), t("settings.label"), t("settings.leadState"), t("settings.delay"), t("settings.flags")]} onAdd={() => write([...rows, { code: `code_${rows.length + 1}`, state: "failed" }])}>
      {rows.map((row, n) => {
        const set = (change: Record<string, Value | undefined>) => write(replaced(rows, n, trimmed({ ...row, ...change })));
        const state = textOf(row["state"]);
        return (
          <tr key={n}>
            <Cell label={t("settings.code")} value={textOf(row["code"])} onChange={(next) => set({ code: next })} size={14} />
            <Cell label={t("settings.label")} value={textOf(row["label"])} onChange={(next) => set({ label: next })} size={20} />
            <td>
              <select className="control" aria-label={t("settings.leadState")} value={state} onChange={(event) => set({ state: event.target.value, ...(event.target.value === "open" ? {} : { retry: undefined }) })}>
                {LEAD_STATES.some((it) => it === state) ? null : <option value={state}>{state}</option>}
                {LEAD_STATES.map((it) => <option key={it} value={it}>{t(`lead.${it}`)}</option>)}
              </select>
            </td>
            {state === "open" ? <Cell label={t("settings.delay")} value={textOf(row["retry"])} onChange={(next) => set({ retry: narrow(next) })} hint="2h" size={6} /> : <td />}
            <td className="flags">
              {FLAGS.map((it) => <label key={it}><input type="checkbox" checked={row[it] === true} onChange={(event) => set({ [it]: event.target.checked })} /> <span>{t(`settings.flag_${it}`)}</span></label>)}
            </td>
            <Remove n={n} onRemove={() => write(without(rows, n))} />
          </tr>
        );
      })}
    </Rows>
  );
}
