/** Pictures of pages: taken when nothing moves any more, kept as small PNG files, compared pixel by pixel. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";

/** Largest share of pixels that may differ. */
export const DIFFERENCE_MAX = 0.001;

/** Fonts of `tokens.css` that Debian has. */
const FAMILIES = ["sans-serif", "Noto Sans CJK SC", "monospace", "system-ui"];

/** What draws the pages here: the browser's version and the fonts' files. Pictures of another machine are not compared. */
export function drawnBy(browser: Browser): Record<string, string> {
  const fonts = FAMILIES.map((family) => {
    const file = execFileSync("fc-match", ["-f", "%{file}", `${family}:lang=zh-cn`], { encoding: "utf8" });
    return [family, `${file.split("/").at(-1)} ${createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 16)}`];
  });
  return { chromium: browser.version(), platform: `${process.platform} ${process.arch}`, ...Object.fromEntries(fonts) };
}

/** A picture of the window once two in a row are the same. */
export async function still(page: Page): Promise<Buffer> {
  // Plots are drawn by code that comes after the page.
  await page.waitForFunction(() => [...document.querySelectorAll("figure.plot")].every((it) => it.querySelector("canvas, table") !== null), undefined, { timeout: 5_000 });
  const take = () => page.screenshot({ animations: "disabled", caret: "hide" });
  let last = await take();
  for (let n = 0; n < 60; n += 1) {
    const next = await take();
    if (next.equals(last)) return next;
    last = next;
  }
  throw new Error("the page goes on moving");
}

function chunk(name: string, data: Buffer): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(name, 4, "latin1");
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** The 256 colours that are used most, by their pixels; every other colour of the picture with the nearest of them. */
function paletteOf(data: Buffer): Map<number, number> {
  const pixels = new Map<number, number>();
  for (let at = 0; at < data.length; at += 4) {
    const colour = data.readUIntBE(at, 3);
    pixels.set(colour, (pixels.get(colour) ?? 0) + 1);
  }
  const byUse = [...pixels.keys()].sort((a, b) => (pixels.get(b) ?? 0) - (pixels.get(a) ?? 0));
  const kept = byUse.slice(0, 256);
  const places = new Map(kept.map((colour, place) => [colour, place]));
  const part = (colour: number, shift: number) => (colour >> shift) & 255;
  const distance = (a: number, b: number) => [0, 8, 16].reduce((sum, shift) => sum + (part(a, shift) - part(b, shift)) ** 2, 0);
  for (const colour of byUse.slice(256)) {
    let best = 0;
    for (let place = 1; place < kept.length; place += 1) if (distance(colour, kept[place] ?? 0) < distance(colour, kept[best] ?? 0)) best = place;
    places.set(colour, best);
  }
  return places;
}

/** The picture as PNG with at most 256 colours: a quarter of the size, and hardly a pixel is another one. */
export function small(picture: Buffer): Buffer {
  const { width, height, data } = PNG.sync.read(picture);
  const places = paletteOf(data);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    // Each row begins with its filter: none.
    for (let x = 0; x < width; x += 1) rows[y * (width + 1) + 1 + x] = places.get(data.readUIntBE(4 * (y * width + x), 3)) ?? 0;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const palette = Buffer.from([...places.keys()].slice(0, 256).flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("PLTE", palette), chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

/** Keeps the picture in this file. */
export function keep(file: string, picture: Buffer): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, small(picture));
}

/**
 * Compares a picture with the kept one. `undefined` = the same; else what is wrong. The picture, and one that shows the difference in
 * red, are left in `out`.
 */
export function compare(kept: string, picture: Buffer, out: string): string | undefined {
  if (!existsSync(kept)) return `no picture is kept: ${kept}`;
  const [before, now] = [PNG.sync.read(readFileSync(kept)), PNG.sync.read(picture)];
  const name = out.replace(/\.png$/, "");
  rmSync(`${name}.difference.png`, { force: true });
  mkdirSync(dirname(out), { recursive: true });
  if (before.width !== now.width || before.height !== now.height) {
    writeFileSync(out, picture);
    return `${before.width}x${before.height} before, ${now.width}x${now.height} now: ${out}`;
  }
  const drawn = new PNG({ width: now.width, height: now.height });
  const pixels = pixelmatch(before.data, now.data, drawn.data, now.width, now.height, { threshold: 0.1 });
  const share = pixels / (now.width * now.height);
  if (share <= DIFFERENCE_MAX) return undefined;
  writeFileSync(out, picture);
  writeFileSync(`${name}.difference.png`, PNG.sync.write(drawn));
  return `${(share * 100).toFixed(2)} % of the pixels differ: ${name}.difference.png`;
}
