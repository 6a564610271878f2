import type { ReactNode } from "react";
import { useLookEntries } from "../../frame/AccountMenu";
import { Menu } from "../../kit/Menu";
import { useLanguage, useWords } from "../../words";

/** The box of the pages before sign-in, with language and appearance. */
export function EntryBox({ children, wide }: { children: ReactNode; wide?: boolean }) {
  const entries = useLookEntries();
  const language = useLanguage();
  const t = useWords();
  const own = language === "zh" ? "中文" : "English";
  return (
    <main className="entry">
      <div className={wide ? "box wide" : "box"}>
        <div className="brand">
          <strong><img src="/favicon.svg" alt="" />Paceline</strong>
          <Menu kind="plain" size="small" label={`${own} · ${t("frame.language")}`} entries={entries}>{own} <span aria-hidden="true">▾</span></Menu>
        </div>
        {children}
      </div>
    </main>
  );
}
