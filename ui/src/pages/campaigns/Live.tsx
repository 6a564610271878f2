import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Link, useParams } from "react-router";
import { get } from "../../api/call";
import type { Campaign } from "../../api/words";
import { useIsStale } from "../../frame/LiveState";
import { Glyph } from "../../kit/Glyph";
import { Sentence } from "../../kit/Sentence";
import { NoneYet } from "../../kit/States";
import { useCampaign } from "../../live/stores";
import { useMe } from "../../session";
import { OUTCOME_STATES, WHY_ALARMS } from "../../states";
import { useLanguage, useWords } from "../../words";
import { count, percent } from "../../words/format";
import { Pace } from "./Pace";
import { AbandonBars } from "./AbandonBars";
import { LineBanner } from "./LineBanner";
import { callsOut, hasAgents, leadsAll, leadsOpen, stages } from "./figures";
import { LimitShare } from "./LimitShare";
import { Plots } from "./Plots";
import { useCampaignText } from "./data";
import { useCampaignWords } from "./titles";
import { Tour, type TourStep } from "./Tour";

/** How long a sentence stands at least, in ms. */
const CALM = 1_000;

/** `/campaigns/:name/live`: why it dials or does not, its numbers, abandoned calls by each rule, outcomes. */
export default function Live() {
  const { name = "" } = useParams();
  const campaign = useCampaign(name);
  const isStale = useIsStale();
  const { person } = useMe();
  const { data: text } = useCampaignText(name);
  const [step, setStep] = useState<TourStep>("why");
  if (!campaign) return <NotOpen />;
  const hasTour = text?.sample === true && person.preferences.tour_closed !== true;
  return (
    <div className={isStale ? "campaign-grid stale" : "campaign-grid"} data-tour={hasTour ? step : undefined}>
      {hasTour ? <Tour step={step} onStep={setStep} /> : null}
      <LineBanner campaign={campaign} />
      <Why campaign={campaign} />
      <Figures campaign={campaign} />
      <Plots campaign={campaign} />
      {hasAgents(campaign) ? <AbandonBars campaign={campaign} /> : null}
      <Outcomes campaign={campaign} />
      <Results campaign={campaign} />
    </div>
  );
}

/** A campaign that is not open has no figures; its start page says what is missing. */
function NotOpen() {
  const t = useWords();
  return <div className="card"><NoneYet act={<Link className="button primary" to="../start">{t("start.toStart")}</Link>}>{t("start.notOpen")}</NoneYet></div>;
}

/** A sentence that can be read: replaced at most once a second, and not while the pointer is on it. */
function useCalm(latest: string, isHeld: boolean): string {
  const [shown, setShown] = useState(latest);
  const changedAt = useRef(0);
  useEffect(() => {
    if (isHeld || shown === latest) return;
    const timer = setTimeout(() => {
      changedAt.current = performance.now();
      setShown(latest);
    }, Math.max(0, CALM - (performance.now() - changedAt.current)));
    return () => clearTimeout(timer);
  }, [latest, shown, isHeld]);
  return shown;
}

/** The sentence with its numbers, and what to do about it where there is something to do. */
function Why({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  const language = useLanguage();
  const { name, why } = campaign;
  const [isHeld, setHeld] = useState(false);
  // Reason and sentence change together, and the advice is asked for again with them: it belongs to that reason alone.
  const [shownWhy = "", sentence = ""] = useCalm(`${why ?? ""}\n${campaign.words[language]}`, isHeld).split("\n");
  const { data } = useQuery({
    queryKey: ["why", name, shownWhy],
    queryFn: ({ signal }) => get("/api/v1/campaigns/{name}/why", { path: { name }, signal }),
    staleTime: 0,
    refetchInterval: (query) => query.state.data !== undefined && (query.state.data.why ?? "") !== shownWhy ? 1_000 : false,
  });
  const advice = (data?.why ?? "") === shownWhy ? data?.advice[language] : undefined;
  const isAlarm = why !== null && WHY_ALARMS.has(why);
  return (
    <section className="card why" aria-label={t("campaigns.why")} onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)}>
      <h2>{t("campaigns.why")}</h2>
      <p className={isAlarm ? "sentence alarm" : "sentence"}>{isAlarm ? <Glyph name="alarm" /> : null}<Sentence>{sentence}</Sentence></p>
      <LimitShare name={name} />
      <p className="action"><Pace name={name} mode={campaign.mode} /><Link className="button" to="../history#decisions">{t("history.toDecisions")}</Link></p>
      {advice ? <p className="advice"><strong>{t("campaigns.advice")}</strong><span><Sentence>{advice}</Sentence></span></p> : null}
    </section>
  );
}

