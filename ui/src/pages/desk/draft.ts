/** The summary that is being filled in: kept in the tab's session, so that a reload in a call brings it back. */

export interface Draft {
  disposition: string;
  note: string;
  /** Day and time in the campaign's zone; empty = no callback. */
  day: string;
  time: string;
  own: boolean;
  /** Pause with this reason after saving; empty = go on. */
  pause: string;
}

export const EMPTY: Draft = { disposition: "", note: "", day: "", time: "", own: true, pause: "" };

const nameOf = (key: string) => `desk.summary.${key}`;

export function keptDraft(key: string): Draft {
  try {
    return { ...EMPTY, ...(JSON.parse(sessionStorage.getItem(nameOf(key)) ?? "{}") as Partial<Draft>) };
  } catch {
    // What another version of the page left is no draft of this one.
    return EMPTY;
  }
}

export function keepDraft(key: string, draft: Draft): void {
  sessionStorage.setItem(nameOf(key), JSON.stringify(draft));
}

export function dropDraft(key: string): void {
  sessionStorage.removeItem(nameOf(key));
}
