import { useCallback, useEffect, useRef, useState } from "react";
import { ApiProblem } from "./api/call";
import { onRound } from "./live/stores";
import { problemWords } from "./kit/States";
import { useWords } from "./words";

/** How long a button waits for the event that shows its effect, in ms. */
const CONFIRM_WAIT = 2_000;

export interface Action {
  /** The button is busy: asked, and not yet shown by the live stream. */
  busy: boolean;
  /** The sentence of a refusal, to stand beside the button. */
  refusal: string | undefined;
  /** The service took it, and its effect has not been seen within 2 s. */
  sent: boolean;
  run: () => void;
}

/**
 * An action of a button (CONSOLE.md 4.3): busy until `isShown` holds, no state is guessed.
 * @param send asks the service; a refusal is an exception
 * @param isShown whether the live stream shows the effect
 */
export function useAction(send: () => Promise<unknown>, isShown: () => boolean): Action {
  const t = useWords();
  const [state, setState] = useState<{ phase: "rest" | "asking" | "waiting" | "sent"; problem?: unknown }>({ phase: "rest" });
  const latest = useRef({ send, isShown });
  useEffect(() => {
    latest.current = { send, isShown };
  });

  useEffect(() => {
    if (state.phase !== "waiting" && state.phase !== "sent") return;
    const look = () => {
      if (latest.current.isShown()) setState({ phase: "rest" });
    };
    look();
    const unsubscribe = onRound(look);
    const timer = setTimeout(() => setState((now) => (now.phase === "waiting" ? { phase: "sent" } : now)), CONFIRM_WAIT);
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [state.phase]);

  const run = useCallback(() => {
    setState({ phase: "asking" });
    latest.current.send().then(
      () => setState({ phase: "waiting" }),
      // The layer over the page says that the session ended; the button is free for the next try.
      (problem: unknown) => setState(problem instanceof ApiProblem && problem.code === "sign_in_first" ? { phase: "rest" } : { phase: "rest", problem }),
    );
  }, []);
  return {
    busy: state.phase === "asking" || state.phase === "waiting",
    sent: state.phase === "sent",
    refusal: state.problem === undefined ? undefined : problemWords(state.problem, t),
    run,
  };
}
