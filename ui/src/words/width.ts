/** Widths of signs: Chinese sentences have wide punctuation, input methods type wide digits and commas. Pure. */

const WIDE = 0xfee0;
const HAN = /\p{Script=Han}/u;

/**
 * A Chinese text with the wide forms of its commas, colons and brackets. Catalogues are written with narrow ones, which
 * every keyboard has; a sign between digits (`1,000`, `09:30`) or before a space stays.
 */
export function withWidePunctuation(text: string): string {
  if (!HAN.test(text)) return text;
  return text.replace(/[,;:?](?!\s)|[()]/g, (sign, at: number) => {
    if (/\d/.test(text[at - 1] ?? "") && /\d/.test(text[at + 1] ?? "")) return sign;
    return String.fromCharCode(sign.charCodeAt(0) + WIDE);
  });
}

/**
 * A Chinese sentence of the service with wide punctuation. It may hold names, addresses and numbers of any kind, so a sign is changed
 * only beside a character or a wide bracket, and brackets in pairs: behind a character, or with one between them.
 */
export function wideSentence(text: string): string {
  if (!HAN.test(text)) return text;
  const wide = (sign: string) => String.fromCharCode(sign.charCodeAt(0) + WIDE);
  const isHan = (sign: string | undefined) => sign !== undefined && HAN.test(sign);
  const isWide = (sign: string | undefined) => isHan(sign) || sign === wide("(") || sign === wide(")");
  // From the innermost brackets outwards.
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(/\(([^()]*)\)/g, (whole, inside: string, at: number) => (isHan(before[at - 1]) || HAN.test(inside) ? `${wide("(")}${inside}${wide(")")}` : whole));
  }
  return text.replace(/[,;:?]/g, (sign, at: number) => (isWide(text[at - 1]) || isWide(text[at + 1]) ? wide(sign) : sign));
}

/** What people type with an input method in its wide form, as the service takes it: digits, letters, commas, brackets, spaces. */
export function narrow(text: string): string {
  return text.replace(/[\uff01-\uff5e]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - WIDE)).replace(/\u3000/g, " ");
}
