import type { Campaign } from "../../api/words";
import { useWords } from "../../words";
import { count, percent } from "../../words/format";
import { strictestRule } from "./figures";

/** A rate of a table with what it stands on: `46.7 % 115/246`. */
function Rate({ rate, of, from, ceiling }: { rate: number; of: number; from: number; ceiling?: number }) {
  return <>{percent(rate)}{ceiling === undefined ? null : ` / ${percent(ceiling)}`} <span className="base">{count(of)}/{count(from)}</span></>;
}

export function AnswerRate({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  if (campaign.answer_rate === null) return "–";
  const [answered, ended] = [campaign.outcomes["answered"] ?? 0, campaign.ended];
  const base = campaign.mode === "announce" ? "campaigns.answerBase" : "campaigns.answerBaseAgents";
  return <span title={t(base, { answered: count(answered), ended: count(ended) })}><Rate rate={campaign.answer_rate} of={answered} from={ended} /></span>;
}

/** Abandoned of those who answered, by the strictest rule, with the ceiling. */
export function AbandonRate({ campaign }: { campaign: Campaign }) {
  const rule = strictestRule(campaign);
  if (rule === undefined || campaign.abandon === null) return "–";
  return <Rate rate={rule.rate} of={rule.abandoned} from={rule.of} ceiling={campaign.abandon.ceiling} />;
}
