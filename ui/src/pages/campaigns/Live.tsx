import { Glyph } from "../../kit/Glyph";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { get } from "../../api/call";
import type { Campaign } from "../../api/words";
import { useIsStale } from "../../frame/LiveState";
import { useCampaign } from "../../live/stores";
import { OUTCOME_STATES, WHY_ALARMS } from "../../states";
import { useLanguage, useWords } from "../../words";
import { count, percent } from "../../words/format";
import { AbandonBars } from "./AbandonBars";
import { callsOut, leadsAll, leadsOpen, stages } from "./figures";

/** `/campaigns/:name/live`: why it dials or does not, its numbers, abandoned calls by each rule, outcomes. */
export default function Live() {
  const { name = "" } = useParams();
  const campaign = useCampaign(name);
  const isStale = useIsStale();
  if (!campaign) return null;
  return (
    <div className={isStale ? "campaign-grid stale" : "campaign-grid"}>
      <Why campaign={campaign} />
      <Figures campaign={campaign} />
      <AbandonBars campaign={campaign} />
      <Outcomes campaign={campaign} />
    </div>
  );
}

/** The sentence with its numbers, and what to do about it where there is something to do. */
function Why({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  const language = useLanguage();
  const { name, why } = campaign;
  // Asked for again when the reason changes: the advice belongs to it.
  const { data } = useQuery({
    queryKey: ["why", name, why],
    queryFn: ({ signal }) => get("/api/v1/campaigns/{name}/why", { path: { name }, signal }),
  });
  const advice = data?.advice[language];
  const isAlarm = why !== null && WHY_ALARMS.has(why);
  return (
    <section className="card why" aria-label={t("campaigns.why")}>
      <h2>{t("campaigns.why")}</h2>
      <p className={isAlarm ? "sentence alarm" : "sentence"}>{isAlarm ? <Glyph name="alarm" /> : null}{campaign.words[language]}</p>
      {advice ? <p className="advice"><strong>{t("campaigns.advice")}</strong>{advice}</p> : null}
    </section>
  );
}

function Figure({ label, value, base }: { label: string; value: string; base?: string | undefined }) {
  return <div className="figure"><dt>{label}</dt><dd>{value}{base === undefined ? null : <span className="base"> {base}</span>}</dd></div>;
}

function Figures({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  const now = stages(campaign);
  const hasAgents = campaign.mode !== "announce";
  const answered = campaign.outcomes["answered"] ?? 0;
  return (
    <section className="card" aria-label={t("campaigns.figures")}>
      <div className="body">
        <dl className="figures">
          <Figure label={t("campaigns.rate")} value={campaign.calls_per_sec.toFixed(1)} />
          <Figure label={t("campaigns.out")} value={count(callsOut(campaign))} />
          <Figure label={t("campaigns.starting")} value={count(now.starting)} />
          <Figure label={t("campaigns.ringing")} value={count(now.ringing)} />
          {hasAgents ? <Figure label={t("campaigns.waiting")} value={count(now.waiting)} /> : null}
          {hasAgents ? <Figure label={t("campaigns.talking")} value={count(now.talking)} /> : <Figure label={t("campaigns.announcing")} value={count(now.announcing)} />}
          <Figure label={t("campaigns.placed")} value={count(campaign.placed)} />
          <Figure label={t("campaigns.answerRate")} value={campaign.answer_rate === null ? "–" : percent(campaign.answer_rate)} base={campaign.ended === 0 ? undefined : `${count(answered)}/${count(campaign.ended)}`} />
          <Figure label={t("campaigns.left")} value={count(leadsOpen(campaign))} base={`/ ${count(leadsAll(campaign))}`} />
        </dl>
      </div>
    </section>
  );
}

/** Ended calls by outcome, the most first; the table is the plot. */
function Outcomes({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  const rows = Object.entries(campaign.outcomes).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  const all = rows.reduce((sum, [, n]) => sum + n, 0);
  return (
    <section className="card half" aria-label={t("campaigns.outcomes")}>
      <header><h2>{t("campaigns.outcomes")}</h2></header>
      <div className="body">
        {rows.length === 0 ? <p className="hint">{t("campaigns.noOutcomes")}</p> : (
          <table className="plain-table">
            <thead className="visually-hidden"><tr><th scope="col">{t("campaigns.outcome")}</th><th scope="col">{t("campaigns.count")}</th><th scope="col">{t("campaigns.share")}</th></tr></thead>
            <tbody>
              {rows.map(([outcome, n]) => {
                const state = OUTCOME_STATES[outcome as keyof typeof OUTCOME_STATES];
                return (
                  <tr key={outcome}>
                    <th scope="row">{state ? t(state.word) : outcome}</th><td className="number">{count(n)}</td><td className="number">{percent(n / all)}</td>
                    <td className="fill" aria-hidden="true"><span className="bar"><i style={{ width: `${(n / all) * 100}%`, background: `var(--${state?.meaning ?? "gone"}-fill)` }} /></span></td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}
