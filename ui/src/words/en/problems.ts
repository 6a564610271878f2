import type { problems as zh } from "../zh/problems";

export const problems = {
  "problem.offline": "The server does not answer: check the network, then try again",
  "problem.wrong_password": "Login or password is wrong",
  "problem.slow_down": "Too many tries; again in {n} s",
  "problem.forbidden": "You do not have this right; ask an administrator",
  "problem.not_found": "Not found; it may have been removed",
  "problem.sign_in_first": "Your log-in has expired: log in again",
  "problem.campaign_closed": "The campaign is not open",
  "problem.number_refused": "This number may not be dialled",
  "problem.store_stalled": "Nothing can be written; dialling stopped",
  "problem.changed": "Somebody changed it: compare, then apply",
  "problem.full": "Too many screens are open; close those that are not needed",
  "problem.too_large": "Too large; split it",
  "problem.unavailable": "Not possible now, noted in the log; try again",
  "problem.locked": "Locked",
  "problem.already_done": "There is an administrator's account already: log in",
  "problem.taken": "The name or number is taken",
  "problem.in_use": "It is in use: stop that first, then remove it",
  "problem.past": "This moment is in the past",
  "problem.number_stays": "A number never changes: add a new account",
  "problem.other": "Not done ({code})",
} as const satisfies Record<keyof typeof zh, string>;
