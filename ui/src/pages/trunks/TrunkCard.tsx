import { useState } from "react";
import { Link } from "react-router";
import type { Trunk } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Glyph } from "../../kit/Glyph";
import { Pill } from "../../kit/Pill";
import { Sentence } from "../../kit/Sentence";
import { serverNow } from "../../live/clock";
import { useMe } from "../../session";
import { TRUNK_STATES } from "../../states";
import { useSearch } from "../../use-search";
import { useLanguage, useWords } from "../../words";
import { clock, count, moment, visible } from "../../words/format";
import { act, refreshTrunks, refusalWords, removeTrunk, useLiveTrunk, type TrunkRow } from "./data";
import { TestTrunk } from "./TestTrunk";

/** Codes that a card shows by itself; further ones are folded. */
const CODES = 6;

/** One trunk: its state in a sentence, its calls of today, and what can be done with it. */
export function TrunkCard({ row }: { row: TrunkRow }) {
  const t = useWords();
  const live = useLiveTrunk(row);
  const { rights } = useMe();
  const [search, set] = useSearch();
  const isTested = search.get("test") === row.name;
  const { uri, username } = row.settings as { uri?: string; username?: string };
  return (
    <section className="card trunk" aria-labelledby={`trunk-${row.name}`} id={`trunk=${row.name}`}>
      <header>
        <h2 id={`trunk-${row.name}`}>{visible(row.name)}</h2>
        <span className="mono hint">{row.source === "built_in" ? t("trunks.builtIn") : visible(uri ?? "")}</span>
        {username ? <span className="hint">{t("trunks.account", { account: visible(username) })}</span> : null}
        <span className="space" />
        {live === null ? <Pill state={TRUNK_STATES.down} /> : <Pill state={TRUNK_STATES[live.state]} />}
      </header>
      <div className="body">
        {live === null ? <p className="refusal">{t("trunks.notApplied")}</p> : <State live={live} />}
        {live === null ? null : <Figures live={live} />}
        <UsedBy row={row} />
        {row.set_in === null ? null : <p className="hint">{t("trunks.setIn", { place: row.set_in.line === null ? row.set_in.file : `${row.set_in.file}:${row.set_in.line}` })}</p>}
        <div className="action">
          {rights.has("trunks.test") ? <Button size="small" expanded={isTested} onClick={() => set({ test: isTested ? null : row.name })}>{t("trunks.test")}</Button> : null}
          {rights.has("trunks.edit") ? <Acts row={row} live={live} /> : null}
        </div>
        {isTested ? <TestTrunk name={row.name} /> : null}
      </div>
    </section>
  );
}

/** Why it is not in use: what the line guard saw, what it put back, until when it rests. */
function State({ live }: { live: Trunk }) {
  const t = useWords();
  const language = useLanguage();
  const words = live.words?.[language] ?? live.line?.words[language];
  const now = new Date(serverNow());
  if (!words) return null;
  const advice = live.words === null ? live.line?.advice[language] : undefined;
  return (
    <div className={live.state === "down" || live.state === "resting" ? "trunk-state alarm" : "trunk-state"} role="status">
      <p><Glyph name={live.state === "disabled" ? "gone" : "warning"} /> <Sentence>{words}</Sentence></p>
      <p className="hint">
        {live.until === null ? null : <span>{t("trunks.until", { at: clock(new Date(live.until)) })} </span>}
        {live.rests_since === null ? null : <span>{t("trunks.since", { at: moment(new Date(live.rests_since), now) })} </span>}
        {live.put_back === 0 ? null : <span>{t("trunks.putBack", { n: live.put_back })}</span>}
      </p>
      {advice ? <p className="advice"><strong>{t("campaigns.advice")}</strong> <Sentence>{advice}</Sentence></p> : null}
    </div>
  );
}

