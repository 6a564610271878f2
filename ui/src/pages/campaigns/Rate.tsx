import type { Campaign } from "../../api/words";
import { count, percent } from "../../words/format";
import { strictestRule } from "./figures";

/** A rate of a table with what it stands on: `46.7 % 115/246`. */
function Rate({ rate, of, from, ceiling }: { rate: number; of: number; from: number; ceiling?: number }) {
  return <>{percent(rate)}{ceiling === undefined ? null : ` / ${percent(ceiling)}`} <span className="base">{count(of)}/{count(from)}</span></>;
}

export function AnswerRate({ campaign }: { campaign: Campaign }) {
  if (campaign.answer_rate === null) return "–";
  return <Rate rate={campaign.answer_rate} of={campaign.outcomes["answered"] ?? 0} from={campaign.ended} />;
}

/** Abandoned of those who answered, by the strictest rule, with the ceiling. */
export function AbandonRate({ campaign }: { campaign: Campaign }) {
  const rule = strictestRule(campaign);
  if (rule === undefined || campaign.abandon === null) return "–";
  return <Rate rate={rule.rate} of={rule.abandoned} from={rule.of} ceiling={campaign.abandon.ceiling} />;
}
