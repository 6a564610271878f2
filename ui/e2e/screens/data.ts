/** Lists, sounds and caller IDs of the full service, in every state that a screen shows. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { gbk } from "../lib/gbk";
import { PEOPLE, until, type Account, type Service } from "../lib/service";
import { conversation, tone } from "../lib/sound";

/** Lists of one campaign, ids 1 to 4: with faults, unreadable, loaded, and one whose rows the campaign has. */
export async function sendLists(full: Service): Promise<void> {
  const rows = Array.from({ length: 60 }, (_, n) => `${1 + (n % 4)},${1 + (n % 2)},${101 + n},业主${n},${n % 9 === 0 ? `1371${n}` : `1371234${String(1000 + n - (n % 10 === 5 ? 1 : 0))}`},${60 + n}`);
  const list = gbk(`楼栋,单元,房号,姓名,手机,面积\r\n${rows.join("\r\n")}\r\n`);
  const send = async (name: string, bytes: Uint8Array) => {
    const { list: { id } } = (await full.api(PEOPLE.manager, "POST", `/campaigns/jade-garden-vote/lists?file_name=${encodeURIComponent(name)}`, bytes)) as { list: { id: number } };
    await until(async () => ((await full.api(PEOPLE.manager, "GET", `/lists/${id}`)) as { state: string }).state !== "checking", `${name} is checked`);
    return id;
  };
  const first = await send("业主名单-3期.csv", list);
  if (first !== 1) throw new Error(`the first list has the id ${first}`);
  await send("说明.txt", Buffer.from("第一列|第二列\n甲|乙\n丙|丁\n"));
  const loaded = await send("补充.csv", Buffer.from("姓名,手机\n赵敏,13712349001\n钱进,13712349002\n"));
  await full.api(PEOPLE.manager, "POST", `/lists/${loaded}/actions`, { action: "load" });
  await until(async () => ((await full.api(PEOPLE.manager, "GET", `/lists/${loaded}`)) as { state: string }).state === "loaded", "the list is loaded");
  await send("补充-重复.csv", Buffer.from("姓名,手机\n赵敏,13712349001\n"));
}

/** Sounds in each state: ready, waiting for either manager, quiet and late, refused, no sound at all. */
export async function addSounds(full: Service): Promise<void> {
  const add = async (who: Account, name: string, bytes: Uint8Array<ArrayBuffer>) => {
    const { id } = (await full.upload(who, `/audio?name=${encodeURIComponent(name)}`, bytes)) as { id: number };
    await until(async () => ((await full.api(who, "GET", `/audio/${id}`)) as { state: string }).state !== "measuring", `${name} is measured`);
    return id;
  };
  const sample = (name: string) => new Uint8Array(readFileSync(new URL(`../../../campaigns/jade-garden/${name}`, import.meta.url)));
  await add(PEOPLE.manager, "notice.mp3", sample("notice.mp3"));
  full.setSwitch("approve_audio", true);
  await add(PEOPLE.manager, "安抚提示(二期).wav", sample("sorry.wav"));
  await add(PEOPLE.colleague, "quiet-and-late.wav", tone({ before: 1.9, secs: 2, level: 0.01 }));
  await add(PEOPLE.colleague, "refused.wav", tone({ before: 0, secs: 1, level: 0.4 }));
  const { items } = (await full.api(PEOPLE.manager, "GET", "/approvals")) as { items: { id: number; title: string }[] };
  await full.api(PEOPLE.manager, "POST", `/approvals/${items.find((it) => it.title === "refused.wav")?.id}/actions`, { action: "refuse", note: "电话号码读错了" });
  await add(PEOPLE.manager, "song.ogg", new TextEncoder().encode("OggS this is no sound that is played"));
}

