/**
 * Every screen compared with its kept picture, over recorded answers of the program: what differs is the page. `PACELINE_PICTURES`:
 * empty = Chinese light; `all` = all four looks; `keep`, `update` = keeps new pictures of the first, or of all four; `record` = records the answers alone.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page, Request } from "playwright-core";
import { afterAll, beforeAll, describe, test } from "vitest";
import { expectAccessible } from "../lib/axe";
import { launch, visitor, type Look } from "../lib/browser";
import { compare, drawnBy, keep, still } from "../lib/picture";
import { readRecording, startReplay, writeRecording, type Recording, type Replay } from "../lib/replay";
import { PEOPLE, startService, until, type Service } from "../lib/service";
import { addCallerIds, addSounds, makeExports, recordCall, sendLists } from "./data";
import { SCREENS, STATES, type Screen } from "./list";

const MODE = process.env["PACELINE_PICTURES"] ?? "";
const KEPT = new URL("../pictures/", import.meta.url).pathname;
const OUT = new URL("../out/", import.meta.url).pathname;
const MACHINE = join(KEPT, "drawn-by.json");
const isKeeping = MODE === "update" || MODE === "keep";

const ZH_LIGHT: Look = { language: "zh", theme: "light" };
const EN_DARK: Look = { language: "en", theme: "dark" };
// Chinese light is kept in the repository; the pictures of the others, three times as much, stay on the machine that made them.
const LOOKS: Look[] = MODE === "" || MODE === "keep" ? [ZH_LIGHT] : MODE === "record" ? [ZH_LIGHT, EN_DARK] : [ZH_LIGHT, EN_DARK, { language: "zh", theme: "dark" }, { language: "en", theme: "light" }];
const ONLY = process.env["PACELINE_SCREEN"] ?? "";

let browser: Browser;
let services: Service[] = [];
let replay: Replay;
let recording: Recording;
let isSameMachine = true;

beforeAll(async () => {
  browser = await launch();
  const drawn = JSON.stringify(drawnBy(browser), null, 2);
  if (isKeeping) writeFileSync(MACHINE, `${drawn}\n`);
  else isSameMachine = existsSync(MACHINE) && readFileSync(MACHINE, "utf8").trim() === drawn;
  if (!isSameMachine) console.warn(`\n*** PICTURES ARE NOT COMPARED: this machine draws with ${drawn}\nthe kept pictures were drawn with ${existsSync(MACHINE) ? readFileSync(MACHINE, "utf8") : "nothing"}*** after looking at them, keep new ones: make screens UPDATE=1\n`);
  if (MODE === "record") return record();
  const pages = await startService({ campaigns: false, people: false });
  services = [pages];
  const known = readRecording();
  if (known === undefined) throw new Error("no answers are recorded: make screens UPDATE=record");
  recording = known;
  replay = await startReplay(pages.url, recording);
}, 600_000);

afterAll(async () => {
  await browser?.close();
  await replay?.close();
  await Promise.all(services.map((it) => it.stop()));
});

/** Starts the programs whose answers are recorded, and lets them call for a while. */
async function record(): Promise<void> {
  const [full, empty, fresh] = await Promise.all([startService(), startService({ campaigns: false }), startService({ campaigns: false, people: false })]);
  services = [full, empty, fresh];
  await sendLists(full);
  await addSounds(full);
  await addCallerIds(full);
  await makeExports(full);
  await until(async () => ((await full.api(PEOPLE.manager, "GET", "/calls?outcome=answered&limit=100")) as { calls: unknown[] }).calls.length >= 100, "the plots have something to show", 500_000);
  await recordCall(full);
  const source = (service: Service) => ({
    url: service.url,
    cookie: async (login: string) => {
      const who = Object.values(PEOPLE).find((it) => it.login === login);
      return who === undefined ? "" : service.cookie(who);
    },
  });
  recording = { at: Date.now(), answers: {}, live: {} };
  replay = await startReplay(full.url, recording, { full: source(full), empty: source(empty), fresh: source(fresh) });
}

/** What each page waits for: scripts, styles, answers. The stream never ends, and what a rule holds is not waited for. */
const pending = new WeakMap<Page, Set<Request>>();

function countRequests(page: Page): void {
  const open = new Set<Request>();
  pending.set(page, open);
  page.on("request", (request) => {
    const path = new URL(request.url()).pathname;
    if (path !== "/api/v1/live" && replay.rule(path) !== "hold") open.add(request);
  });
  page.on("requestfinished", (request) => void open.delete(request));
  page.on("requestfailed", (request) => void open.delete(request));
}

/** Every answer is there and drawn: two frames in a row without a request that is open. */
async function settled(page: Page): Promise<void> {
  const open = pending.get(page) ?? new Set();
  for (let quiet = 0, frames = 0; quiet < 2; frames += 1) {
    if (frames > 600) throw new Error(`the page goes on asking for ${[...open].map((it) => it.url()).join(", ")}`);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
    quiet = open.size === 0 ? quiet + 1 : 0;
  }
}

