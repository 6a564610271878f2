import { useEffect, useId, useState, type FormEvent } from "react";
import { Button } from "../../kit/Button";
import { FilterChip } from "../../kit/Chip";
import { Choice } from "../../kit/Field";
import { Menu } from "../../kit/Menu";
import { useSearch } from "../../use-search";
import { hasWord, useWords, type Translate } from "../../words";
import { visible } from "../../words/format";
import { labelOf, useDispositions, type Disposition } from "../campaigns/titles";
import { reasonWords } from "./cells";
import { CHOICES, FILTERS, filtersOf, fitValue, NO_FILTERS, type FilterName } from "./filters";

/** The value of a filter in words. */
function valueWords(name: FilterName, value: string, dispositions: readonly Disposition[], t: Translate): string {
  if (name === "callback") return "";
  if (name === "reason") return reasonWords(value, t);
  if (name === "disposition") return labelOf(dispositions, value);
  const key = `${name === "state" ? "lead" : "outcome"}.${value}`;
  return (name === "state" || name === "outcome") && hasWord(key) ? t(key) : visible(value);
}

/** The search box, the filters that are set as chips, and a menu that adds one. All of it is in the address. */
export function LeadFilters({ campaign }: { campaign: string }) {
  const t = useWords();
  const [search, set] = useSearch();
  const [adding, setAdding] = useState<FilterName>();
  const filters = filtersOf(search);
  const isUsed = (name: FilterName) => filters.some(([it]) => it === name);
  const dispositions = useDispositions(campaign);
  const add = (name: FilterName) => {
    if (name === "callback") set({ callback: "true" });
    else setAdding(name);
  };
  return (
    <div className="filters lead-filters" role="search">
      <SearchBox />
      {filters.map(([name, value]) => <FilterChip key={name} label={`${t(`leads.filter_${name}`)} ${valueWords(name, value, dispositions, t)}`.trim()} onRemove={() => set({ [name]: null })} />)}
      {adding === undefined ? (
        <Menu size="small" align="start" entries={FILTERS.map((name) => ({ id: name, label: t(`leads.filter_${name}`), refusal: isUsed(name) ? t("results.isSet") : undefined, onChoose: () => add(name) }))}>+ {t("results.addFilter")}</Menu>
      ) : (
        <NewFilter key={adding} name={adding} dispositions={dispositions} onClose={() => setAdding(undefined)} onSet={(value) => {
          set({ [adding]: value });
          setAdding(undefined);
        }} />
      )}
      {filters.length > 1 || (filters.length > 0 && search.has("q")) ? <Button kind="link" size="small" onClick={() => set(NO_FILTERS)}>{t("common.clearFilters")}</Button> : null}
    </div>
  );
}

/** Number, name or row; asked for with Enter, since a look-up by number is audited. */
function SearchBox() {
  const t = useWords();
  const [search, set] = useSearch();
  const asked = search.get("q") ?? "";
  const [typed, setTyped] = useState(asked);
  useEffect(() => setTyped(asked), [asked]);
  const ask = (event: FormEvent) => {
    event.preventDefault();
    set({ q: fitValue("q", typed) });
  };
  return (
    <form className="search-form" onSubmit={ask}>
      <input className="search" type="search" autoComplete="off" maxLength={128} aria-label={t("leads.search")} placeholder={t("leads.search")} value={typed} onChange={(event) => {
        setTyped(event.target.value);
        if (event.target.value === "" && asked !== "") set({ q: null });
      }} />
      <Button type="submit" size="small">{t("leads.find")}</Button>
    </form>
  );
}

interface NewFilterProps {
  name: FilterName;
  dispositions: readonly Disposition[];
  onSet: (value: string) => void;
  onClose: () => void;
}

/** The value of a filter that is about to be set: a choice, or a text. */
function NewFilter({ name, dispositions, onSet, onClose }: NewFilterProps) {
  const t = useWords();
  const [text, setText] = useState("");
  const [isRefused, setRefused] = useState(false);
  const id = useId();
  const label = t(`leads.filter_${name}`);
  const choices = name === "disposition" && dispositions.length > 0 ? dispositions.map((it) => it.code) : CHOICES[name];
  const cancel = <Button kind="plain" size="small" label={t("common.cancel")} onClick={onClose}>✕</Button>;
  if (choices !== undefined) {
    return (
      <span className="new-filter">
        <Choice label={label} value="" onChange={(value) => { if (value !== "") onSet(value); }} options={[{ value: "", label: `${label}…` }, ...choices.map((value) => ({ value, label: valueWords(name, value, dispositions, t) }))]} />
        {cancel}
      </span>
    );
  }
  const take = (event: FormEvent) => {
    event.preventDefault();
    const value = fitValue(name, text);
    if (value === undefined) setRefused(true);
    else onSet(value);
  };
  return (
    <form className="new-filter" onSubmit={take} onKeyDown={(event) => { if (event.key === "Escape") onClose(); }}>
      <input className="search" autoFocus aria-label={label} placeholder={label} value={text} aria-invalid={isRefused || undefined} aria-describedby={id} onChange={(event) => { setText(event.target.value); setRefused(false); }} />
      <Button size="small" type="submit">{t("results.setFilter")}</Button>
      {cancel}
      <span id={id} className="refusal" role="status">{isRefused ? t("results.fault_value") : ""}</span>
    </form>
  );
}
