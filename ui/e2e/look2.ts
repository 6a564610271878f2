import { launch, signIn, visitor } from "./lib/browser";
import { PEOPLE } from "./lib/service";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const url = process.env["URL2"] ?? "http://127.0.0.1:18092";
const shots = process.argv.slice(3);
const browser = await launch();
const who = PEOPLE[(process.env["WHO"] ?? "manager") as "manager"];
for (const look of [{ language: "zh", theme: "light" }, { language: "en", theme: "dark" }] as const) {
  const { page, faults, context } = await visitor(browser, url, look);
  if (process.env["MOCK"]) { const { mock } = await import(process.env["MOCK"]); await mock(page); }
  await signIn(page, who.login, who.password);
  for (const shot of shots) {
    const [name, path, ...steps] = shot.split("|");
    await page.goto(path!);
    await page.waitForTimeout(Number(process.env["WAIT"] ?? 1500));
    for (const step of steps) {
      const [verb, ...rest] = step.split(" "); const arg = rest.join(" ");
      if (verb === "click") await page.locator(arg).first().click();
      else if (verb === "fill") { const [sel, value] = arg.split("="); await page.locator(sel!).first().fill(value!); }
      else if (verb === "press") await page.keyboard.press(arg);
      else if (verb === "type") await page.keyboard.type(arg);
      else if (verb === "scroll") { const [sel, y] = arg.split("="); await page.locator(sel!).evaluate((e, y) => { e.scrollTop = Number(y); }, y); }
      else if (verb === "hover") await page.locator(arg).first().hover();
      else if (verb === "wait") await page.waitForTimeout(Number(arg));
      await page.waitForTimeout(500);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    await page.screenshot({ path: `/tmp/u2/${name}.${look.language}.png` });
    await page.evaluate(axe);
    const found = await page.evaluate(async () => (await (window as any).axe.run(document)).violations.map((it: any) => `${it.id}: ${it.nodes.slice(0, 3).map((n: any) => n.html.slice(0, 200) + " :: " + n.any.map((a: any) => a.message).join(";")).join(" | ")}`));
    console.log(name, look.language, wide ? "WIDE" : "", found, faults.splice(0));
  }
  await context.close();
}
await browser.close();