/** The caller IDs of the campaigns, found in their calls, and numbers in other states; with a week of hours that were judged before. */
export async function addCallerIds(full: Service): Promise<void> {
  const act = (number: string, body: object) => full.api(PEOPLE.manager, "POST", `/caller-ids/${number}/actions`, body);
  const [good, bad, warming, quiet] = ["075512345678", "075587654321", "075588886666", "075588887777"];
  const found = async () => ((await full.api(PEOPLE.manager, "GET", "/caller-ids")) as { items: unknown[] }).items.length;
  await until(async () => (await found()) === 2, "both numbers of the campaigns were shown by calls", 120_000);
  await full.api(PEOPLE.manager, "PATCH", `/caller-ids/${bad}`, { holder: "翠园物业服务有限公司深圳分公司", holder_id: "914403001999999999", carrier: "深圳联通", region: "深圳", per_day_max: 800 });
  await full.api(PEOPLE.manager, "POST", "/caller-ids", { number: warming, holder: "翠园物业", carrier: "深圳电信", region: "深圳", per_day_max: 300 });
  await act(warming, { action: "mark_whitelisted" });
  await act(warming, { action: "bind", agent: "8101" });
  await act(warming, { action: "start_warm_up" });
  await full.api(PEOPLE.manager, "POST", "/caller-ids", { number: quiet, holder: "翠园物业", carrier: "深圳电信", idle_days: 1, note: "只在二期使用" });
  await act(quiet, { action: "resume" });
  await full.api(PEOPLE.manager, "POST", "/caller-ids", { number: "075588885555", holder: "翠园物业" });
  await act("075588885555", { action: "retire" });
  await act(bad, { action: "flag", note: "业主说手机显示骚扰电话" });
  // From here on numbers are approved; one waits for the colleague, one was sent back.
  await askForApprovals(full);
  const [asked, back] = ["075588884444", "075588883333"];
  for (const number of [asked, back]) {
    await full.api(PEOPLE.manager, "POST", "/caller-ids", { number, holder: "翠园物业服务有限公司", holder_id: "914403001999999999", carrier: "深圳联通", region: "深圳" });
    await full.upload(PEOPLE.manager, `/caller-ids/${number}/proof`, number === asked ? picture(420, 280) : new TextEncoder().encode("%PDF-1.4\n%%EOF\n"));
    await act(number, { action: "request" });
  }
  const { items } = (await full.api(PEOPLE.colleague, "GET", "/approvals")) as { items: { id: number; title: string }[] };
  await full.api(PEOPLE.colleague, "POST", `/approvals/${items.find((it) => it.title === back)?.id}/actions`, { action: "refuse", note: "合同已过期,请换新合同" });
  const hour = Math.floor(Date.now() / 3_600_000);
  const rows = [6, 5, 4, 3, 2, 1].flatMap((back) => [good, bad].map((number, n) => {
    const answered = n === 0 ? 41 - back : 4 + 4 * back;
    const refused = n === 0 ? 2 : 24 - 3 * back;
    return `insert into caller_id_hour (caller_id, hour, calls, answered, refused, code_403, fast_fail, compared, compared_answered, expected, control_calls)
      select id, ${hour - 24 * back}, 150, ${answered}, ${refused}, ${Math.floor(refused / 2)}, ${Math.floor(refused / 3)}, 140, ${answered - 1}, ${n === 0 ? 39.5 - back : 38}, 310 from caller_id where number = ${`86${number?.slice(1)}`} and state <> 'retired';`;
  }));
  full.sql(rows.join("\n"));
}

