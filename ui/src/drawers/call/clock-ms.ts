import { clock } from "../../words/format";

/** `14:00:43.204`: signalling is compared by the millisecond. */
export const clockMs = (at: Date): string => `${clock(at)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
