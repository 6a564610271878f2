import { useCallback, useState } from "react";
import { ApiProblem } from "../../api/call";
import { useWords } from "../../words";
import { listProblem } from "./words";

export interface Send {
  busy: boolean;
  refusal: string | undefined;
  /** Code of the refusal, where the page has more to offer than its sentence. */
  code: string | undefined;
  run: (send: () => Promise<void>) => void;
}

/** One request at a time; its refusal stays beside the button until the next. */
export function useSend(): Send {
  const t = useWords();
  const [state, setState] = useState<{ busy: boolean; problem?: unknown }>({ busy: false });
  const run = useCallback((send: () => Promise<void>) => {
    setState({ busy: true });
    send().then(
      () => setState({ busy: false }),
      (problem: unknown) => setState(problem instanceof ApiProblem && problem.code === "sign_in_first" ? { busy: false } : { busy: false, problem }),
    );
  }, []);
  return {
    busy: state.busy, run,
    refusal: state.problem === undefined ? undefined : listProblem(state.problem, t),
    code: state.problem instanceof ApiProblem ? state.problem.code : undefined,
  };
}
