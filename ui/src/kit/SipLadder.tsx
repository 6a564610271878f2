import "./sip-ladder.css";
import type { Schemas } from "../api/words";
import { useLanguage, useWords } from "../words";
import { clock, visible } from "../words/format";

type StepView = Schemas["StepView"];

interface Props {
  steps: readonly StepView[];
}

const DIRECTIONS = { out: "ladder.out", in: "ladder.in", note: "ladder.note", gap: "ladder.gap" } as const;

/** What a call did between us and the carrier: each message as an arrow with its time and its meaning. */
export function SipLadder({ steps }: Props) {
  const t = useWords();
  const first = steps.find(isMessage);
  return (
    <table className="sip-ladder">
      <caption className="visually-hidden">{t("ladder.title")}</caption>
      <thead>
        <tr>
          <th scope="col"><span className="visually-hidden">{t("ladder.time")}</span></th>
          <th scope="col"><span className="ends"><span>Paceline</span><span>{t("ladder.carrier")}</span></span></th>
          <th scope="col"><span className="visually-hidden">{t("ladder.meaning")}</span></th>
        </tr>
      </thead>
      <tbody>{steps.map((step, n) => <Row key={n} step={step} time={stepTime(step, first)} />)}</tbody>
    </table>
  );
}

const isMessage = (step: StepView): boolean => step.dir === "out" || step.dir === "in";

/** The first message has its moment, as the timeline of the call has it; the others have their seconds since then. */
function stepTime(step: StepView, first: StepView | undefined): string {
  const at = new Date(step.at);
  if (step === first) return `${clock(at)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
  const since = first === undefined ? step.at_ms : Math.max(0, at.getTime() - Date.parse(first.at));
  return `+${(since / 1000).toFixed(3)}`;
}

/** Whether a response refuses the call; one to another request than INVITE ends with its method. */
const isRefusal = (step: StepView): boolean => step.dir === "in" && /^[4-6]\d\d /.test(step.text) && !step.text.endsWith(")");

function Row({ step, time }: { step: StepView; time: string }) {
  const t = useWords();
  const language = useLanguage();
  const [label, rest] = named(step.text);
  return (
    <tr className={isRefusal(step) ? `${step.dir} refusal-step` : step.dir}>
      <td className="at">{time}</td>
      <td className="lane">
        <span className="visually-hidden">{t(DIRECTIONS[step.dir])}</span>
        {isMessage(step) ? <span className="arrow"><span className="mono">{visible(label)}</span></span> : null}
      </td>
      <td className="meaning">
        {step.words === null ? <span className="mono">{visible(isMessage(step) ? rest : step.text)}</span> : visible(step.words[language])}
        {step.again ? <span className="hint"> {t("ladder.again")}</span> : null}
        {step.words === null || rest === "" || !isMessage(step) ? null : <span className="mono hint"> {visible(rest)}</span>}
        {step.peer === null ? null : <span className="mono hint"> {visible(step.peer)}</span>}
      </td>
    </tr>
  );
}

/** A request's method and its address; a response stays whole. */
function named(text: string): [string, string] {
  const blank = text.indexOf(" ");
  return blank < 0 || /^\d{3} /.test(text) ? [text, ""] : [text.slice(0, blank), text.slice(blank + 1)];
}
