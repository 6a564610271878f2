import { useQuery } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { get } from "../../api/call";
import { Sentence } from "../../kit/Sentence";
import { SipLadder } from "../../kit/SipLadder";
import { Failed } from "../../kit/States";
import { useLanguage, useWords } from "../../words";

/** A call without an end is asked for again after so long, in ms. */
const AGAIN = 700;

/** What a call did; asked for until it has ended. */
export const useTrace = (attempt: number | undefined) => useQuery({
  queryKey: ["trace", attempt],
  queryFn: ({ signal }) => get("/api/v1/calls/{attempt}/trace", { path: { attempt: attempt ?? 0 }, signal }),
  enabled: attempt !== undefined,
  refetchInterval: ({ state }) => (state.data?.ended_at ? false : AGAIN),
});

interface Props {
  attempt: number;
  /** Called when the call is seen to have ended. */
  onEnded?: (() => void) | undefined;
  /** Below the ladder. */
  children?: ReactNode;
}

/** The ladder of a call as it grows, and what came of it: for test calls and for any call of the log. */
export function TraceOf({ attempt, onEnded, children }: Props) {
  const t = useWords();
  const language = useLanguage();
  const { data: trace, error, refetch } = useTrace(attempt);
  const hasEnded = trace?.ended_at != null;
  useEffect(() => {
    if (hasEnded) onEnded?.();
  }, [hasEnded, onEnded]);
  if (trace === undefined) return error ? <Failed problem={error} onRetry={() => void refetch()} /> : <p className="hint" role="status">{t("common.loading")}</p>;
  const advice = trace.advice?.[language];
  return (
    <div className="trace-of">
      {trace.steps.length === 0 && hasEnded ? <p className="hint">{t("ladder.none")}</p> : <SipLadder steps={trace.steps} />}
      <p role="status">{hasEnded ? <Sentence>{trace.words?.[language] ?? ""}</Sentence> : t("ladder.live")}{advice ? <span className="hint"> <Sentence>{advice}</Sentence></span> : null}</p>
      {children}
    </div>
  );
}
