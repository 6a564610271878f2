/** GBK as a spreadsheet in China saves it. Node decodes it and does not encode it, so the table is turned round. */
const codes = new Map<string, [number, number]>();

function fill(): void {
  const decoder = new TextDecoder("gb18030");
  for (let first = 0x81; first <= 0xfe; first += 1) {
    for (let second = 0x40; second <= 0xfe; second += 1) if (second !== 0x7f) codes.set(decoder.decode(new Uint8Array([first, second])), [first, second]);
  }
}

/** @throws Error for a character that GBK does not have. */
export function gbk(text: string): Buffer {
  if (codes.size === 0) fill();
  return Buffer.from([...text].flatMap((it) => {
    const code = it.codePointAt(0) ?? 0;
    const pair = code < 0x80 ? [code] : codes.get(it);
    if (pair === undefined) throw new Error(`GBK has no ${it}`);
    return pair;
  }));
}
