/** A picture of a page in `out/`, and what axe and the window say of it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { Look } from "./browser";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const OUT = new URL("../out/", import.meta.url).pathname;

interface Violation {
  id: string;
  nodes: { html: string; any: { message: string }[] }[];
}

/** Runs axe, measures sideways scrolling, takes the picture. */
export async function look(page: Page, name: string, { language, theme }: Look): Promise<void> {
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  await page.screenshot({ path: `${OUT}${name}.${language}.${theme}.png` });
  // The page's policy refuses `eval`; what the debugger evaluates is not the page's.
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const found = await (window as unknown as { axe: { run: (root: Document) => Promise<{ violations: Violation[] }> } }).axe.run(document);
    return found.violations.map((it) => `${it.id}: ${it.nodes.map((node) => `${node.html.slice(0, 160)} ${node.any.map((any) => any.message).join("; ")}`).join(" | ")}`);
  });
  expect(violations, `${name} ${language} ${theme}`).toEqual([]);
  expect(isWide, `${name} is wider than the window`).toBe(false);
}

// Two of the four hold every text and every colour.
const TWO: Look[] = [{ language: "zh", theme: "light" }, { language: "en", theme: "dark" }];
export const LOOKS: Look[] = process.env["PACELINE_LOOKS"] === "all" ? [...TWO, { language: "zh", theme: "dark" }, { language: "en", theme: "light" }] : TWO;
