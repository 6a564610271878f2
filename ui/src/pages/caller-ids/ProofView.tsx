import type { CallerId } from "../../api/words";
import { serverNow } from "../../live/clock";
import { useWords } from "../../words";
import { moment, telephone } from "../../words/format";
import { usePersonName } from "../audio/person-name";
import { bytes } from "../audio/sound";
import { isPicture, proofAddress } from "./proof";

/** A number's paper: a picture is shown, a PDF is a link; who sent it, and when. */
export function ProofView({ row }: { row: Pick<CallerId, "number" | "proof"> }) {
  const t = useWords();
  const nameOf = usePersonName(row.proof !== null);
  if (row.proof === null) return <p className="hint">{t("callerIds.noProof")}</p>;
  const { media_type, bytes: size, at, by } = row.proof;
  const source = proofAddress(row.number, at);
  return (
    <div className="proof">
      {isPicture(media_type) ? <img key={source} src={source} alt={t("callerIds.proofOf", { number: telephone(row.number) })} /> : null}
      <p>
        <a href={source} download>{t(isPicture(media_type) ? "callerIds.proofPicture" : "callerIds.proofPdf", { size: bytes(size) })}</a>{" "}
        <span className="hint">{t("callerIds.proofBy", { who: nameOf(by), at: moment(new Date(at), new Date(serverNow())) })}</span>
      </p>
    </div>
  );
}
