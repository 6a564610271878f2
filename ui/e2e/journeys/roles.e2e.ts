/** Journey 18: every role at the address of every page, and every refusal in both languages: the page, or the right that it takes. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { signIn } from "../lib/browser";
import { journey } from "../lib/journey";
import { PEOPLE, type Account } from "../lib/service";

const AUDITOR: Account = { login: "xujing", password: "quiet-ledger-77", role: "auditor" };

const its = journey({}, async (service) => {
  await service.api(PEOPLE.admin, "POST", "/agents", { number: "8009", name: "徐静", login: AUDITOR.login, password: AUDITOR.password, role: "auditor", recorded: false, skills: [], groups: [] });
});

type Role = Account["role"];
const READERS: Role[] = ["admin", "manager", "lead", "analyst", "auditor"];
const MANAGERS: Role[] = ["admin", "manager"];

/** Who may open each page, by hand: the service's table of rights and the pages' own are both held against it. */
const PAGES: [path: string, roles: Role[]][] = [
  ["/today", READERS], ["/campaigns", READERS], ["/campaigns/new", MANAGERS],
  ["/campaigns/jade-garden-vote/live", READERS], ["/campaigns/jade-garden-vote/leads", READERS], ["/campaigns/jade-garden-vote/lists", MANAGERS],
  ["/campaigns/jade-garden-vote/lists/1", MANAGERS], ["/campaigns/jade-garden-vote/settings", READERS], ["/campaigns/jade-garden-vote/start", READERS],
  ["/campaigns/jade-garden-vote/history", READERS], ["/campaigns/jade-garden-vote/results", READERS],
  ["/desk", ["admin", "manager", "lead", "agent"]], ["/desk/log", ["admin", "manager", "lead", "agent"]],
  ["/floor", ["admin", "manager", "lead", "analyst"]], ["/results", READERS],
  ["/people", ["admin", "manager", "lead", "auditor"]], ["/people/new", MANAGERS], ["/people/8101/edit", MANAGERS],
  ["/groups", ["admin", "manager", "lead", "auditor"]], ["/groups/new", MANAGERS], ["/groups/jade-garden/edit", MANAGERS],
  ["/audio", MANAGERS], ["/caller-ids", MANAGERS], ["/approvals", MANAGERS], ["/blacklist", READERS], ["/schedule", READERS],
  ["/settings", ["admin"]], ["/config", []], ["/tokens", MANAGERS], ["/audit", ["admin", "auditor"]], ["/health", MANAGERS],
];

const ROLES: Account[] = [PEOPLE.admin, PEOPLE.manager, PEOPLE.lead, PEOPLE.analyst, AUDITOR, PEOPLE.agent];
/** What the frame asks for, whatever the page. */
const OF_FRAME = /^\/api\/v1\/(me|live|approvals|sign-in)\b/;

/** `page`, or the sentence of a page that is refused. */
async function outcome(page: Page, forbidden: RegExp): Promise<string> {
  const refusal = page.locator("main .status[role=alert] h1");
  // Every page has one heading of the first rank: its own, or the refusal's.
  await page.locator("main h1").first().waitFor();
  const words = (await refusal.count()) > 0 ? ((await refusal.first().textContent()) ?? "") : "";
  return forbidden.test(words) ? "forbidden" : "page";
}

describe.each([
  { language: "zh", forbidden: /^这里需要“.+”权限/ },
  { language: "en", forbidden: /^This needs the right “.+”/ },
] as const)("in $language", ({ language, forbidden }) => {
  test.each(ROLES)("$role", async (who) => {
    const { page, faults, context } = await its.visit({ language, theme: "light" });
    await signIn(page, who.login, who.password);
    const { rights } = (await its.service.api(who, "GET", "/me")) as { rights: string[] };
    const wrong: string[] = [];
    let asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    // What a page itself shows in English is held by the screens.
    for (const [path, roles] of PAGES.filter(([, roles]) => language === "zh" || !roles.includes(who.role))) {
      // What the page before still asks for is not this one's.
      await page.goto("about:blank");
      asked = [];
      await page.goto(path);
      const is = await outcome(page, forbidden);
      // The first account, here the manager's, runs the installation.
      const may = roles.includes(who.role) || (["/config", "/audit"].includes(path) && rights.includes("system.read"));
      if ((is === "page") !== may) wrong.push(`${path}: ${is}`);
      const data = asked.filter((it) => it.startsWith("/api/") && !OF_FRAME.test(it));
      if (is === "forbidden" && data.length > 0) wrong.push(`${path}: forbidden, and asked for ${data.join(", ")}`);
    }
    expect(wrong).toEqual([]);
    expect(faults).toEqual([]);
    await context.close();
  });
});
