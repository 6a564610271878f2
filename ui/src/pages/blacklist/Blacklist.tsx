import "../../kit/form.css";
import "../../kit/table.css";
import "./blacklist.css";
import { useState, type FormEvent } from "react";
import type { BlacklistEntry } from "../../api/words";
import { call } from "../../api/call";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Choice } from "../../kit/Field";
import { Glyph } from "../../kit/Glyph";
import { More } from "../../kit/More";
import { Failed, Loading, NoneYet, NothingMatches, problemWords } from "../../kit/States";
import { offerUndo } from "../../kit/undo";
import { serverNow } from "../../live/clock";
import { useCampaigns } from "../../live/stores";
import { useMe } from "../../session";
import { useSearch } from "../../use-search";
import { useTitle } from "../../use-title";
import { hasWord, useWords, type Translate } from "../../words";
import { count, day, moment, telephone, visible } from "../../words/format";
import { usePersonName } from "../audio/person-name";
import { useCampaignTitles } from "../campaigns/titles";
import { ExportButton } from "../exports/ExportButton";
import { AddEntries } from "./AddEntries";
import { ImportFile } from "./ImportFile";
import { Sources } from "./Sources";
import { refreshBlacklist, useEntries, useLookUp } from "./data";
import { bareNumber, holds, isNumber, isRange, national } from "./entries";

/** `/blacklist`: is this number called? Below, the entries as they were added. */
export default function Blacklist() {
  const t = useWords();
  const { rights } = useMe();
  const [search, set] = useSearch();
  const [added, setAdded] = useState<string>();
  useTitle(t("blacklist.title"));
  const mayAdd = rights.has("blacklist.add");
  return (
    <>
      <div className="page-head">
        <h1>{t("blacklist.title")}</h1>
        <span className="space" />
        <ExportButton what="blacklist" filters={{}} />
        {rights.has("blacklist.edit") ? <Button onClick={() => set({ import: "new" })}>{t("blacklist.import")}</Button> : null}
        {mayAdd ? <Button kind="primary" onClick={() => set({ add: "1" })}>{t("blacklist.add")}</Button> : null}
      </div>
      <LookUp mayAdd={mayAdd} />
      {added === undefined ? null : <p className="done" role="status">{added}</p>}
      <Entries />
      {rights.has("blacklist.edit") ? <Sources /> : null}
      {search.has("add") && mayAdd ? <AddEntries onAdded={setAdded} /> : null}
      {search.has("import") && rights.has("blacklist.edit") ? <ImportFile key={search.get("import")} id={Number(search.get("import")) || undefined} /> : null}
    </>
  );
}

/** One box; the answer in words. */
function LookUp({ mayAdd }: { mayAdd: boolean }) {
  const t = useWords();
  const [search, set] = useSearch();
  const asked = search.get("number") ?? "";
  const [typed, setTyped] = useState(asked);
  const [isUnfit, setUnfit] = useState(false);
  const number = isNumber(asked) ? bareNumber(asked) : undefined;
  const { data: entries, error, isFetching, refetch } = useLookUp(number);
  const ask = (event: FormEvent) => {
    event.preventDefault();
    setUnfit(!isNumber(typed));
    // Beside an error stands no answer to an earlier question.
    set({ number: isNumber(typed) ? typed.trim() : null });
  };
  return (
    <section className="card look-up" aria-label={t("blacklist.lookUp")}>
      <form className="body" role="search" onSubmit={ask}>
        <input className="search" type="search" inputMode="tel" autoComplete="off" aria-label={t("blacklist.lookUp")} placeholder={t("blacklist.lookUpHint")} value={typed} aria-invalid={isUnfit || undefined} aria-describedby="look-up-fault"
          onChange={(event) => {
            setTyped(event.target.value);
            setUnfit(false);
            if (event.target.value === "") set({ number: null });
          }} />
        <Button type="submit" busy={isFetching && number !== undefined}>{t("blacklist.ask")}</Button>
        <span id="look-up-fault" className="refusal" role="status">{isUnfit ? t(isRange(typed) ? "blacklist.rangeAsked" : "blacklist.unfitNumber") : ""}</span>
      </form>
      {number === undefined ? null : error ? <Failed problem={error} onRetry={() => void refetch()} /> : entries === undefined ? null
        : <Answer number={number} entries={entries} onAdd={mayAdd ? () => set({ add: "1" }) : undefined} />}
    </section>
  );
}

