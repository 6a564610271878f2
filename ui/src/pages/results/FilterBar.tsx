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
import { moment, telephone, visible } from "../../words/format";
import { useCampaignTitles, useDispositions, useOpenDispositions } from "../campaigns/titles";
import { useAccounts, useGroups } from "../people/data";
import { CHOICES, directionOf, FILTERS, filtersOf, fitValue, LINKED, NO_VALUE, OUTBOUND_ONLY, SECONDS, spanName, spanOf, SPANS, withinOf, type FilterName, type SpanName } from "./filters";

/** Values of a filter that the page knows, each with its words. */
type Known = readonly (readonly [value: string, words: string])[];

/** The value of a filter in words. */
function filterValue(name: FilterName, value: string, known: Known, t: Translate): string {
  const words = known.find(([it]) => it === value)?.[1];
  if (words) return words;
  if (value === NO_VALUE) return t(name === "outcome" ? "sums.none_outcome" : "sums.none");
  if (name === "within") return withinWords(value);
  if (name === "recorded") return t(value === "true" ? "results.withRecording" : "results.withoutRecording");
  if (name === "missed") return t(value === "true" ? "results.isMissed" : "results.isNotMissed");
  if (SECONDS.has(name)) return t("results.seconds", { n: value });
  if (name === "number" || name === "caller") return telephone(value);
  const key = `${name === "ended" ? "results.ended_" : "outcome."}${value}`;
  return (name === "ended" || name === "outcome") && hasWord(key) ? t(key) : visible(value);
}

/** `11-21 14:00 – 15:00`, and the day of the end where it is another one. */
function withinWords(value: string): string {
  const span = withinOf(value);
  return span === undefined ? value : `${moment(span.from, new Date(0))} – ${moment(span.until, span.from)}`;
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
    if (name === "own") set({ ...span, days: null });
    // The name stays in the address: a view of the last seven days is one of tomorrow's seven, too.
    else set({ from: null, until: null, days: name === "today" ? null : name });
  };
  return (
    <div className="filters results-filters" role="search">
      <Choice label={t("results.days")} value={isCustom ? "own" : named} onChange={chooseSpan}
        options={[...(Object.keys(SPANS) as SpanName[]).map((name) => ({ value: name as SpanName | "own", label: t(`results.span_${name}`) })), { value: "own", label: t("results.span_own") }]} />
      {isCustom ? (
        <span className="days">
          <input className="search" type="date" aria-label={t("results.firstDay")} value={span.from} max={span.until} onChange={(event) => set({ from: event.target.value, until: span.until, days: null })} />
          <span aria-hidden="true">–</span>
          <input className="search" type="date" aria-label={t("results.lastDay")} value={span.until} min={span.from} onChange={(event) => set({ from: span.from, until: event.target.value, days: null })} />
        </span>
      ) : null}
      <Choice label={t("results.direction")} value={direction} onChange={(dir) => set({ dir: dir === "in" ? "in" : null })}
        options={[{ value: "out", label: t("results.out") }, { value: "in", label: t("results.in") }]} />
      {filters.map(([name, value]) => direction === "in" && OUTBOUND_ONLY.has(name) ? null
        : <SetFilter key={name} name={name} value={value} onRemove={() => set({ [name]: null })} />)}
      {adding === undefined ? (
        <Menu size="small" align="start" entries={FILTERS.filter((name) => !LINKED.has(name)).map((name) => ({
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
        <Choice label={label} value="" onChange={(value) => { if (value !== "") onSet(value); }} options={[{ value: "", label: `${label}…` }, ...choices.map((value) => ({ value, label: filterValue(name, value, known, t) }))]} />
        <Button kind="plain" size="small" label={t("common.cancel")} onClick={onClose}>✕</Button>
      </span>
    );
  }
  const take = () => {
    // People write the words that they see; the service takes the code, the name or the number.
    const typed = text.trim();
    const value = fitValue(name, known.find(([, words]) => words === typed)?.[0] ?? typed);
    if (value === undefined) setRefused(true);
    else onSet(value);
  };
  return (
    <form className="new-filter" onSubmit={(event) => { event.preventDefault(); take(); }} onKeyDown={(event) => { if (event.key === "Escape") onClose(); }}>
      <input className="search" autoFocus aria-label={label} placeholder={label} list={`${id}-known`} value={text} inputMode={SECONDS.has(name) || name === "of" ? "numeric" : undefined}
        aria-invalid={isRefused || undefined} aria-describedby={`${id}-fault`} onChange={(event) => { setText(event.target.value); setRefused(false); }} />
      <datalist id={`${id}-known`}>{known.map(([value, words]) => <option key={value} value={value}>{words}</option>)}</datalist>
      <Button size="small" type="submit">{t("results.setFilter")}</Button>
      <Button kind="plain" size="small" label={t("common.cancel")} onClick={onClose}>✕</Button>
      <span id={`${id}-fault`} className="refusal" role="status">{isRefused ? t(`results.fault_${name === "number" ? "number" : name === "caller" ? "caller" : SECONDS.has(name) ? "seconds" : "value"}`) : ""}</span>
    </form>
  );
}

function SetFilter({ name, value, onRemove }: { name: FilterName; value: string; onRemove: () => void }) {
  const t = useWords();
  const known = useKnown(name, value);
  return <FilterChip label={`${t(`results.filter_${name}`)} ${filterValue(name, value, known, t)}`} onRemove={onRemove} />;
}

/** Values that the page knows of a filter: open campaigns and the one that is set, accounts, trunks, dispositions. */
function useKnown(name: FilterName, chosen?: string): Known {
  const { rights } = useMe();
  const [search] = useSearch();
  const campaign = search.get("campaign");
  const title = useCampaignTitles(name === "campaign" ? [chosen] : []);
  const isOfCampaign = name === "disposition" && campaign !== null;
  const own = useDispositions(isOfCampaign ? campaign : undefined);
  const open = useOpenDispositions(name === "disposition" && campaign === null);
  const campaigns = useCampaigns();
  const trunks = useTrunks();
  const accounts = useAccounts(name === "by" && rights.has("people.read")).data ?? [];
  const groups = useGroups(name === "group" && rights.has("people.read")).data ?? [];
  if (name === "campaign") return [...new Set([...campaigns.map((it) => it.name), ...(chosen === undefined ? [] : [chosen])])].map((it) => [it, title(it)]);
  if (name === "disposition") return (isOfCampaign ? own : open).map((it) => [it.code, visible(it.label)]);
  if (name === "group") return groups.map((it) => [it.name, visible(it.name)]);
  if (name === "trunk") return trunks.map((it) => [it.name, ""]);
  if (name === "by") return accounts.map((it) => [it.number, visible(it.name)]);
  return [];
}
