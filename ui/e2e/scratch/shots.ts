import { launch, signIn, visitor } from "../lib/browser";
import { PEOPLE, startService } from "../lib/service";
const service = await startService();
const browser = await launch();
const api = async (m: string, p: string, b?: unknown) => { try { return await service.api(PEOPLE.manager, m, p, b); } catch (e) { return String(e); } };
const show = (n: string, v: unknown) => console.log(n, typeof v === "string" ? v.slice(0, 600) : JSON.stringify(v).slice(0, 900));
show("list", ((await api("GET", "/campaigns")) as { items: unknown }).items ?? "no items");
show("one", await api("GET", "/campaigns/jade-garden-vote"));
show("checklist", await api("GET", "/campaigns/jade-garden-vote/checklist"));
show("versions", await api("GET", "/campaigns/jade-garden-vote/versions"));
show("dry", await api("PATCH", "/campaigns/jade-garden-vote?dry_run=true", { fields: { calling: { ring_secs: 20 } } }));
show("decisions", await api("GET", "/campaigns/jade-garden-vote/decisions"));
for (const look of [{ language: "zh", theme: "light" }, { language: "en", theme: "dark" }] as const) {
  const { page, faults, context } = await visitor(browser, service.url, look);
  page.on("dialog", (d) => void d.accept());
  await signIn(page, PEOPLE.manager.login, PEOPLE.manager.password);
  const shot = async (name: string, full = false) => { await page.waitForTimeout(900); await page.screenshot({ path: `/tmp/uiset/${name}.${look.language}.png`, fullPage: full }); };
  for (const [name, path] of [["list", "/campaigns"], ["new", "/campaigns/new"], ["settings", "/campaigns/jade-garden-calls/settings"], ["settings-vote", "/campaigns/jade-garden-vote/settings"], ["toml", "/campaigns/jade-garden-vote/settings?view=toml"], ["start", "/campaigns/jade-garden-calls/start"], ["start-vote", "/campaigns/jade-garden-vote/start"], ["history", "/campaigns/jade-garden-vote/history"], ["live", "/campaigns/jade-garden-vote/live"]] as const) {
    await page.goto(path);
    await shot(name, true);
  }
  console.log(look.language, faults);
  await context.close();
}
await browser.close();
await service.stop();
