/** Sentences about lists: problems with their numbers, sizes. */
import { ApiProblem } from "../../api/call";
import { problemWords } from "../../kit/States";
import { hasWord, type Translate } from "../../words";
import { count, visible } from "../../words/format";

/** `4.1 MB`, `812 kB`, in steps of 1,024. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.ceil(bytes / 1024)} kB`;
  const mb = bytes / (1024 * 1024);
  return `${mb < 10 ? mb.toFixed(1) : count(Math.ceil(mb))} MB`;
}

/** The sentence of a refused request about a list. */
export function listProblem(problem: unknown, t: Translate): string {
  if (!(problem instanceof ApiProblem)) return problemWords(problem, t);
  if (problem.code === "called") return t("lists.problem_called", { n: count(problem.problem?.calls ?? 0) });
  // These two say what was found, in the service's own words.
  if (problem.code === "not_a_list") return t("lists.problem_not_a_list", { found: visible(problem.message) });
  if (problem.code === "unfit" && problem.message !== "") return visible(problem.message);
  if (problem.code === "wrong_state") {
    const key = `lists.${problem.problem?.state ?? ""}`;
    return t("lists.problem_wrong_state", { state: hasWord(key) ? t(key) : (problem.problem?.state ?? "") });
  }
  const key = `lists.problem_${problem.code}`;
  return hasWord(key) ? t(key) : problemWords(problem, t);
}

/** A reason for which a row is refused. */
export function reasonWord(reason: string, t: Translate): string {
  const key = `lists.reason_${reason}`;
  return hasWord(key) ? t(key) : visible(reason);
}
