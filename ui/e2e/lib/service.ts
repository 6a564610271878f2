/** The real program on the simulated carrier, in a folder of its own, with people and campaigns: what the journeys drive. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../../..");

export interface Account {
  login: string;
  password: string;
  role: "admin" | "manager" | "lead" | "analyst" | "auditor" | "agent";
}

export const PEOPLE: Record<"admin" | "manager" | "lead" | "analyst" | "agent" | "colleague", Account> = {
  admin: { login: "sunhao", password: "copper-harbour-5", role: "admin" },
  manager: { login: "wangmin", password: "kite-lantern-42", role: "manager" },
  lead: { login: "zhaoqiang", password: "river-stone-17", role: "lead" },
  analyst: { login: "linyu", password: "paper-crane-63", role: "analyst" },
  agent: { login: "chenmei", password: "green-willow-8", role: "agent" },
  /** A second manager, who approves what the first one uploads. */
  colleague: { login: "liuyun", password: "amber-sparrow-29", role: "manager" },
};

const NAMES: Record<string, string> = { sunhao: "孙浩", wangmin: "王敏", zhaoqiang: "赵强", linyu: "林雨", chenmei: "陈梅", liuyun: "刘云" };

export interface Service {
  url: string;
  dir: string;
  /** Runs one request as this account; bytes are sent as a file. */
  api: (who: Account, method: string, path: string, body?: unknown) => Promise<unknown>;
  /** Sends a file as this account. */
  upload: (who: Account, path: string, file: Uint8Array<ArrayBuffer>) => Promise<unknown>;
  /** The session cookie of this account. */
  cookie: (who: Account) => Promise<string>;
  /** Sets a switch of every organisation that no route sets yet, in the store itself. */
  setSwitch: (name: "approve_audio" | "approve_lists", isOn: boolean) => void;
  /** Runs statements in the store itself, for what no route does, such as calls of the past. */
  sql: (statements: string) => void;
  /** Ends the process and deletes its folder. */
  stop: () => Promise<void>;
  /** What the program wrote, its last 8,000 characters. */
  log: () => string;
  /** Ends the process at once, as a crash does; `start` brings it back on the same port. */
  kill: () => Promise<void>;
  start: () => Promise<void>;
}

/** The program: `PACELINE_BIN`, else the debug build of this repository. */
export function program(): string {
  const given = process.env["PACELINE_BIN"];
  if (given) return given;
  const metadata = JSON.parse(execFileSync("cargo", ["metadata", "--format-version", "1", "--no-deps"], { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 26 })) as { target_directory: string };
  return join(metadata.target_directory, "debug", "paceline");
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** A range of UDP ports of which both ends are free now. */
async function freeRange(size: number): Promise<[number, number]> {
  for (let tries = 0; tries < 100; tries += 1) {
    const first = 20_000 + 2 * Math.floor(Math.random() * 20_000);
    const ends = await Promise.all([first, first + size].map(isFree));
    if (ends.every(Boolean)) return [first, first + size];
  }
  throw new Error("no free range of UDP ports");
}

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  const free = await new Promise<boolean>((done) => {
    socket.once("error", () => done(false));
    socket.bind(port, "127.0.0.1", () => done(true));
  });
  socket.close();
  return free;
}

/** So many fictional owners, one a row; numbers in 154, a range given to nobody. `area` = with the floor area of each flat. */
function list(rows: number, area = false): string {
  const lines = [area ? "姓名,手机号码,房号,面积" : "姓名,手机号码,房号"];
  for (let n = 0; n < rows; n += 1) lines.push(`业主${n},154${String(10_000_000 + n * 7).padStart(8, "0")},${1 + (n % 9)}栋-1-${String(101 + n).padStart(4, "0")}${area ? `,${60 + (n % 80)}.5` : ""}`);
  return `\ufeff${lines.join("\n")}\n`;
}