/** A call that was answered becomes a conversation with a recording, a hold and a key, a wrap-up and a correction. */
export async function recordCall(full: Service): Promise<void> {
  const answered = async () => ((await full.api(PEOPLE.manager, "GET", "/calls?campaign=jade-garden-calls&limit=100")) as { calls: { id: number; answered_at: string | null; ended_at: string | null }[] }).calls.find((it) => it.answered_at !== null && it.ended_at !== null)?.id;
  await until(async () => (await answered()) !== undefined, "an owner has answered", 120_000);
  const id = await answered();
  full.sql(`update attempt set outcome = 'answered', connected_at = answered_at + 600, ended_at = answered_at + 25000, ended_by = 'callee', disposition = 'agree', agent_id = (select id from agent where number = '8101') where id = ${id};`);
  mkdirSync(join(full.dir, "recordings"), { recursive: true });
  writeFileSync(join(full.dir, "recordings", "shown.wav"), conversation(24));
  const note = (at_ms: number, text: string) => `'$[#]', json('${JSON.stringify({ at_ms, dir: "note", text })}')`;
  full.sql(`insert into recording (attempt_id, path, millis, lost_frames, saved_at) select id, 'shown.wav', 24000, 0, ended_at from attempt where id = ${id};
    update attempt set recording = 'shown.wav', note = '下周一上午再联系,本人在家', steps = json_insert(coalesce(steps, '[]'), ${note(9_000, "record")}, ${note(14_000, "play hold_music")}, ${note(20_000, "join")}, ${note(26_000, "key 1 rtp")}) where id = ${id};
    insert into lead_correction (lead_id, agent_id, at, field, was, now, attempt_id) select lead_id, agent_id, ended_at - 4000, 'name', '李方', '李芳', id from attempt where id = ${id} and agent_id is not null and lead_id is not null;`);
}

/** Exports of the manager: one that is ready, one that failed; and a blacklist that was checked. */
export async function makeExports(full: Service): Promise<void> {
  const ask = async (body: object) => {
    const { export: { id } } = (await full.api(PEOPLE.manager, "POST", "/exports", body)) as { export: { id: number } };
    await until(async () => !["queued", "running"].includes(((await full.api(PEOPLE.manager, "GET", `/exports/${id}`)) as { state: string }).state), `export ${id} has ended`);
  };
  await ask({ what: "leads", format: "csv", filters: { campaign: "jade-garden-vote", state: "open" } });
  await ask({ what: "blacklist", format: "xlsx" });
  full.sql(`update export set made_at = ${Date.parse("2026-11-30T01:00:00Z")}; update task set state = 'failed', error = '{"en":"the disk of the service is nearly full, so the export was ended; ask its operator for room","zh":"服务的磁盘快满了,导出已终止;请联系运维腾出空间"}' where kind = 'export' and id = (select max(id) from task where kind = 'export'); update export set blob_id = null where id = (select max(id) from export);`);
  const { id } = (await full.upload(PEOPLE.manager, "/blacklist/imports?source=dnc-2026&file_name=dnc.csv", new TextEncoder().encode("号码\n13712340001\n王小明\n13712340002\n13712340001555\n"))) as { id: number };
  await until(async () => ((await full.api(PEOPLE.manager, "GET", `/blacklist/imports/${id}`)) as { state: string }).state === "checked", "the blacklist is checked");
}

/** Turns the approval of caller IDs on over the API, so that those in use stay so. */
async function askForApprovals(full: Service): Promise<void> {
  const headers = { Cookie: await full.cookie(PEOPLE.admin), Origin: full.url, "Content-Type": "application/json", "If-Match": "*", "Idempotency-Key": randomUUID() };
  const body = JSON.stringify({ settings: { approve_caller_ids: true } });
  const answer = await fetch(`${full.url}/api/v1/organisations/main`, { method: "PATCH", headers, body });
  if (!answer.ok) throw new Error(`the switch: ${answer.status} ${await answer.text()}`);
}

/** A grey PNG with lines, such as a scan of a letter. */
function picture(width: number, height: number): Uint8Array<ArrayBuffer> {
  const chunk = (name: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 0, 0, 0, 0], 8);
  const isLine = (x: number, y: number) => y > 30 && y % 24 < 4 && x > 40 && x < width - 40 - ((y * 37) % 90);
  const rows = Buffer.concat(Array.from({ length: height }, (_, y) => Buffer.from([0, ...Array.from({ length: width }, (_, x) => (isLine(x, y) ? 90 : 245))])));
  const png = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
  return new Uint8Array(png);
}
