import "../../kit/table.css";
import "./abandon.css";
import { Link } from "react-router";
import type { Campaign } from "../../api/words";
import { useIsStale } from "../../frame/LiveState";
import { Drawer } from "../../kit/Drawer";
import { Glyph } from "../../kit/Glyph";
import { useCampaign } from "../../live/stores";
import { AbandonPlot } from "../../pages/campaigns/AbandonPlot";
import { useDrawerLink } from "../../use-search";
import { useWords } from "../../words";
import { count, percent } from "../../words/format";
import { AbandonedCalls } from "./AbandonedCalls";
import { ruleOf, type RuleWord } from "./data";
import { amount, shownRule } from "./figures";

/** `?abandon=` on a page of a campaign: the abandon rate by every rule, its day, and the calls behind it. */
export default function AbandonDrawer({ name, asked }: { name: string; asked: string }) {
  const t = useWords();
  const campaign = useCampaign(name);
  const isStale = useIsStale();
  const abandon = campaign?.abandon ?? null;
  const rule = shownRule(ruleOf(asked), abandon, ruleOf);
  return (
    <Drawer parameter="abandon" isWide title={t("campaigns.abandonTitle")} detail={abandon ? <span className="hint">{t("campaigns.ceiling", { n: percent(abandon.ceiling) })}</span> : undefined}>
      {abandon === null ? <p className="hint">{t("abandon.notOpen")}</p> : <Rules abandon={abandon} shown={rule} isStale={isStale} />}
      {campaign && abandon ? <AbandonPlot campaign={campaign} span="day" ceiling={abandon.ceiling} isStale={isStale} /> : null}
      <AbandonedCalls name={name} rule={rule} />
    </Drawer>
  );
}

/** A row a rule: as it counts, with what it leaves. Its name shows its calls. */
function Rules({ abandon, shown, isStale }: { abandon: NonNullable<Campaign["abandon"]>; shown: RuleWord; isStale: boolean }) {
  const t = useWords();
  const link = useDrawerLink();
  return (
    <section aria-label={t("abandon.rules")}>
      <div className={isStale ? "table-box stale" : "table-box"}>
        <table className="table abandon-rules">
          <thead><tr>
            <th scope="col">{t("campaigns.rule")}</th><th scope="col" className="number">{t("abandon.of")}</th><th scope="col" className="number">{t("abandon.rate")}</th>
            <th scope="col" className="number">{t("campaigns.upperBound")}</th><th scope="col" className="number">{t("abandon.ceiling")}</th><th scope="col" className="number">{t("abandon.left")}</th><th scope="col">{t("abandon.role")}</th>
          </tr></thead>
          <tbody>
            {abandon.rules.map((row) => {
              const word = ruleOf(row.rule);
              const isOver = row.of > 0 && row.rate > abandon.ceiling;
              return (
                <tr key={row.rule} className={word === shown ? "chosen" : undefined}>
                  <th scope="row">{word ? <Link to={link({ abandon: word })} replace aria-current={word === shown || undefined}>{t(`rule.${word}`)}</Link> : row.rule}</th>
                  <td className="number">{t("common.of", { part: amount(row.abandoned), whole: amount(row.of) })}</td>
                  <td className={isOver ? "number over" : "number"}>{isOver ? <Glyph name="alarm" /> : null} {row.of > 0 ? percent(row.rate) : "–"}</td>
                  <td className="number">{row.of > 0 ? percent(row.upper) : "–"}</td>
                  <td className="number">{percent(abandon.ceiling)}</td>
                  <td className="number">{count(row.left)}</td>
                  <td>{row.chosen ? <><span aria-hidden="true">✓ </span>{t("abandon.brakes")}</> : <span className="hint">{t("abandon.watched")}</span>}{row.rule === abandon.strictest ? ` · ${t("abandon.strictest")}` : ""}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