function Answer({ number, entries, onAdd }: { number: string; entries: BlacklistEntry[]; onAdd: (() => void) | undefined }) {
  const t = useWords();
  const now = serverNow();
  const inForce = entries.filter((it) => holds(it, now));
  const past = entries.length - inForce.length;
  const isEverywhere = inForce.some((it) => it.scope === "system");
  const campaigns = [...new Set(inForce.flatMap((it) => (it.campaign === null ? [] : [it.campaign])))];
  const shown = telephone(number);
  const title = useCampaignTitles(campaigns);
  const person = usePersonName(inForce.some((it) => it.added_by !== null));
  return (
    <div className="answer" role="status">
      {inForce.length === 0 ? (
        <p><span className="talking-ink"><Glyph name="on" /></span> {t(past > 0 ? "blacklist.notAnyMore" : "blacklist.notListed", { number: shown })} {onAdd === undefined ? null : <Button kind="link" onClick={onAdd}>{t("blacklist.addThis")}</Button>}</p>
      ) : (
        <>
          <p><span className="alarm-ink"><Glyph name="alarm" /></span> <strong>{isEverywhere ? t("blacklist.everywhere", { number: shown }) : t("blacklist.inCampaigns", { number: shown, names: campaigns.map(title).join(", ") })}</strong></p>
          <ul>{inForce.map((it) => <li key={it.id}>{entryWords(it, title, person, t)}</li>)}</ul>
        </>
      )}
    </div>
  );
}

/** Words of a source that the service writes itself; others are shown as they were given. */
function sourceWords(source: string, t: Translate): string {
  const key = `blacklist.source_${source.replaceAll(" ", "_")}`;
  return hasWord(key) ? t(key) : visible(source);
}

/** Who added an entry: an account by its number, or a program by its word. */
const adderOf = (by: string, person: (number: string) => string): string => (/^\d+$/.test(by) ? person(by) : visible(by));

/** One entry as a sentence. */
function entryWords(entry: BlacklistEntry, title: (campaign: string) => string, person: (number: string) => string, t: Translate): string {
  const scope = entry.campaign === null ? t("blacklist.system") : t("blacklist.ofCampaign", { name: title(entry.campaign) });
  const parts = [t("blacklist.entry", { scope, number: telephone(national(entry.number)), source: sourceWords(entry.source, t), day: day(new Date(entry.added_at)) })];
  if (entry.added_by !== null) parts.push(t("blacklist.by", { name: adderOf(entry.added_by, person) }));
  if (entry.reason !== null) parts.push(t("blacklist.because", { reason: visible(entry.reason) }));
  if (entry.until !== null) parts.push(t("blacklist.heldUntil", { day: day(new Date(entry.until)) }));
  parts.push(t("blacklist.nextCheck"));
  return parts.join(" · ");
}

