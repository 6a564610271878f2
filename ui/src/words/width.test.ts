import { expect, test } from "vitest";
import { narrow, wideSentence, withWidePunctuation } from "./width";
import { zh } from "./zh";

test("Chinese sentences have wide punctuation, numbers and times keep theirs", () => {
  expect(withWidePunctuation("数据截至 {time},正在重连:1,000 条(09:30)")).toBe("数据截至 {time}\uff0c正在重连\uff1a1,000 条\uff0809:30\uff09");
  expect(withWidePunctuation("Linphone, 5060")).toBe("Linphone, 5060");
});

test("no text of the catalogue keeps a narrow comma beside a character", () => {
  for (const [key, text] of Object.entries(zh)) expect(withWidePunctuation(text), key).not.toMatch(/\p{Script=Han}[,;?(]|[)]\p{Script=Han}/u);
});

test("parameters keep their names", () => {
  const names = (text: string) => [...text.matchAll(/\{(\w+)/g)].map((it) => it[1]);
  for (const text of Object.values(zh)) expect(names(withWidePunctuation(text))).toEqual(names(text));
});

test("what an input method types wide is read as narrow", () => {
  expect(narrow("\uff11\uff13\uff18\uff0c\u3000\uff08a\uff09陈")).toBe("138, (a)陈");
});

test("sentences of the service are widened beside characters alone", () => {
  expect(wideSentence("已达活动并发上限(40/40 路)")).toBe("已达活动并发上限\uff0840/40 路\uff09");
  expect(wideSentence("占 100.0 %(当日),上限 3.0 %,还可 0 人;空闲")).toBe("占 100.0 %\uff08当日\uff09\uff0c上限 3.0 %\uff0c还可 0 人\uff1b空闲");
  expect(wideSentence("上限(5 路(当日))")).toBe("上限\uff085 路\uff08当日\uff09\uff09");
  // A sign behind a wide bracket is one of the sentence too.
  expect(wideSentence("其他号码为 27 %(1860 次);900 次中被拒 9 %")).toBe("其他号码为 27 %\uff081860 次\uff09\uff1b900 次中被拒 9 %");
  expect(wideSentence("中继 sip:203.0.113.10:5060 (udp)")).toBe("中继 sip:203.0.113.10:5060 (udp)");
  expect(wideSentence("09:00-18:00, 1,000")).toBe("09:00-18:00, 1,000");
});
