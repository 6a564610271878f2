import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
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

/** Between the button and its menu, and between a menu and the window's edge, in px. */
const GAP = 4;

const isItem = (entry: MenuEntry): entry is MenuItem => typeof entry === "object" && "id" in entry;

/** A button with a menu: arrows, Home, End and Esc as the ARIA practices have them. */
export function Menu({ children, label, entries, kind, size, align }: Props) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const items = () => [...(root.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];

  // Fixed to the window, so that no table's scroll box cuts it off; above the button where there is no room below.
  useLayoutEffect(() => {
    if (!isOpen || !list.current || !button.current) return;
    const at = button.current.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height, style } = list.current;
    const isAbove = at.bottom + GAP + height > window.innerHeight && at.top > height + GAP;
    const left = align === "start" ? at.left : at.right - width;
    style.top = `${isAbove ? at.top - GAP - height : at.bottom + GAP}px`;
    style.left = `${Math.max(GAP, Math.min(left, window.innerWidth - width - GAP))}px`;
    const away = () => setOpen(false);
    window.addEventListener("resize", away);
    document.addEventListener("scroll", away, true);
    return () => {
      window.removeEventListener("resize", away);
      document.removeEventListener("scroll", away, true);
    };
  }, [isOpen, align]);

  useEffect(() => {
    if (!isOpen) return;
    items()[0]?.focus({ preventScroll: true });
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
        <div ref={list} className="items" role="menu">
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