/** A browser of this account that stands at the recorded moment. */
async function open(of: string, it: Look): Promise<{ context: BrowserContext; page: Page; faults: string[] }> {
  const made = await visitor(browser, replay.url, it);
  await made.context.addCookies([{ name: "replay", value: of, url: replay.url }]);
  // A worker has a clock of its own; without it the page reads the stream by itself.
  await made.context.addInitScript("delete globalThis.SharedWorker");
  // Answers are at hand: a state that does not come within this time does not come, on a busy machine either.
  made.page.setDefaultTimeout(20_000);
  await made.page.clock.setFixedTime(recording.at);
  countRequests(made.page);
  made.page.on("dialog", (dialog) => void dialog.accept());
  return made;
}

async function look(page: Page, name: string, it: Look): Promise<string[]> {
  const file = `${name}.${it.language}.${it.theme}.png`;
  const isInRepository = it === ZH_LIGHT;
  const kept = join(isInRepository ? KEPT : join(OUT, "kept"), file);
  const wrong: string[] = [];
  const picture = await settled(page).then(() => still(page)).catch((error: Error) => void wrong.push(`${file}: ${error.message}`));
  if (picture !== undefined) {
    // A few pixels differ from run to run: a kept picture is replaced where the page is another.
    if (!existsSync(kept) ? isKeeping || !isInRepository : isKeeping && compare(kept, picture, join(OUT, file)) !== undefined) keep(kept, picture);
    else if (isSameMachine && !isKeeping) {
      const difference = compare(kept, picture, join(OUT, file));
      if (difference !== undefined) wrong.push(`${name}: ${difference}`);
    }
  }
  await expectAccessible(page, file).catch((error: Error) => wrong.push(`${file}: ${error.message}`));
  return wrong;
}

/** One screen of an open browser. */
async function show(page: Page, screen: Screen): Promise<void> {
  replay.rule = (path) => screen.rule?.(path.replace(/^\/api\/v1/, "").split("?")[0] ?? "");
  replay.setLive(true);
  await page.clock.setFixedTime(recording.at);
  pending.get(page)?.clear();
  await page.goto(screen.path);
  if (screen.isOutside !== true) await page.locator('[data-testid="live-state"].live').waitFor();
  await screen.reach(page, { expire: () => { replay.rule = () => "expire"; }, loseStream: async (secs) => {
    replay.setLive(false);
    await page.locator('[data-testid="live-state"].lost').waitFor();
    await page.clock.setFixedTime(recording.at + secs * 1_000);
  } });
}

/** What is wrong with this screen: `drawn` may come of the moment, `sure` is wrong in any. */
async function seen(page: Page, screen: Screen, it: Look, faults: string[]): Promise<{ drawn: string[]; sure: string[] }> {
  replay.missing.length = 0;
  const drawn: string[] = [];
  await show(page, screen).catch((error: Error) => drawn.push(`${screen.name}: ${error.message}`));
  // Of a screen that was not reached no picture is kept.
  if (MODE !== "record" && drawn.length === 0) drawn.push(...(await look(page, screen.name, it)));
  const sure = faults.splice(0).map((fault) => `${screen.name}: ${fault}`);
  if (replay.missing.length > 0) sure.push(`${screen.name}: nothing recorded for ${replay.missing.join(", ")}; make screens UPDATE=record`);
  replay.rule = () => undefined;
  // The page goes first, or it would ask again for what is cut.
  await page.goto("about:blank");
  replay.release();
  return { drawn, sure };
}

/** A page that changed is another one at every look; what a busy machine drew at another moment is right at one of three. */
async function wrongWith(page: Page, screen: Screen, it: Look, faults: string[]): Promise<string[]> {
  const found: string[] = [];
  for (let left = MODE === "" ? 2 : 0; ; left -= 1) {
    const { drawn, sure } = await seen(page, screen, it, faults);
    found.push(...sure);
    if (drawn.length === 0) return found;
    if (left === 0) return [...found, ...drawn];
    console.warn(`${screen.name} is looked at again: ${drawn.join("; ")}`);
  }
}

const of = (screen: Screen) => `${screen.service ?? "full"}.${screen.isOutside === true ? "nobody" : (screen.who ?? PEOPLE.manager).login}`;

describe.each(LOOKS)("$language $theme", (it) => {
  // What is held or refused needs no answer.
  const all = [...SCREENS, ...STATES].filter((screen) => MODE !== "record" || screen.rule === undefined);
  const screens = all.filter((screen) => ONLY === "" || screen.name.startsWith(ONLY));
  test.each([...new Set(screens.map(of))])("screens of %s", async (account) => {
    const wrong: string[] = [];
    const { page, faults, context } = await open(account, it);
    for (const screen of screens.filter((screen) => of(screen) === account)) {
      const problems = await wrongWith(page, screen, it, faults);
      if (problems.length > 0) console.error(problems.join("\n"));
      wrong.push(...problems);
    }
    await context.close();
    // The text of an error is printed whole, a long list is not.
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
  }, 600_000);
  // Looks that only differ in colour and words ask for what the first two asked for.
  test("what was recorded is kept", () => {
    if (MODE === "record" && it === EN_DARK) writeRecording(recording);
  });
});
