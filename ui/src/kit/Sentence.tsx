import { Fragment } from "react";

/** A sentence of the service: what it puts between backticks are names of settings, drawn as such. */
export function Sentence({ children }: { children: string }) {
  return children.split("`").map((part, n) => (n % 2 === 1 ? <code key={n}>{part}</code> : <Fragment key={n}>{part}</Fragment>));
}