function Figures({ live }: { live: Trunk }) {
  const t = useWords();
  const language = useLanguage();
  const [isWhole, setWhole] = useState(false);
  const codes = isWhole ? live.codes_today : live.codes_today.slice(0, CODES);
  const all = live.codes_today.reduce((sum, it) => sum + it.calls, 0);
  return (
    <>
      <dl className="figures">
        <div className="figure"><dt>{t("trunks.calls")}</dt><dd>{count(live.calls)}<span className="base"> / {count(live.calls_max)}</span></dd></div>
        <div className="figure"><dt>{t("trunks.rate")}</dt><dd>{live.calls_per_sec}</dd></div>
        <div className="figure"><dt>OPTIONS</dt><dd>{live.options_ms === null ? t("common.none") : `${count(live.options_ms)} ms`}</dd></div>
        <div className="figure"><dt>{t("trunks.today")}</dt><dd>{count(all)}</dd></div>
      </dl>
      {codes.length === 0 ? <p className="hint">{t("trunks.noCodes")}</p> : (
        <table className="codes">
          <caption className="visually-hidden">{t("trunks.codes")}</caption>
          <thead className="visually-hidden"><tr><th scope="col">{t("trunks.code")}</th><th scope="col">{t("trunks.callsOfCode")}</th><th scope="col">{t("trunks.meaning")}</th></tr></thead>
          <tbody>{codes.map((it) => <tr key={it.code}><th scope="row" className="mono">{it.code}</th><td className="number">{count(it.calls)}</td><td>{it.words[language]}</td></tr>)}</tbody>
        </table>
      )}
      {live.codes_today.length > CODES ? <Button kind="link" size="small" expanded={isWhole} onClick={() => setWhole(!isWhole)}>{t(isWhole ? "trunks.fewer" : "trunks.allCodes", { n: live.codes_today.length })}</Button> : null}
    </>
  );
}

function UsedBy({ row }: { row: TrunkRow }) {
  const t = useWords();
  if (row.campaigns.length === 0) return null;
  return <p className="hint">{t("trunks.usedBy")} {row.campaigns.map((name, n) => <span key={name}>{n === 0 ? "" : " · "}<Link to={`/campaigns/${encodeURIComponent(name)}/live`}>{visible(name)}</Link></span>)}</p>;
}

function Acts({ row, live }: { row: TrunkRow; live: Trunk | null }) {
  const t = useWords();
  const language = useLanguage();
  const [, set] = useSearch();
  const offline = useOfflineReason();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [asks, setAsks] = useState<"disable" | "remove">();
  const run = (what: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(undefined);
    what().then(() => setAsks(undefined), (refused: unknown) => setProblem(refused)).finally(() => { setBusy(false); void refreshTrunks(); });
  };
  const rests = live?.state === "resting";
  return (
    <>
      {row.enabled
        ? <>{rests ? <Button size="small" kind="primary" busy={busy} refusal={offline} onClick={() => run(() => act(row.name, { action: "enable" }))}>{t("trunks.endRest")}</Button> : null}<Button size="small" refusal={offline} onClick={() => setAsks("disable")}>{t("trunks.disable")}</Button></>
        : <Button size="small" kind="primary" busy={busy} refusal={offline} onClick={() => run(() => act(row.name, { action: "enable" }))}>{t("trunks.enable")}</Button>}
      {row.source === "row" ? <><Button size="small" onClick={() => set({ edit: row.name, add: null })}>{t("trunks.edit")}</Button><Button size="small" kind="link" onClick={() => setAsks("remove")}>{t("trunks.remove")}</Button></> : null}
      {problem === undefined || asks !== undefined ? null : <span className="refusal" role="alert">{refusalWords(problem, t, language)}</span>}
      {asks === undefined ? null : (
        <Dialog title={t(asks === "disable" ? "trunks.disableTitle" : "trunks.removeTitle", { name: row.name })} onClose={() => { setAsks(undefined); setProblem(undefined); }} buttons={
          <>
            <Button onClick={() => { setAsks(undefined); setProblem(undefined); }}>{t("common.cancel")}</Button>
            <Button kind="danger" busy={busy} refusal={offline} onClick={() => run(() => (asks === "disable" ? act(row.name, { action: "disable" }) : removeTrunk(row)))}>{t(asks === "disable" ? "trunks.disable" : "trunks.remove")}</Button>
          </>
        }>
          <p>{t(asks === "disable" ? "trunks.disableHelp" : "trunks.removeHelp")}</p>
          {problem === undefined ? null : <p className="summary-fault" role="alert">{refusalWords(problem, t, language)}</p>}
        </Dialog>
      )}
    </>
  );
}