function Entries() {
  const t = useWords();
  const { rights } = useMe();
  const [search, set] = useSearch();
  const [removing, setRemoving] = useState<BlacklistEntry>();
  const campaigns = useCampaigns();
  const scope = search.get("scope") ?? "";
  const scoped = scope.startsWith("campaign:") ? scope.slice("campaign:".length) : undefined;
  const title = useCampaignTitles([scoped]);
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useEntries(scope);
  const entries = data?.pages.flatMap((page) => page.items) ?? [];
  const known = campaigns.map((it) => ({ value: `campaign:${it.name}`, label: visible(it.title ?? it.name) }));
  // A link may name a campaign that is not open now.
  if (scoped !== undefined && !known.some((it) => it.value === scope)) known.push({ value: scope, label: title(scoped) });
  return (
    <>
      <div className="filters">
        <h2>{t("blacklist.entries")}</h2>
        <Choice label={t("blacklist.scope")} value={scope} onChange={(value) => set({ scope: value })} options={[{ value: "", label: t("blacklist.allScopes") }, { value: "system", label: t("blacklist.system") }, ...known]} />
        <span className="space" />
        {data === undefined ? null : <span className="hint" role="status">{t(hasNextPage ? "blacklist.shownOfMore" : "common.total", { n: count(entries.length) })}</span>}
      </div>
      {error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : data === undefined ? <Loading height={300} />
        : entries.length === 0 ? <div className="card">{scope === "" ? <NoneYet>{t("blacklist.none")}</NoneYet> : <NothingMatches onClear={() => set({ scope: null })} />}</div>
        : (
          <div className="table-box">
            <EntryTable entries={entries} onRemove={rights.has("blacklist.edit") ? setRemoving : undefined} />
            {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
          </div>
        )}
      {removing === undefined ? null : <AskRemove entry={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

function EntryTable({ entries, onRemove }: { entries: BlacklistEntry[]; onRemove: ((entry: BlacklistEntry) => void) | undefined }) {
  const t = useWords();
  const title = useCampaignTitles(entries.map((it) => it.campaign));
  const person = usePersonName(entries.some((it) => it.added_by !== null));
  const now = new Date(serverNow());
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{t("blacklist.number")}</th><th scope="col">{t("blacklist.scope")}</th><th scope="col">{t("blacklist.source")}</th><th scope="col">{t("blacklist.reason")}</th>
          <th scope="col">{t("blacklist.addedBy")}</th><th scope="col">{t("blacklist.addedAt")}</th><th scope="col">{t("blacklist.until")}</th>{onRemove === undefined ? null : <th scope="col">{t("groups.actions")}</th>}
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => {
          const isPast = !holds(entry, now.getTime());
          return (
            <tr key={entry.id}>
              <td>{telephone(national(entry.number))}{entry.number.endsWith("*") ? <span className="second"> {t("blacklist.range")}</span> : null}</td>
              <td>{entry.campaign === null ? t("blacklist.system") : title(entry.campaign)}</td>
              <td>{sourceWords(entry.source, t)}</td>
              <td className="wide" title={entry.reason ?? ""}>{visible(entry.reason ?? "")}</td>
              <td>{entry.added_by === null ? "" : adderOf(entry.added_by, person)}</td>
              <td><time dateTime={entry.added_at} title={entry.added_at}>{moment(new Date(entry.added_at), now)}</time></td>
              <td>{entry.until === null ? t("blacklist.forEver") : <span className={isPast ? "second" : undefined} title={entry.until}>{day(new Date(entry.until))}{isPast ? ` ${t("blacklist.over")}` : ""}</span>}</td>
              {onRemove === undefined ? null : <td><Button kind="link" size="small" label={t("blacklist.removeOne", { number: national(entry.number) })} onClick={() => onRemove(entry)}>{t("blacklist.remove")}</Button></td>}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function AskRemove({ entry, onClose }: { entry: BlacklistEntry; onClose: () => void }) {
  const t = useWords();
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  const [refusal, setRefusal] = useState<string>();
  const number = telephone(national(entry.number));
  const title = useCampaignTitles([entry.campaign]);
  const person = usePersonName(entry.added_by !== null);
  const remove = async () => {
    setBusy(true);
    try {
      await call("delete", "/api/v1/blacklist/{id}", { path: { id: entry.id } });
      offerUndo(t("kit.removedNow", { name: number }));
      await refreshBlacklist();
      onClose();
    } catch (problem) {
      setRefusal(problemWords(problem, t));
      void refreshBlacklist();
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("blacklist.removeOne", { number })} onClose={onClose}
      buttons={<><Button onClick={onClose}>{t("common.cancel")}</Button><Button kind="danger" refusal={offline} busy={busy} onClick={() => void remove()}>{t("blacklist.removeNow", { number })}</Button></>}>
      <p>{entryWords(entry, title, person, t)}</p>
      <p>{entry.number.endsWith("*") ? t("blacklist.askRemoveRange", { number }) : t("blacklist.askRemove")}</p>
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Dialog>
  );
}
