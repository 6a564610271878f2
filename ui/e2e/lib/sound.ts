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

/** A WAV file of two people who speak by turns: the callee on the left, the other side on the right. */
export function conversation(secs: number): Uint8Array<ArrayBuffer> {
  const frames = Math.round(secs * RATE);
  const bytes = new Uint8Array(44 + 4 * frames);
  bytes.set(tone({ before: 0, secs: 0, level: 0 }));
  const view = new DataView(bytes.buffer);
  view.setUint32(4, bytes.length - 8, true);
  view.setUint16(22, 2, true);
  view.setUint32(28, 4 * RATE, true);
  view.setUint16(32, 4, true);
  view.setUint32(40, bytes.length - 44, true);
  for (let n = 0; n < frames; n += 1) {
    const isLeft = Math.floor(n / RATE / 1.5) % 2 === 0;
    const sample = Math.round(Math.sin(n * 0.35) * (0.3 + 0.2 * Math.sin(n / 900)) * 32_767);
    view.setInt16(44 + 4 * n, isLeft ? sample : 0, true);
    view.setInt16(46 + 4 * n, isLeft ? 0 : sample, true);
  }
  return bytes;
}
