/** The states that every screen has (CONSOLE.md 3.0), as components. */
import type { ReactNode } from "react";
import { ApiProblem } from "../api/call";
import { hasWord, useWords, type Translate } from "../words";
import type { Right } from "../rights";
import { Button } from "./Button";

/** Nothing for 150 ms, then blocks of the height that the content will have. */
export function Loading({ height = 240 }: { height?: number }) {
  const t = useWords();
  return <div className="skeleton" style={{ height }} role="status"><span className="visually-hidden">{t("common.loading")}</span></div>;
}

/** None yet: what belongs here and the one thing to do. */
export function NoneYet({ children, act }: { children: ReactNode; act?: ReactNode }) {
  return <div className="status"><p>{children}</p>{act}</div>;
}

/** Filters that leave nothing. */
export function NothingMatches({ onClear }: { onClear: () => void }) {
  const t = useWords();
  return <div className="status" role="status"><p>{t("common.nothingMatches")}</p><Button onClick={onClear}>{t("common.clearFilters")}</Button></div>;
}

/** The sentence of a refused request: by its code, else the service's own. */
export function problemWords(problem: unknown, t: Translate): string {
  if (!(problem instanceof ApiProblem)) return t("problem.other", { code: String(problem) });
  if (problem.code === "slow_down") return t("problem.slow_down", { n: problem.retryAfter ?? 1 });
  const key = `problem.${problem.code}`;
  if (hasWord(key)) return t(key);
  return problem.message || t("problem.other", { code: problem.code });
}

/** A request that failed: the sentence, its code and "try again"; 403 and 404 have pages of their own. */
export function Failed({ problem, onRetry }: { problem: unknown; onRetry?: () => void }) {
  const t = useWords();
  const code = problem instanceof ApiProblem ? problem.code : "page";
  return (
    <div className="status" role="alert">
      <h2>{t("common.errorTitle")}</h2>
      <p className="why">{problemWords(problem, t)} <span className="hint">{t("common.code", { code })}</span></p>
      {onRetry === undefined ? null : <Button onClick={onRetry}>{t("common.retry")}</Button>}
    </div>
  );
}

/** No permission: which right it takes, and the caller's role. */
export function Forbidden({ right, role }: { right: Right; role: string }) {
  const t = useWords();
  const key = `role.${role}`;
  const roleWord = hasWord(key) ? t(key) : role;
  return <div className="status" role="alert"><h1>{t("common.forbidden", { right: t(`right.${right}`) })}</h1><p className="why">{t("common.forbiddenRole", { role: roleWord })}</p></div>;
}

/** What was asked for is not there. */
export function Gone({ children }: { children?: ReactNode }) {
  const t = useWords();
  return <div className="status" role="alert"><h1>{children ?? t("common.gone")}</h1></div>;
}
