import { Link } from "react-router";
import { Glyph } from "../../kit/Glyph";
import { ABANDON_RULES, type Campaign } from "../../api/words";
import { useDrawerLink } from "../../use-search";
import { useWords } from "../../words";
import { percent } from "../../words/format";

/** A bar ends at twice the ceiling, so that the ceiling stands in its middle. */
const SPAN = 2;

/** Abandoned calls by every rule, each with its base, its bar and the ceiling; which rule brakes and what is left. */
export function AbandonBars({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  const link = useDrawerLink();
  const { abandon } = campaign;
  if (abandon === null) return null;
  const rules = abandon.rules.filter((rule) => rule.of > 0);
  const known = ABANDON_RULES.find((rule) => rule === abandon.strictest);
  const whole = (n: number) => (Number.isInteger(n) ? String(n) : n.toFixed(1));
  return (
    <section className="card half" aria-label={t("campaigns.abandonTitle")}>
      <header>
        <h2>{t("campaigns.abandonTitle")}</h2>
        <span className="hint">{t("campaigns.ceiling", { n: percent(abandon.ceiling) })}</span>
        {rules.length > 0 && known ? <span className="hint">{t("campaigns.abandonLeft", { rule: t(`rule.${known}`), n: abandon.left })}</span> : null}
        <span className="space" />
        <Link to={link({ abandon: abandon.strictest })}>{t("abandon.open")}</Link>
      </header>
      <div className="body">
        {rules.length === 0 ? <p className="hint">{t("campaigns.abandonNone")}</p> : (
          <table className="plain-table">
            <thead className="visually-hidden"><tr><th scope="col">{t("campaigns.rule")}</th><th scope="col">{t("campaigns.abandonTitle")}</th><th scope="col">{t("campaigns.share")}</th></tr></thead>
            <tbody>
              {rules.map((rule) => {
                const word = ABANDON_RULES.find((it) => it === rule.rule);
                const isOver = rule.rate > abandon.ceiling;
                return (
                  <tr key={rule.rule}>
                    <th scope="row">{word ? t(`rule.${word}`) : rule.rule}{rule.chosen ? <span title={t("campaigns.brakes")} aria-label={t("campaigns.brakes")} role="img"> ✓</span> : null}</th>
                    <td className="number">{t("common.of", { part: whole(rule.abandoned), whole: whole(rule.of) })}</td>
                    <td className={isOver ? "number over" : "number"}>{isOver ? <Glyph name="alarm" /> : null} {percent(rule.rate)}</td>
                    <td className="fill" aria-hidden="true">
                      <span className="bar tall">
                        <i className="upper" style={{ width: `${Math.min(100, (rule.upper / (abandon.ceiling * SPAN)) * 100)}%` }} />
                        <i style={{ width: `${Math.min(100, (rule.rate / (abandon.ceiling * SPAN)) * 100)}%`, background: `var(--${isOver ? "alarm" : "paused"}-fill)` }} />
                        <i className="ceiling" />
                      </span>
                    </td>
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
