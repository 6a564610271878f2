/** The number of one hearing: all ranges that a player asks for under it are on record as one. */
export function newHearing(): number {
  // 48 bits: exact in JavaScript, and never zero.
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high % 0x10000) * 0x100000000 + low + 1;
}

/** The address of a sound with what tells this hearing from others. */
export const heard = (source: string, hearing: number): string => `${source}${source.includes("?") ? "&" : "?"}hearing=${hearing}`;

/** The address of the same sound as a file to keep. */
export const kept = (source: string): string => `${source}${source.includes("?") ? "&" : "?"}download=true`;
