import "./drawer.css";
import "./form.css";
import { useEffect, useId, useRef, type KeyboardEvent, type ReactNode } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { changed } from "../use-search";
import { useWords } from "../words";
import { Button } from "./Button";
import { useNeighbours } from "./neighbours";
import { UndoBar } from "./UndoBar";

interface Props {
  /** The query parameter that opens this drawer. */
  parameter: string;
  title: ReactNode;
  /** Beside the title: state, mode. */
  detail?: ReactNode;
  children: ReactNode;
  buttons?: ReactNode;
  isWide?: boolean;
}

/** One thing beside its list: the address names it, `Esc` closes it, `[` and `]` go to the neighbours in the list. */
export function Drawer({ parameter, title, detail, children, buttons, isWide }: Props) {
  const t = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  const [search, setSearch] = useSearchParams();
  const navigate = useNavigate();
  const { before, after } = useNeighbours(parameter, search.get(parameter) ?? "");

  useEffect(() => {
    const opener = document.activeElement;
    const opened = dialog.current;
    opened?.showModal();
    // The dialog would put the focus on its first button; a reader starts with the title.
    heading.current?.focus();
    return () => {
      // While the dialog is modal, nothing outside it takes the focus.
      opened?.close();
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  // Back leads to the page as it was before the drawer only if the drawer was opened on it; a shared link has no such page.
  const close = () => setSearch((now) => changed(now, { [parameter]: null }), { replace: true, preventScrollReset: true });
  const go = (to: string | undefined) => {
    if (to !== undefined) void navigate({ search: `?${changed(search, { [parameter]: to })}` }, { replace: true, preventScrollReset: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    if (event.key === "[") go(before);
    else if (event.key === "]") go(after);
  };
  return (
    <dialog ref={dialog} className={isWide ? "drawer wide" : "drawer"} aria-labelledby={id} onKeyDown={onKeyDown}
      onCancel={(event) => { if (event.target === dialog.current) { event.preventDefault(); close(); } }}
      onClose={(event) => { if (event.target === dialog.current && !event.currentTarget.open) close(); }}
      onClick={(event) => { if (event.target === dialog.current) close(); }}>
      <div className="frame">
        <header>
          <h2 id={id} ref={heading} tabIndex={-1}>{title}</h2>
          {detail}
          <span className="space" />
          {before === undefined && after === undefined ? null : (
            <>
              <Button kind="plain" size="small" keys="[" label={t("kit.before")} refusal={before === undefined ? t("kit.noMore") : undefined} onClick={() => go(before)}>‹</Button>
              <Button kind="plain" size="small" keys="]" label={t("kit.after")} refusal={after === undefined ? t("kit.noMore") : undefined} onClick={() => go(after)}>›</Button>
            </>
          )}
          <Button kind="plain" size="small" keys="Escape" label={t("common.close")} onClick={close}>✕</Button>
        </header>
        <div className="content" tabIndex={0} role="region" aria-labelledby={id}>{children}</div>
        {buttons === undefined ? null : <footer>{buttons}</footer>}
      </div>
      <UndoBar />
    </dialog>
  );
}

function isTyping(target: EventTarget): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
