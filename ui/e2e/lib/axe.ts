import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  id: string;
  nodes: { html: string; any: { message: string }[] }[];
}

/** Runs axe, and measures sideways scrolling; `name` is said where either finds something. */
export async function expectAccessible(page: Page, name: string): Promise<void> {
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  // The page's policy refuses `eval`; what the debugger evaluates is not the page's.
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const found = await (window as unknown as { axe: { run: (root: Document) => Promise<{ violations: Violation[] }> } }).axe.run(document);
    return found.violations.map((it) => `${it.id}: ${it.nodes.map((node) => `${node.html.slice(0, 160)} ${node.any.map((any) => any.message).join("; ")}`).join(" | ")}`);
  });
  expect(violations.join("\n"), name).toBe("");
  expect(isWide, `${name} is wider than the window`).toBe(false);
}
