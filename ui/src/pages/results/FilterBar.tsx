import { useId, useState } from "react";
import { Button } from "../../kit/Button";
import { FilterChip } from "../../kit/Chip";
import { Choice } from "../../kit/Field";
import { Menu } from "../../kit/Menu";
import { serverNow } from "../../live/clock";
import { useCampaigns, useTrunks } from "../../live/stores";
import { useMe } from "../../session";
import { useSearch } from "../../use-search";
import { hasWord, useWords, type Translate } from "../../words";
import { telephone, visible } from "../../words/format";
import { useAccounts } from "../people/data";
import { CHOICES, directionOf, FILTERS, filtersOf, fitValue, namedSpan, OUTBOUND_ONLY, spanName, spanOf, SPANS, type FilterName, type SpanName } from "./filters";

/** The value of a filter in words. */
export function filterValue(name: FilterName, value: string, t: Translate): string {
  if (name === "recorded") return t(value === "true" ? "results.withRecording" : "results.withoutRecording");
  if (name === "min" || name === "max") return t("results.seconds", { n: value });
  if (name === "number") return telephone(value);
  const key = `${name === "ended" ? "results.ended_" : "outcome."}${value}`;
  return (name === "ended" || name === "outcome") && hasWord(key) ? t(key) : visible(value);
}

/** Days, direction, the filters that are set as chips, and a menu that adds one. */
export function FilterBar() {
  const t = useWords();
  const [search, set] = useSearch();
  const [adding, setAdding] = useState<FilterName>();
  const now = new Date(serverNow());
  const span = spanOf(search, now);
  const direction = directionOf(search);
  const filters = filtersOf(search);
  const isUsed = (name: FilterName) => filters.some(([it]) => it === name);
  const named = spanName(span, now);
  const [isOwnSpan, setOwnSpan] = useState(false);
  const isCustom = named === undefined || isOwnSpan;
  const chooseSpan = (name: SpanName | "own") => {
    setOwnSpan(name === "own");
    if (name === "own") set({ ...span });
    else set(name === "today" ? { from: null, until: null } : { ...namedSpan(name, now) });
  };
  return (
    <div className="filters results-filters" role="search">
      <Choice label={t("results.days")} value={isCustom ? "own" : named} onChange={chooseSpan}
        options={[...(Object.keys(SPANS) as SpanName[]).map((name) => ({ value: name as SpanName | "own", label: t(`results.span_${name}`) })), { value: "own", label: t("results.span_own") }]} />
      {isCustom ? (
        <span className="days">
          <input className="search" type="date" aria-label={t("results.firstDay")} value={span.from} max={span.until} onChange={(event) => set({ from: event.target.value, until: span.until })} />
          <span aria-hidden="true">–</span>
          <input className="search" type="date" aria-label={t("results.lastDay")} value={span.until} min={span.from} onChange={(event) => set({ from: span.from, until: event.target.value })} />
        </span>
      ) : null}
      <Choice label={t("results.direction")} value={direction} onChange={(dir) => set({ dir: dir === "in" ? "in" : null })}
        options={[{ value: "out", label: t("results.out") }, { value: "in", label: t("results.in") }]} />
      {filters.map(([name, value]) => direction === "in" && OUTBOUND_ONLY.has(name) ? null
        : <FilterChip key={name} label={`${t(`results.filter_${name}`)} ${filterValue(name, value, t)}`} onRemove={() => set({ [name]: null })} />)}
      {adding === undefined ? (
        <Menu size="small" align="start" entries={FILTERS.map((name) => ({
          id: name, label: t(`results.filter_${name}`), onChoose: () => setAdding(name),
          refusal: isUsed(name) ? t("results.isSet") : direction === "in" && OUTBOUND_ONLY.has(name) ? t("results.outboundOnly") : undefined,
        }))}>+ {t("results.addFilter")}</Menu>
      ) : (
        <NewFilter key={adding} name={adding} onClose={() => setAdding(undefined)} onSet={(value) => {
          set({ [adding]: value });
          setAdding(undefined);
        }} />
      )}
      {filters.length > 1 ? <Button kind="link" size="small" onClick={() => set(Object.fromEntries(FILTERS.map((name) => [name, null])))}>{t("common.clearFilters")}</Button> : null}
    </div>
  );
}

/** The value of a filter that is about to be set: a choice, or a text with what is known offered. */
function NewFilter({ name, onSet, onClose }: { name: FilterName; onSet: (value: string) => void; onClose: () => void }) {
  const t = useWords();
  const [text, setText] = useState("");
  const [isRefused, setRefused] = useState(false);
  const id = useId();
  const known = useKnown(name);
  const label = t(`results.filter_${name}`);
  const choices = CHOICES[name];
  if (choices !== undefined) {
    return (
      <span className="new-filter">
        <Choice label={label} value="" onChange={(value) => { if (value !== "") onSet(value); }} options={[{ value: "", label: `${label}…` }, ...choices.map((value) => ({ value, label: filterValue(name, value, t) }))]} />
        <Button kind="plain" size="small" label={t("common.cancel")} onClick={onClose}>✕</Button>
      </span>
    );
  }
  const take = () => {
    const value = fitValue(name, text);
    if (value === undefined) setRefused(true);
    else onSet(value);
  };
  return (
    <form className="new-filter" onSubmit={(event) => { event.preventDefault(); take(); }} onKeyDown={(event) => { if (event.key === "Escape") onClose(); }}>
      <input className="search" autoFocus aria-label={label} placeholder={label} list={`${id}-known`} value={text} inputMode={name === "min" || name === "max" || name === "of" ? "numeric" : undefined}
        aria-invalid={isRefused || undefined} aria-describedby={`${id}-fault`} onChange={(event) => { setText(event.target.value); setRefused(false); }} />
      <datalist id={`${id}-known`}>{known.map(([value, words]) => <option key={value} value={value}>{words}</option>)}</datalist>
      <Button size="small" type="submit">{t("results.setFilter")}</Button>
      <Button kind="plain" size="small" label={t("common.cancel")} onClick={onClose}>✕</Button>
      <span id={`${id}-fault`} className="refusal" role="status">{isRefused ? t(`results.fault_${name === "number" ? "number" : name === "min" || name === "max" ? "seconds" : "value"}`) : ""}</span>
    </form>
  );
}

/** Values that the page knows of a filter: open campaigns, accounts, trunks. */
function useKnown(name: FilterName): [string, string][] {
  const { rights } = useMe();
  const campaigns = useCampaigns();
  const trunks = useTrunks();
  const accounts = useAccounts(name === "by" && rights.has("people.read")).data ?? [];
  if (name === "campaign") return campaigns.map((it) => [it.name, it.title ?? ""]);
  if (name === "trunk") return trunks.map((it) => [it.name, ""]);
  if (name === "by") return accounts.map((it) => [it.number, it.name]);
  return [];
}
