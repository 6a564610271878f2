import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { Button } from "./Button";

export interface MenuItem {
  id: string;
  label: string;
  /** Shown before the label of a chosen entry. */
  chosen?: boolean;
  refusal?: string | undefined;
  onChoose: () => void;
}

export type MenuEntry = MenuItem | { title: string } | "rule";

interface Props {
  /** What the button shows. */
  children: ReactNode;
  label?: string;
  entries: MenuEntry[];
  kind?: "plain" | "link";
  size?: "small";
  align?: "start";
}

const isItem = (entry: MenuEntry): entry is MenuItem => typeof entry === "object" && "id" in entry;

/** A button with a menu: arrows, Home, End and Esc as the ARIA practices have them. */
export function Menu({ children, label, entries, kind, size, align }: Props) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const items = () => [...(root.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];

  useEffect(() => {
    if (!isOpen) return;
    items()[0]?.focus();
    const outside = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [isOpen]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const steps: Record<string, number> = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 };
    const step = steps[event.key];
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab") setOpen(false);
    else if (step !== undefined) {
      event.preventDefault();
      all[step]?.focus();
    }
  };
  return (
    <div className="menu" ref={root} onKeyDown={isOpen ? onKeyDown : undefined}>
      <Button ref={button} kind={kind} size={size} label={label} expanded={isOpen} popup="menu" onClick={() => setOpen(!isOpen)}>{children}</Button>
      {isOpen ? (
        <div className={align === "start" ? "items start" : "items"} role="menu">
          {entries.map((entry, n) => {
            if (entry === "rule") return <div key={n} className="rule" role="separator" />;
            if (!isItem(entry)) return <div key={n} className="title" role="presentation">{entry.title}</div>;
            const hasChoice = entry.chosen !== undefined;
            return (
              <button key={entry.id} type="button" className="item" tabIndex={-1} role={hasChoice ? "menuitemradio" : "menuitem"} aria-checked={hasChoice ? entry.chosen : undefined}
                aria-disabled={entry.refusal !== undefined || undefined} title={entry.refusal}
                onClick={() => {
                  if (entry.refusal !== undefined) return;
                  close();
                  entry.onChoose();
                }}>
                {hasChoice ? <span className="mark" aria-hidden="true">{entry.chosen ? "✓" : ""}</span> : null}
                {entry.label}
              </button>
            );
          })}
        </div>
      ) : null}
    </div>
  );
}
