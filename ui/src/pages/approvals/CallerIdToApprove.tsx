import "../../drawers/caller-id/caller-id.css";
import { useEffect } from "react";
import { ApiProblem } from "../../api/call";
import { Failed, Gone, Loading } from "../../kit/States";
import { useWords } from "../../words";
import { telephone, visible } from "../../words/format";
import { CampaignLinks, StatePill } from "../caller-ids/cells";
import { useCallerId, useCallerIdEvents } from "../caller-ids/data";
import { ProofView } from "../caller-ids/ProofView";

const CAMPAIGNS = 20;

/** A number with who holds it, and the paper that shows it. */
export function CallerIdToApprove({ number, onRead }: { number: string; onRead: () => void }) {
  const t = useWords();
  useCallerIdEvents();
  const { data: row, error, refetch } = useCallerId(number, true);
  const isThere = row !== undefined;
  useEffect(() => {
    if (isThere) onRead();
  }, [isThere, onRead]);
  if (row === undefined) return error instanceof ApiProblem && error.status === 404 ? <Gone>{t("callerIds.gone", { number: telephone(number) })}</Gone> : error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={200} />;
  const text = (it: string) => (it === "" ? t("common.none") : visible(it));
  return (
    <>
      <dl className="facts">
        <dt>{t("callerIds.state")}</dt><dd><StatePill row={row} /></dd>
        <dt>{t("callerIds.holder")}</dt><dd>{text(row.holder)}</dd>
        <dt>{t("callerIds.f_holder_id")}</dt><dd>{row.holder_id_end === "" ? t("common.none") : `…${visible(row.holder_id_end)}`}</dd>
        <dt>{t("callerIds.f_carrier")}</dt><dd>{text(row.carrier)}</dd>
        <dt>{t("callerIds.f_region")}</dt><dd>{text(row.region)}</dd>
        <dt>{t("callerIds.f_note")}</dt><dd>{text(row.note)}</dd>
        <dt>{t("callerIds.campaigns")}</dt><dd><CampaignLinks names={row.campaigns} most={CAMPAIGNS} /></dd>
      </dl>
      <h3>{t("callerIds.proof")}</h3>
      <ProofView row={row} />
    </>
  );
}
