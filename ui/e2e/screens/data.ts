/** Lists and sounds of the full service, in every state that a screen shows. */
import { readFileSync } from "node:fs";
import { gbk } from "../lib/gbk";
import { PEOPLE, until, type Account, type Service } from "../lib/service";
import { tone } from "../lib/sound";

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
