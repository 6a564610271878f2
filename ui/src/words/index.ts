/** The console's words: one catalogue a language, loaded when it is chosen, with typed keys and parameters. The sign-in page has a small one. */
import { useSyncExternalStore } from "react";
import { setAnswerLanguage } from "../api/call";
import { withWidePunctuation } from "./width";
import type { zh } from "./zh";

export type Language = "zh" | "en";
export type WordKey = keyof typeof zh;
type Names<S> = S extends `${string}{${infer N}}${infer R}` ? N | Names<R> : never;
type Parameters<K extends WordKey> = [Names<(typeof zh)[K]>] extends [never]
  ? [] : [Record<Names<(typeof zh)[K]>, string | number>];
/** Keys of texts without parameters. */
export type PlainKey = { [K in WordKey]: [Names<(typeof zh)[K]>] extends [never] ? K : never }[WordKey];
export type Translate = <K extends WordKey>(key: K, ...parameters: Parameters<K>) => string;

/** Language tags of `lang` and `Accept-Language`. */
export const TAGS: Record<Language, string> = { zh: "zh-CN", en: "en-GB" };

let language: Language = "zh";
let catalogue: Record<string, string> = {};
const listeners = new Set<() => void>();

/** Whether the words of every page are wanted: who signs in needs few of them. */
let isWhole = globalThis.location?.pathname !== "/sign-in";

async function load(of: Language): Promise<Record<string, string>> {
  if (of === "en") return isWhole ? (await import("./en")).en : (await import("./en-first")).first;
  const texts = isWhole ? (await import("./zh")).zh : (await import("./zh-first")).first;
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, withWidePunctuation(text)]));
}

/** Loads the words of the pages behind the sign-in, if they are not there yet. */
export async function loadWholeCatalogue(): Promise<void> {
  if (isWhole) return;
  isWhole = true;
  await setLanguage(language);
}

/** Loads a language's catalogue and draws every text anew. */
export async function setLanguage(next: Language): Promise<void> {
  const loaded = await load(next);
  language = next;
  catalogue = loaded;
  translate = makeTranslate();
  document.documentElement.lang = TAGS[next];
  setAnswerLanguage(TAGS[next]);
  for (const listener of listeners) listener();
}

export const currentLanguage = (): Language => language;

/**
 * Fills `{name}`; `{n|call|calls}` is the number with the form that it takes in English.
 * Exported for tests.
 */
export function fill(text: string, parameters: Record<string, string | number> = {}): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = parameters[name];
    if (value === undefined) return whole;
    if (one === undefined) return String(value);
    return `${value} ${String(value) === "1" ? one : many}`;
  });
}

// A new function for each language, so that components that depend on it are drawn anew.
function makeTranslate(): Translate {
  return (key, ...[parameters]) => fill(catalogue[key] ?? key, parameters);
}
let translate = makeTranslate();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The translate function of the present language. */
export function useWords(): Translate {
  return useSyncExternalStore(subscribe, () => translate);
}

export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, () => language);
}

/** Whether the catalogue has a word for this key; for keys made of words of the service, which take no parameters. */
export function hasWord(key: string): key is PlainKey {
  return key in catalogue;
}
