import { lazy, Suspense, useState } from "react";
import { Menu, type MenuEntry } from "../kit/Menu";
import { problemWords } from "../kit/States";
import { chooseLanguage, chooseTheme, useTheme, type Theme } from "../preferences";
import { keepLook, signOut, useMe } from "../session";
import { useLanguage, useWords, type Language } from "../words";

const THEME_WORDS = { system: "frame.themeSystem", light: "frame.themeLight", dark: "frame.themeDark" } as const;

/** Language and appearance, for pages with and without an account. */
export function useLookEntries(): MenuEntry[] {
  const t = useWords();
  const theme = useTheme();
  const language = useLanguage();
  // Without an account, and while the service is away, the cookie alone keeps the choice.
  const keep = () => void keepLook().catch(() => undefined);
  const languages: [Language, string][] = [["zh", "中文"], ["en", "English"]];
  return [
    { title: t("frame.language") },
    ...languages.map(([id, label]) => ({ id, label, chosen: id === language, onChoose: () => void chooseLanguage(id).then(keep) })),
    { title: t("frame.theme") },
    ...(Object.keys(THEME_WORDS) as Theme[]).map((id) => ({ id, label: t(THEME_WORDS[id]), chosen: id === theme, onChoose: () => { chooseTheme(id); keep(); } })),
  ];
}

export const loadChangePassword = () => import("./ChangePassword");
const ChangePassword = lazy(async () => ({ default: (await loadChangePassword()).ChangePassword }));

/** The account's menu: look of the console, password, sign out. */
export function AccountMenu() {
  const t = useWords();
  const { person } = useMe();
  const look = useLookEntries();
  const [problem, setProblem] = useState<unknown>();
  const [isChanging, setChanging] = useState(false);
  const leave = () => {
    setProblem(undefined);
    signOut().catch(setProblem);
  };
  return (
    <>
      {problem === undefined ? null : <span className="refusal" role="alert">{problemWords(problem, t)}</span>}
      <Menu kind="plain" size="small" label={t("frame.account", { name: person.name })} entries={[...look, "rule", { id: "password", label: t("frame.changePassword"), onChoose: () => setChanging(true) }, { id: "out", label: t("frame.signOut"), onChoose: leave }]}>
        {person.name} <span aria-hidden="true">▾</span>
      </Menu>
      {isChanging ? <Suspense><ChangePassword onClose={() => setChanging(false)} /></Suspense> : null}
    </>
  );
}
