import { Link } from "react-router";
import { Glyph } from "../../../kit/Glyph";
import { Pill } from "../../../kit/Pill";
import { useMe } from "../../../session";
import { VOTE_STATES } from "../../../states";
import { useLanguage, useWords } from "../../../words";
import { clock, count, percent, visible } from "../../../words/format";
import { wideSentence } from "../../../words/width";
import type { Vote } from "./data";
import { barsOf, shareOf, squareMetres, thresholdOf, type Bar } from "./figures";

/** The vote: who takes part and who agrees, by heads and by area, against what is needed. */
export function VoteCard({ vote, isOld }: { vote: Vote; isOld: boolean }) {
  const t = useWords();
  const language = useLanguage();
  const mayEdit = useMe().rights.has("campaigns.edit");
  const { heads, area, thresholds } = vote;
  const bars = barsOf(vote);
  const words = visible(language === "zh" ? wideSentence(vote.words.zh) : vote.words.en);
  return (
    <section className="card" aria-label={t("vote.title")}>
      <header>
        <h2>{t("vote.title")}</h2>
        <Pill state={VOTE_STATES[vote.standing]} />
        <span className="hint">{t("results.asOf", { time: clock(new Date(vote.as_of)) })}</span>
        <span className="space" />
        <span className="hint">{t("vote.noAdvice")}</span>
        {mayEdit ? <Link to="../settings">{t("vote.change")}</Link> : null}
      </header>
      <div className={isOld ? "body vote stale" : "body vote"}>
        <p>{words}</p>
        <p className="hint">
          {t("vote.owners", { n: count(heads.total) })}
          {area ? ` · ${t("vote.area", { area: squareMetres(area.total), n: count(vote.flats - vote.flats_without_area), flats: count(vote.flats) })}` : null}
        </p>
        <table className="plain-table">
          <thead className="visually-hidden"><tr><th scope="col">{t("vote.what")}</th><th scope="col">{t("vote.amount")}</th><th scope="col">{t("vote.share")}</th><th scope="col">{t("vote.bar")}</th><th scope="col">{t("vote.needed")}</th></tr></thead>
          <tbody>{bars.map((bar) => <BarRow key={bar.of + bar.by} bar={bar} />)}</tbody>
        </table>
        <Others vote={vote} />
        {area === null ? <p className="line amber"><Glyph name="warning" /> {t("vote.noArea")}</p>
          : vote.flats_without_area > 0 ? <p className="line amber"><Glyph name="warning" /> {t("vote.someWithoutArea", { n: count(vote.flats_without_area), flats: count(vote.flats) })}</p> : null}
        <p className="hint">
          {t(thresholds.joint === "one" ? "vote.ruleOne" : "vote.ruleEach")} {t("vote.ruleShares", { heads: thresholds.quorum_heads, area: thresholds.quorum_area, majority: thresholds.majority === "1/2" ? t("vote.overHalf") : thresholds.majority })}
          {vote.stop ? ` ${t("vote.ruleStop")}` : ""}
        </p>
      </div>
    </section>
  );
}

function BarRow({ bar }: { bar: Bar }) {
  const t = useWords();
  const share = shareOf(bar.part, bar.whole);
  const needed = bar.threshold === "1/2" ? t("vote.overHalf") : t("vote.atLeast", { share: bar.threshold });
  return (
    <tr>
      <th scope="row">{t(`vote.${bar.of}_${bar.by}`)}</th>
      <td className="number">{bar.by === "heads" ? count(bar.part) : `${squareMetres(bar.part)} ㎡`}</td>
      <td className="number">{bar.whole > 0 ? percent(share) : "–"}</td>
      <td className="fill" aria-hidden="true">
        <span className="bar tall vote-bar">
          <i style={{ width: `${share * 100}%`, background: `var(--${bar.reached ? "talking" : "idle"}-fill)` }} />
          <i className="threshold" style={{ left: `${thresholdOf(bar.threshold) * 100}%` }} />
        </span>
      </td>
      <td>{needed} {bar.reached ? <span className="reached"><Glyph name="done" /> {t("vote.reached")}</span> : <span className="hint">{t("vote.notReached")}</span>}</td>
    </tr>
  );
}

/** What the others said, and who has said nothing. */
function Others({ vote: { heads } }: { vote: Vote }) {
  const t = useWords();
  const silent = heads.total - heads.took_part - heads.open;
  const parts = [
    t("vote.against", { n: count(heads.against) }), t("vote.abstain", { n: count(heads.abstain) }),
    ...(heads.differing > 0 ? [t("vote.differing", { n: count(heads.differing) })] : []),
    t("vote.open", { n: count(heads.open) }), t("vote.silent", { n: count(silent) }),
  ];
  return <p>{parts.join(" · ")}</p>;
}
