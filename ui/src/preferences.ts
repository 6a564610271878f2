/** Language and theme: kept in a cookie, so that the service can write them into the page before its first paint. */
import { useSyncExternalStore } from "react";
import { currentLanguage, setLanguage, type Language } from "./words";

export type Theme = "system" | "light" | "dark";

const COOKIE = "paceline_look";
const THEMES: readonly string[] = ["system", "light", "dark"];
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

let theme: Theme = "system";

function read(): { language: Language; theme: Theme } {
  const value = document.cookie.split("; ").find((it) => it.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1) ?? "";
  const [language, kept = ""] = value.split(".");
  const known = language === "zh" || language === "en";
  return {
    language: known ? language : document.documentElement.lang.startsWith("en") ? "en" : "zh",
    theme: THEMES.includes(kept) ? (kept as Theme) : "system",
  };
}

function write(): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${COOKIE}=${currentLanguage()}.${theme}; Path=/; Max-Age=31536000; SameSite=Strict${secure}`;
}

function show(): void {
  const { classList } = document.documentElement;
  classList.toggle("light", theme === "light");
  classList.toggle("dark", theme === "dark");
  for (const listener of listeners) listener();
}

/** Shows the page as it was left; call before the first render. */
export async function startPreferences(): Promise<void> {
  const kept = read();
  theme = kept.theme;
  dark.addEventListener("change", show);
  show();
  await setLanguage(kept.language);
}

export async function chooseLanguage(language: Language): Promise<void> {
  await setLanguage(language);
  write();
}

export function chooseTheme(next: Theme): void {
  theme = next;
  write();
  show();
}

export const currentLook = () => ({ language: currentLanguage(), theme });

/** Takes what the account keeps, at sign-in; words that are not known change nothing. */
export async function adopt(preferences: { language?: unknown; theme?: unknown } | undefined): Promise<void> {
  const { language, theme: kept } = preferences ?? {};
  if (typeof kept === "string" && THEMES.includes(kept)) theme = kept as Theme;
  if ((language === "zh" || language === "en") && language !== currentLanguage()) await setLanguage(language);
  write();
  show();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, () => theme);
/** Whether the page is dark now, by choice or by the system. */
export const useIsDark = (): boolean => useSyncExternalStore(subscribe, () => theme === "dark" || (theme === "system" && dark.matches));
