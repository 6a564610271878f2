import type { State } from "../states";
import { useWords } from "../words";
import type { CSSProperties } from "react";
import { Glyph } from "./Glyph";

const colours = (state: State): CSSProperties => ({ color: `var(--${state.meaning}-ink)`, background: `var(--${state.meaning}-wash)` });

/** A state as glyph and word on its wash; never colour alone. */
export function Pill({ state, detail }: { state: State; detail?: string | undefined }) {
  const t = useWords();
  return <span className="pill" style={colours(state)}><Glyph name={state.glyph} />{t(state.word)}{detail === undefined ? null : ` ${detail}`}</span>;
}

/** The same as ink on the ground it stands on, for dense rows. */
export function StateInk({ state }: { state: State }) {
  const t = useWords();
  return <span style={{ color: `var(--${state.meaning}-ink)` }}><Glyph name={state.glyph} /> {t(state.word)}</span>;
}
