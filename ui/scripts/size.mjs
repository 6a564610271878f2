// Fails if what a page loads first is larger than its budget (CONSOLE.md 7.3): gzip, in kB of 1,000 bytes.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const manifest = JSON.parse(readFileSync("node_modules/.cache/manifest.json", "utf8"));

/** First paint of a page: the entry, the page's chunk, a language, and all that they import at once. */
const BUDGETS = [
  { page: "sign-in", chunk: "src/pages/entry/SignIn.tsx", kb: 176 },
  { page: "today", chunk: "src/pages/today/Today.tsx", kb: 340 },
  { page: "campaigns", chunk: "src/pages/campaigns/Campaigns.tsx", kb: 340 },
  { page: "campaign live", chunk: "src/pages/campaigns/Live.tsx", kb: 340 },
  { page: "new campaign", chunk: "src/pages/campaigns/NewCampaign.tsx", kb: 340 },
  { page: "campaign settings", chunk: "src/pages/campaigns/settings/Settings.tsx", kb: 340 },
  { page: "campaign start", chunk: "src/pages/campaigns/start/Start.tsx", kb: 340 },
  { page: "campaign history", chunk: "src/pages/campaigns/history/History.tsx", kb: 340 },
  { page: "campaign results", chunk: "src/pages/campaigns/results/CampaignResults.tsx", kb: 340 },
  { page: "leads", chunk: "src/pages/leads/Leads.tsx", kb: 340 },
  { page: "schedule", chunk: "src/pages/schedule/Schedule.tsx", kb: 340 },
  { page: "settings", chunk: "src/pages/admin/OrganisationSettings.tsx", kb: 340 },
  { page: "configuration", chunk: "src/pages/admin/Node.tsx", kb: 340 },
  { page: "lists", chunk: "src/pages/lists/Lists.tsx", kb: 340 },
  { page: "list wizard", chunk: "src/pages/lists/ListWizard.tsx", kb: 340 },
  { page: "floor", chunk: "src/pages/floor/Floor.tsx", kb: 300 },
  { page: "people", chunk: "src/pages/people/People.tsx", kb: 340 },
  { page: "add people", chunk: "src/pages/people/AddPerson.tsx", kb: 340 },
  { page: "groups", chunk: "src/pages/people/Groups.tsx", kb: 340 },
  { page: "desk", chunk: "src/pages/desk/Desk.tsx", kb: 205 },
  { page: "results", chunk: "src/pages/results/Results.tsx", kb: 340 },
  { page: "sums", chunk: "src/pages/results/sums/Sums.tsx", kb: 340 },
  { page: "exports", chunk: "src/pages/exports/Exports.tsx", kb: 340 },
  { page: "audio", chunk: "src/pages/audio/Audio.tsx", kb: 340 },
  { page: "caller IDs", chunk: "src/pages/caller-ids/CallerIds.tsx", kb: 340 },
  { page: "trunks", chunk: "src/pages/trunks/Trunks.tsx", kb: 340 },
  { page: "approvals", chunk: "src/pages/approvals/Approvals.tsx", kb: 340 },
  { page: "blacklist", chunk: "src/pages/blacklist/Blacklist.tsx", kb: 340 },
  { page: "tokens", chunk: "src/pages/admin/Tokens.tsx", kb: 340 },
  { page: "audit", chunk: "src/pages/admin/Audit.tsx", kb: 340 },
  { page: "health", chunk: "src/pages/admin/Health.tsx", kb: 340 },
];
/** React, the router and TanStack Query. */
const CORE_KB = 115;
/** What the agents' desk itself adds. */
const DESK_KB = 75;

const sizes = new Map();
function size(file) {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(`dist/${file}`), { level: 9 }).length);
  return sizes.get(file);
}

function collect(key, files = new Set()) {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`the build has no ${key}`);
  if (files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const other of chunk.imports ?? []) collect(other, files);
  return files;
}

const larger = (...catalogues) => catalogues.sort((a, b) => size(manifest[b].file) - size(manifest[a].file))[0];
const whole = larger("src/words/zh.ts", "src/words/en.ts");
/** Of who signs in: the other words come with the first page behind it. */
const first = larger("src/words/zh-first.ts", "src/words/en-first.ts");
let isOver = false;
function report(name, bytes, kb) {
  const over = bytes > kb * 1000;
  isOver ||= over;
  console.log(`${over ? "OVER" : "ok  "} ${name.padEnd(17)} ${(bytes / 1000).toFixed(1).padStart(6)} kB of ${kb}`);
}

const core = Object.values(manifest).find((chunk) => chunk.name === "core");
report("core", size(core.file), CORE_KB);
const desk = manifest["src/pages/desk/Desk.tsx"];
report("desk alone", [desk.file, ...(desk.css ?? [])].reduce((sum, file) => sum + size(file), 0), DESK_KB);
for (const { page, chunk, kb } of BUDGETS) {
  const files = collect(chunk, collect(page === "sign-in" ? first : whole, collect("index.html")));
  report(page, [...files].reduce((sum, file) => sum + size(file), 0), kb);
}
if (isOver) {
  console.error("a page is larger than its budget in ui/scripts/size.mjs: load what it does not need at first with import()");
  process.exit(1);
}