function Figure({ label, value, base }: { label: string; value: string; base?: string | undefined }) {
  return <div className="figure"><dt>{label}</dt><dd>{value}{base === undefined ? null : <span className="base"> {base}</span>}</dd></div>;
}

function Figures({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  const now = stages(campaign);
  const isStaffed = hasAgents(campaign);
  const announces = campaign.mode === "announce";
  const answered = campaign.outcomes["answered"] ?? 0;
  return (
    <section className="card live-figures" aria-label={t("campaigns.figures")}>
      <div className="body">
        <dl className="figures">
          <Figure label={t("campaigns.rate")} value={campaign.calls_per_sec.toFixed(1)} />
          <Figure label={t("campaigns.out")} value={count(callsOut(campaign))} />
          <Figure label={t("campaigns.starting")} value={count(now.starting)} />
          <Figure label={t("campaigns.ringing")} value={count(now.ringing)} />
          {announces ? <Figure label={t("campaigns.announcing")} value={count(now.announcing)} /> : null}
          {isStaffed ? <Figure label={t("campaigns.waiting")} value={count(now.waiting)} /> : null}
          {isStaffed ? <Figure label={t("campaigns.talking")} value={count(now.talking)} /> : null}
          <Figure label={t("campaigns.placed")} value={count(campaign.placed)} />
          <Figure label={t("campaigns.answerRate")} value={campaign.answer_rate === null ? "–" : percent(campaign.answer_rate)} base={campaign.ended === 0 ? undefined : t(isStaffed ? "campaigns.answerBaseAgents" : "campaigns.answerBase", { answered: count(answered), ended: count(campaign.ended) })} />
          <Figure label={t("campaigns.left")} value={count(leadsOpen(campaign))} base={`/ ${count(leadsAll(campaign))}`} />
        </dl>
      </div>
    </section>
  );
}

interface Bar {
  key: string;
  word: string;
  n: number;
  fill: string;
}

/** Counts as rows with bars, the most first; the table is the plot. */
function Bars({ title, rows, none, half }: { title: string; rows: Bar[]; none: string; half: boolean }) {
  const t = useWords();
  const all = rows.reduce((sum, row) => sum + row.n, 0);
  const sorted = rows.filter((row) => row.n > 0).sort((a, b) => b.n - a.n);
  return (
    <section className={half ? "card half" : "card"} aria-label={title}>
      <header><h2>{title}</h2><span className="hint">{all === 0 ? "" : t("campaigns.sum", { n: count(all) })}</span></header>
      <div className="body">
        {sorted.length === 0 ? <p className="hint">{none}</p> : (
          <table className="plain-table">
            <thead className="visually-hidden"><tr><th scope="col">{title}</th><th scope="col">{t("campaigns.count")}</th><th scope="col">{t("campaigns.share")}</th></tr></thead>
            <tbody>
              {sorted.map(({ key, word, n, fill }) => (
                <tr key={key}>
                  <th scope="row">{word}</th><td className="number">{count(n)}</td><td className="number">{percent(n / all)}</td>
                  <td className="fill" aria-hidden="true"><span className="bar"><i style={{ width: `${(n / all) * 100}%`, background: `var(--${fill}-fill)` }} /></span></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}

function Outcomes({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  const rows = Object.entries(campaign.outcomes).map(([key, n]): Bar => {
    const state = OUTCOME_STATES[key as keyof typeof OUTCOME_STATES];
    return { key, n, word: state ? t(state.word) : key, fill: state && state.meaning !== "gone" ? state.meaning : "paused" };
  });
  return <Bars title={t("campaigns.outcomes")} rows={rows} none={t("campaigns.noOutcomes")} half />;
}

/** What callees chose by key; the words are the campaign file's own. */
function Results({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  const words = useCampaignWords([campaign.name]);
  const rows = Object.entries(campaign.results).map(([key, n]): Bar => ({ key, n, word: words.result(campaign.name, key), fill: "talking" }));
  if (campaign.mode !== "announce" && rows.length === 0) return null;
  return <Bars title={t("campaigns.results")} rows={rows} none={t("campaigns.noResults")} half />;
}
