import { Link } from "react-router";
import type { Campaign } from "../../api/words";
import { Glyph } from "../../kit/Glyph";
import { Sentence } from "../../kit/Sentence";
import { useTrunks } from "../../live/stores";
import { useMe } from "../../session";
import { useLanguage, useWords } from "../../words";

/** A line that refuses us: what was seen, what was put back, and where to do something about it. */
export function LineBanner({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  const language = useLanguage();
  const { rights } = useMe();
  const line = campaign.line;
  // The name of a trunk may stand before the account that is refused.
  const trunk = useTrunks().find((it) => line?.trunk === it.name || line?.trunk?.startsWith(`${it.name} `) === true);
  if (line === null) return null;
  return (
    <section className="card line-banner" role="alert" aria-label={t("campaigns.lineTrouble")}>
      <p><Glyph name="alarm" /> <Sentence>{line.words[language]}</Sentence>{trunk === undefined || trunk.put_back === 0 ? null : <> {t("trunks.putBack", { n: trunk.put_back })}</>}</p>
      {rights.has("trunks.read") ? <Link className="button" to={trunk === undefined ? "/trunks" : `/trunks?trunk=${encodeURIComponent(trunk.name)}`}>{t("campaigns.toTrunk")}</Link> : null}
    </section>
  );
}
