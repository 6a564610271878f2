import { Link } from "react-router";
import { Glyph } from "../../../kit/Glyph";
import { useMe } from "../../../session";
import { useWords } from "../../../words";
import { clock, count } from "../../../words/format";
import { directionOf, filtersOf } from "../filters";
import type { Aggregates } from "./cells";
import { useSummary } from "./data";

/** How the sums of a campaign stand to its summary: equal over the whole of it, a part of it, or a difference by name. */
export function Reconciled({ search, sums }: { search: URLSearchParams; sums: Aggregates }) {
  const t = useWords();
  const { rights } = useMe();
  const campaign = search.get("campaign") ?? undefined;
  const { data } = useSummary(rights.has("results.read") && directionOf(search) === "out" ? campaign : undefined);
  if (campaign === undefined || data === undefined) return null;
  const [here, all] = [sums.total.calls, data.attempts];
  const isCampaignAlone = filtersOf(search).length === 1;
  const whole = new URLSearchParams(search);
  return (
    <>
      {data.differences.length === 0 ? null : <p className="line summary-fault" role="alert"><Glyph name="alarm" /> {t("sums.differences")}: {data.differences.join("; ")}</p>}
      <p className="line">
        {here === all ? <><Glyph name="done" /> {t("sums.equalsSummary", { n: count(all) })}</> : t(here > all ? "sums.differsFromSummary" : "sums.partOfSummary", { n: count(here), all: count(all), time: clock(new Date(data.as_of)) })}
        {isCampaignAlone && here < all && data.first_day !== null ? <> <Link to={`?${wholeOf(whole, data.first_day)}`}>{t("sums.wholeCampaign")}</Link></> : null}
      </p>
    </>
  );
}

/** The address of the whole of a campaign: from the day of its first call on. */
function wholeOf(search: URLSearchParams, firstDay: string): URLSearchParams {
  search.set("from", firstDay);
  search.delete("until");
  return search;
}
