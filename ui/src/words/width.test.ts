import { expect, test } from "vitest";
import { narrow, withWidePunctuation } from "./width";
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
