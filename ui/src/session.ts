/** Who is signed in: `GET /me`, the rights that come with it, and what happens when the session ends. */
import { QueryClient, useQuery } from "@tanstack/react-query";
import { createContext, useContext, useSyncExternalStore } from "react";
import { ApiProblem, call, get, post, whenLocked, whenSignedOut } from "./api/call";
import type { Person } from "./api/words";
import { adopt, currentLook } from "./preferences";
import { dropUndo } from "./kit/undo";
import type { Ended } from "./live/hub";
import { closeLive } from "./live/stores";
import { rightsOf, type Right } from "./rights";

export const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: 5_000, refetchOnWindowFocus: false, networkMode: "always" },
    mutations: { networkMode: "always" },
  },
});

export interface Me {
  person: Person;
  rights: ReadonlySet<Right>;
}

const ME = ["me"];
/** The cookie slides with use: it is renewed each hour while the page is open. */
const RENEW = 3_600_000;

async function readMe(): Promise<Me | null> {
  try {
    const me = await get("/api/v1/me");
    return me.program ? null : { person: me, rights: rightsOf(me) };
  } catch (problem) {
    // A session that ends under an open page does not take the page away; the layer asks for the password.
    if (problem instanceof ApiProblem && problem.status === 401) return queries.getQueryData<Me | null>(ME) ?? null;
    throw problem;
  }
}

/** The account that is signed in; `null` = nobody. */
export function useSession() {
  return useQuery({ queryKey: ME, queryFn: readMe, staleTime: RENEW, refetchInterval: RENEW });
}

/** The account for which the frame is drawn. */
export const MeContext = createContext<Me | undefined>(undefined);

/**
 * The account; only below the frame. It is the frame's and not the query's: at sign-out a page that is drawn before the frame is
 * would find nobody.
 */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (!me) throw new Error("a page outside the frame asked for the account");
  return me;
}

// The session ended under an open page: the page stays, a layer asks for the password.
let isExpired = false;
const listeners = new Set<() => void>();

export function setExpired(now: boolean): void {
  if (isExpired === now) return;
  isExpired = now;
  for (const listener of listeners) listener();
}

export const useIsExpired = (): boolean => useSyncExternalStore(
  (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  () => isExpired,
);

whenSignedOut(() => {
  if (queries.getQueryData<Me | null>(ME)) setExpired(true);
});

whenLocked(() => {
  if (queries.getQueryData<Me | null>(ME)?.person.locked === false) void queries.invalidateQueries({ queryKey: ME });
});

/**
 * Signs in. The same person goes on where they were; for another account everything that was read is forgotten.
 * @throws ApiProblem
 */
export async function signIn(login: string, password: string): Promise<Me> {
  const before = queries.getQueryData<Me | null>(ME);
  const answer = await post("/api/v1/sign-in", { body: { login, password } });
  if (answer.program) throw new ApiProblem(401, "wrong_password", "");
  return takeAccount(answer, before);
}

/** Drops all that was read but the account itself: its query has readers, which a query that is made anew would not reach. */
function forgetData(): void {
  dropUndo();
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
}

/** Takes the account that an answer brought (sign-in, first start). */
export function takeAccount(answer: Person, before?: Me | null): Me {
  const me: Me = { person: answer, rights: rightsOf(answer) };
  if (before?.person.login !== me.person.login) forgetData();
  queries.setQueryData(ME, me);
  void adopt(answer.preferences);
  setExpired(false);
  void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "me" });
  return me;
}

/** Asks whether another tab has signed the same person in again; then this one goes on too. */
export async function tryAgain(): Promise<void> {
  const before = queries.getQueryData<Me | null>(ME);
  const answer = await get("/api/v1/me").catch(() => undefined);
  if (answer && !answer.program) takeAccount(answer, before);
}

/** Keeps language and theme with the account, so that another browser shows them too; the page has them already. */
export async function keepLook(): Promise<void> {
  if (!queries.getQueryData<Me | null>(ME)) return;
  const keys = queries.getQueryData<Me | null>(ME)?.person.preferences.keys ?? null;
  await call("patch", "/api/v1/me", { body: { preferences: { ...currentLook(), keys, tour_closed: null } } });
}

/**
 * The tour of the sample campaign is not shown to this person again.
 * @throws ApiProblem
 */
export async function closeTour(): Promise<void> {
  // What is `null` stays as it is.
  const answer = await call("patch", "/api/v1/me", { body: { preferences: { language: null, theme: null, keys: null, tour_closed: true } } });
  if (!answer.program) queries.setQueryData<Me>(ME, { person: answer, rights: rightsOf(answer) });
}

/**
 * Signs out in every tab, and forgets what was read.
 * @throws ApiProblem if the service could not be asked: the session lives on, and so does the page
 */
export async function signOut(): Promise<void> {
  await post("/api/v1/sign-out").catch((problem: unknown) => {
    // A session that is over needs no end.
    if (!(problem instanceof ApiProblem && problem.status === 401)) throw problem;
  });
  closeLive();
  forgetData();
  queries.setQueryData(ME, null);
}

/**
 * The live stream ended. A session that is over leaves the page and asks for the password; after another tab signed out, or in
 * with another account, nothing of this account stays on the page.
 */
export function onStreamEnded(because: Ended): void {
  if (because === "expired") return setExpired(true);
  forgetData();
  queries.setQueryData(ME, null);
}