function writeCampaigns(dir: string, records: boolean): void {
  for (const name of ["vote", "calls"]) mkdirSync(join(dir, "campaigns", name), { recursive: true });
  const samples = join(ROOT, "campaigns");
  const vote = readFileSync(join(samples, "jade-garden/campaign.toml"), "utf8")
    .replace('blacklists = ["../blacklist.csv"]\n', "").replace("concurrency_max = 120", "concurrency_max = 40").replace("calls_per_sec = 20.0", "calls_per_sec = 4.0");
  writeFileSync(join(dir, "campaigns/vote/campaign.toml"), vote);
  writeFileSync(join(dir, "campaigns/vote/list.csv"), list(8_000, true));
  for (const sound of ["notice.mp3", "sorry.wav"]) writeFileSync(join(dir, "campaigns/vote", sound), readFileSync(join(samples, "jade-garden", sound)));
  const calls = readFileSync(join(samples, "jade-garden-calls/campaign.toml"), "utf8").replace('blacklists = ["../blacklist.csv"]\n', "").replace('record = "never"', records ? 'record = "all"' : 'record = "never"');
  writeFileSync(join(dir, "campaigns/calls/campaign.toml"), calls);
  writeFileSync(join(dir, "campaigns/calls/list.csv"), list(3_000));
}

/** The sample's callees, who answer at night as they do by day: no journey depends on the hour at which it runs. */
function wakeful(): string {
  const people = readFileSync(join(ROOT, "campaigns/people.toml"), "utf8");
  const awake = people.replace(/(\[hours\][^[]*\nanswer = )\[[^\]]*\]/, "$1[]");
  if (awake === people) throw new Error("campaigns/people.toml says nothing of hours");
  return awake;
}

/** Callees who all answer at once and talk for minutes: calls of a desk's journey end when the agent ends them. */
export const PATIENT = `
seed = 2026
[shares]
answer = 1.0
voicemail = 0.0
busy = 0.0
no_answer = 0.0
reject = 0.0
powered_off = 0.0
unreachable = 0.0
vacant = 0.0
suspended = 0.0
restricted = 0.0
[blocked]
prefixes = []
share = 0.0
[post_dial]
delay = { median_secs = 0.3, sigma = 0.1, min_secs = 0.2, max_secs = 1 }
[ring]
until_answer = { median_secs = 0.5, sigma = 0.1, min_secs = 0.2, max_secs = 1 }
[talk]
time = { median_secs = 400, sigma = 0.1, min_secs = 300, max_secs = 600 }
[hours]
answer = []
`;

interface ServiceOptions {
  /** Without them the service is empty. */
  campaigns?: boolean;
  people?: boolean;
  port?: number;
  /** Conversations are recorded, and the journal is kept. */
  records?: boolean;
  /** Whom the simulated carrier rings, as its TOML; without it the sample's people, awake at every hour. */
  callees?: string;
  /** Whether the agents on telephones work too. */
  workers?: boolean;
}

