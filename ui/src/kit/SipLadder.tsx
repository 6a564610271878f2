import "./sip-ladder.css";
import type { Schemas } from "../api/words";
import { useLanguage, useWords } from "../words";
import { clock, visible } from "../words/format";

type StepView = Schemas["StepView"];

interface Props {
  steps: readonly StepView[];
  /** The moment of the first message; without it every time is relative. */
  at?: Date | undefined;
}

const DIRECTIONS = { out: "ladder.out", in: "ladder.in", note: "ladder.note", gap: "ladder.gap" } as const;

/** What a call did between us and the carrier: each message as an arrow with its time and its meaning. */
export function SipLadder({ steps, at }: Props) {
  const t = useWords();
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
      <tbody>{steps.map((step, n) => <Row key={n} step={step} start={isFirst(steps, n) ? at : undefined} />)}</tbody>
    </table>
  );
}

/** The first message: its moment stands for the zero of the others. */
const isFirst = (steps: readonly StepView[], n: number): boolean => steps.findIndex((it) => it.dir === "out" || it.dir === "in") === n;

/** Whether a response refuses the call; one to another request than INVITE ends with its method. */
const isRefusal = (step: StepView): boolean => step.dir === "in" && /^[4-6]\d\d /.test(step.text) && !step.text.endsWith(")");

function Row({ step, start }: { step: StepView; start: Date | undefined }) {
  const t = useWords();
  const language = useLanguage();
  const isMessage = step.dir === "out" || step.dir === "in";
  const [label, rest] = named(step.text);
  return (
    <tr className={isRefusal(step) ? `${step.dir} refusal-step` : step.dir}>
      <td className="at">{start === undefined ? `+${(step.at_ms / 1000).toFixed(3)}` : `${clock(start)}.${String(start.getMilliseconds()).padStart(3, "0")}`}</td>
      <td className="lane">
        <span className="visually-hidden">{t(DIRECTIONS[step.dir])}</span>
        {isMessage ? <span className="arrow"><span className="mono">{visible(label)}</span></span> : null}
      </td>
      <td className="meaning">
        {step.words === null ? <span className="mono">{visible(isMessage ? rest : step.text)}</span> : visible(step.words[language])}
        {step.again ? <span className="hint"> {t("ladder.again")}</span> : null}
        {step.words === null || rest === "" || !isMessage ? null : <span className="mono hint"> {visible(rest)}</span>}
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
