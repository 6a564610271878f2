/** Reads TOML 1.0 into plain values, so that the form shows a text while it is edited. What is valid is the service's word. Pure. */

export type Value = string | number | boolean | Value[] | Fields;
export interface Fields { [key: string]: Value }

/** Where the text cannot be read. */
export class TomlFault extends Error {
  /** From 1. */
  readonly line: number;
  constructor(line: number, found: string) {
    super(found);
    this.line = line;
  }
}

/** Values nest no deeper than a campaign needs. */
const DEPTH_MAX = 32;
const BARE = /[A-Za-z0-9_-]/;
const ESCAPES: Record<string, string> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", '"': '"', "\\": "\\", e: "\u001b" };

export const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** Names that would reach an object's prototype are data like any other. */
const newFields = (): Fields => Object.create(null) as Fields;

class Reader {
  private at = 0;
  private depth = 0;
  private readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  document(): Fields {
    const root = newFields();
    let table = root;
    for (;;) {
      this.skipLines();
      if (this.at >= this.text.length) return root;
      if (this.text[this.at] === "[") table = this.header(root);
      else this.pair(table);
      this.endOfLine();
    }
  }

  private fail(found = `unexpected ${JSON.stringify(this.text[this.at] ?? "end")}`): never {
    throw new TomlFault(this.text.slice(0, this.at).split("\n").length, found);
  }

  private take(sign: string): void {
    if (!this.text.startsWith(sign, this.at)) this.fail(`${JSON.stringify(sign)} is missing`);
    this.at += sign.length;
  }

  private spaces(): void {
    while (this.text[this.at] === " " || this.text[this.at] === "\t") this.at += 1;
  }

  private comment(): void {
    this.spaces();
    if (this.text[this.at] !== "#") return;
    while (this.at < this.text.length && this.text[this.at] !== "\n") this.at += 1;
  }

  private skipLines(): void {
    for (;;) {
      this.comment();
      if (this.text[this.at] === "\r" && this.text[this.at + 1] === "\n") this.at += 2;
      else if (this.text[this.at] === "\n") this.at += 1;
      else return;
    }
  }

  private endOfLine(): void {
    this.comment();
    if (this.at < this.text.length && this.text[this.at] !== "\n" && !this.text.startsWith("\r\n", this.at)) this.fail();
  }

  private header(root: Fields): Fields {
    const isList = this.text.startsWith("[[", this.at);
    this.take(isList ? "[[" : "[");
    const path = this.path();
    this.take(isList ? "]]" : "]");
    const parent = this.reach(root, path.slice(0, -1));
    const last = path[path.length - 1] ?? "";
    if (!isList) return this.reach(parent, [last]);
    const list = (parent[last] ??= []);
    if (!Array.isArray(list)) this.fail(`${last} is not a list`);
    const made = newFields();
    list.push(made);
    return made;
  }

  /** The table of this path, made where it is missing; of a list of tables its last. */
  private reach(from: Fields, path: string[]): Fields {
    return path.reduce((table, key) => {
      const found = (table[key] ??= newFields());
      const next = Array.isArray(found) ? found[found.length - 1] : found;
      return isFields(next) ? next : this.fail(`${key} is not a table`);
    }, from);
  }

  private path(): string[] {
    const path: string[] = [];
    for (;;) {
      this.spaces();
      path.push(this.key());
      this.spaces();
      if (this.text[this.at] !== ".") return path;
      this.at += 1;
    }
  }

  private key(): string {
    const sign = this.text[this.at];
    if (sign === '"' || sign === "'") return this.string();
    const from = this.at;
    while (BARE.test(this.text[this.at] ?? "")) this.at += 1;
    if (this.at === from) this.fail();
    return this.text.slice(from, this.at);
  }

  private pair(table: Fields): void {
    const path = this.path();
    this.take("=");
    this.spaces();
    const last = path[path.length - 1] ?? "";
    const target = this.reach(table, path.slice(0, -1));
    if (last in target) this.fail(`${path.join(".")} is there twice`);
    target[last] = this.value();
  }

  private value(): Value {
    if (this.depth >= DEPTH_MAX) this.fail("too deep");
    this.depth += 1;
    const value = this.anyValue();
    this.depth -= 1;
    return value;
  }

  private anyValue(): Value {
    const sign = this.text[this.at];
    if (sign === '"' || sign === "'") return this.string();
    if (sign === "[") return this.list();
    if (sign === "{") return this.inline();
    const word = /^[^\s,\]}#]+/.exec(this.text.slice(this.at, this.at + 64))?.[0] ?? this.fail();
    const plain = word.replace(/_/g, "");
    const value = word === "true" ? true : word === "false" ? false
      : /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(plain) ? Number(plain)
      : /^0[xob][0-9a-fA-F]+$/.test(plain) ? Number(plain)
      : /^\d[\d:T.Z+-]*$/.test(word) ? word : undefined;
    if (value === undefined) this.fail(`${word} is no value`);
    this.at += word.length;
    return value;
  }

  private list(): Value[] {
    const list: Value[] = [];
    this.take("[");
    for (;;) {
      this.skipLines();
      if (this.text[this.at] === "]") break;
      list.push(this.value());
      this.skipLines();
      if (this.text[this.at] !== ",") break;
      this.at += 1;
    }
    this.take("]");
    return list;
  }

  private inline(): Fields {
    const table = newFields();
    this.take("{");
    this.skipLines();
    while (this.text[this.at] !== "}") {
      this.pair(table);
      this.skipLines();
      if (this.text[this.at] !== ",") break;
      this.at += 1;
      this.skipLines();
    }
    this.take("}");
    return table;
  }

  private string(): string {
    const quote = this.text[this.at] ?? "";
    const isLong = this.text.startsWith(quote.repeat(3), this.at);
    const end = isLong ? quote.repeat(3) : quote;
    this.take(end);
    if (isLong) this.at += /^\r?\n/.exec(this.text.slice(this.at, this.at + 2))?.[0].length ?? 0;
    let text = "";
    for (;;) {
      if (this.at >= this.text.length || (!isLong && this.text[this.at] === "\n")) this.fail("a string has no end");
      if (this.text.startsWith(end, this.at)) {
        this.at += end.length;
        // Up to two quotes may stand before the closing three.
        for (let n = 0; isLong && n < 2 && this.text[this.at] === quote; n += 1, this.at += 1) text += quote;
        return text;
      }
      text += quote === '"' && this.text[this.at] === "\\" ? this.escape(isLong) : this.text[this.at++];
    }
  }

  private escape(isLong: boolean): string {
    this.at += 1;
    const rest = this.text.slice(this.at, this.at + 9);
    const code = /^(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2}))/.exec(rest);
    const point = parseInt(code?.[1] ?? code?.[2] ?? code?.[3] ?? "", 16);
    if (code && point <= 0x10ffff) {
      this.at += code[0].length;
      return String.fromCodePoint(point);
    }
    const fold = isLong ? /^[ \t]*\r?\n\s*/.exec(this.text.slice(this.at))?.[0] : undefined;
    if (fold !== undefined) {
      this.at += fold.length;
      return "";
    }
    const plain = ESCAPES[rest[0] ?? ""];
    if (plain === undefined) this.fail(`\\${rest[0] ?? ""} is no escape`);
    this.at += 1;
    return plain;
  }
}

/** @throws TomlFault */
export const readToml = (text: string): Fields => new Reader(text).document();