/** Starts the program with two campaigns and four accounts. */
export async function startService({ campaigns = true, people = true, port, records = false, callees, workers = true }: ServiceOptions = {}): Promise<Service> {
  const dir = mkdtempSync(join(tmpdir(), "paceline-e2e-"));
  const bin = program();
  const http = port ?? (await freePort());
  const [first, last] = await freeRange(1_000);
  writeCampaigns(dir, records);
  writeFileSync(join(dir, "people.toml"), callees ?? wakeful());
  writeFileSync(join(dir, "paceline.toml"), [
    "[store]", `url = "sqlite://${join(dir, "paceline.db")}"`, records ? `journal = "${join(dir, "journal")}"` : 'journal = "off"',
    "[files]", "free_gib_min = 0", "free_pct_min = 0",
    "[http]", `listen = "127.0.0.1:${http}"`, "[sip]", 'listen = ["udp://127.0.0.1:0"]',
    "[rtp]", `ports = [${first}, ${last}]`, "",
  ].join("\n"));
  const run = (args: string[], input: string) => execFileSync(bin, args, { cwd: dir, input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
  const url = `http://127.0.0.1:${http}`;
  let child: ChildProcess | undefined;
  let log = "";
  const start = async () => {
    const files = campaigns ? ["campaigns/vote/campaign.toml", "campaigns/calls/campaign.toml"] : [];
    const started = spawn(bin, ["serve", ...files, "--campaigns", "campaigns", "--people", "people.toml"], { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
    child = started;
    for (const stream of [started.stdout, started.stderr]) stream.on("data", (data: Buffer) => { log = (log + data.toString()).slice(-8_000); });
    await until(async () => {
      if (started.exitCode !== null) throw new Error(`the service ended with ${started.exitCode}:\n${log}`);
      return fetch(`${url}/healthz`).then((answer) => answer.ok, () => false);
    }, "the service answers");
  };
  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    if (!ending || ending.exitCode !== null) return;
    const ended = new Promise((done) => ending.once("exit", done));
    ending.kill(signal);
    await ended;
  };
  if (people) {
    for (const [{ login, password, role }, number] of [[PEOPLE.manager, "8001"], [PEOPLE.admin, "8000"]] as const) {
      run(["user", "add", login, "--name", NAMES[login] ?? login, "--role", role, "--number", number, "--password-stdin"], `${password}\n`);
    }
  }
  const cookies = new Map<string, string>();
  const cookie = async (who: Account): Promise<string> => {
    if (!cookies.has(who.login)) {
      const answer = await fetch(`${url}/api/v1/sign-in`, { method: "POST", headers: { "Content-Type": "application/json", Origin: url }, body: JSON.stringify({ login: who.login, password: who.password }) });
      if (!answer.ok) throw new Error(`${who.login} cannot sign in: ${answer.status} ${await answer.text()}`);
      cookies.set(who.login, (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "");
    }
    return cookies.get(who.login) ?? "";
  };
  const ask = async (who: Account, method: string, path: string, type: string, body: BodyInit | undefined): Promise<unknown> => {
    const headers: Record<string, string> = { Cookie: await cookie(who), Origin: url, "Idempotency-Key": randomUUID() };
    if (body !== undefined) headers["Content-Type"] = type;
    const answer = await fetch(`${url}/api/v1${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  const api = (who: Account, method: string, path: string, body?: unknown) => body instanceof Uint8Array ? ask(who, method, path, "application/octet-stream", new Uint8Array(body)) : ask(who, method, path, "application/json", body === undefined ? undefined : JSON.stringify(body));
  const upload = (who: Account, path: string, file: Uint8Array<ArrayBuffer>) => ask(who, "POST", path, "application/octet-stream", file);
  const sql = (statements: string) => void execFileSync("sqlite3", ["-cmd", ".timeout 10000", join(dir, "paceline.db")], { input: `.bail on\n${statements}` });
  const setSwitch = (name: string, isOn: boolean) => sql(`update organisation set settings = json_set(settings, '$.${name}', json('${isOn}'));`);
  try {
    await start();
    if (people) {
      // The service answers before its campaigns are open.
      const wanted = campaigns ? 2 : 0;
      await until(async () => ((await api(PEOPLE.manager, "GET", "/campaigns")) as { campaigns: unknown[] }).campaigns.length === wanted, "the campaigns are open");
      await addPeople(api, campaigns, workers);
    }
  } catch (error) {
    await end("SIGKILL");
    throw error;
  }
  return {
    url, dir, api, upload, cookie, setSwitch, sql, start,
    log: () => log,
    kill: () => end("SIGKILL"),
    stop: async () => {
      await end("SIGKILL");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The other accounts, and agents who work on ordinary telephones: the simulated carrier rings those. */
async function addPeople(api: Service["api"], hasGroup: boolean, workers: boolean): Promise<void> {
  const groups = hasGroup ? ["jade-garden"] : [];
  // Numbers are given: drawn ones could be those of the agents below.
  for (const [n, { login, password, role }] of [PEOPLE.lead, PEOPLE.analyst, PEOPLE.agent, PEOPLE.colleague].entries()) {
    const works = role === "lead" || role === "agent";
    await api(PEOPLE.manager, "POST", "/agents", { number: String(8002 + n), name: NAMES[login] ?? login, login, password, role, recorded: false, skills: [], groups: works ? groups : [] });
  }
  if (!hasGroup) return;
  await api(PEOPLE.manager, "PATCH", "/groups/jade-garden", { telephones: true });
  if (!workers) return;
  for (const [n, name] of ["刘洋", "孙丽", "周涛", "吴静", "郑浩", "何雪"].entries()) {
    const number = String(8101 + n);
    await api(PEOPLE.manager, "POST", "/agents", { number, name, login: number, password: "worker-bee-5", role: "agent", recorded: false, skills: [], groups, telephone: `1379000000${n}`, phone: false });
    const who: Account = { login: number, password: "worker-bee-5", role: "agent" };
    await api(who, "POST", "/me/actions", { action: "sign_in", endpoint: "telephone", holding: "per_call" });
    await api(who, "POST", "/me/actions", n === 3 ? { action: "pause", reason: "用餐" } : { action: "ready" });
  }
}

/** Asks until it is so; 30 s at most. */
export async function until(ask: () => Promise<boolean>, what: string, wait = 30_000): Promise<void> {
  const end = Date.now() + wait;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`not within ${wait / 1000} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
