/** Sounds for uploads, made here: what they are is then known exactly. */

const RATE = 8_000;

/** A WAV file, mono, 8,000 samples a second: silence of `before` seconds, then a tone at `level` of full scale. */
export function tone({ before, secs, level }: { before: number; secs: number; level: number }): Uint8Array<ArrayBuffer> {
  const [silent, loud] = [Math.round(before * RATE), Math.round(secs * RATE)];
  const bytes = new Uint8Array(44 + 2 * (silent + loud));
  const view = new DataView(bytes.buffer);
  const text = (at: number, word: string) => { for (let n = 0; n < word.length; n += 1) view.setUint8(at + n, word.charCodeAt(n)); };
  text(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, bytes.length - 44, true);
  for (let n = 0; n < loud; n += 1) view.setInt16(44 + 2 * (silent + n), Math.round(Math.sin(n * 0.35) * level * 32_767), true);
  return bytes;
}
