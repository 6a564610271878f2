import "./text-editor.css";
import { useImperativeHandle, useRef, type Ref } from "react";
import { useWords } from "../words";

export interface TextEditorHandle {
  /** Selects a line, from 1, and brings it into view. */
  goTo: (line: number) => void;
}

export interface Mark {
  line: number;
  level: "error" | "warning";
  words: string;
}

interface Props {
  label: string;
  text: string;
  onChange?: ((text: string) => void) | undefined;
  marks?: readonly Mark[];
  ref?: Ref<TextEditorHandle>;
  rows?: number;
}

/** Plain text with line numbers and marks at lines; the browser's own editing, undo and search. */
export function TextEditor({ label, text, onChange, marks = [], ref, rows = 28 }: Props) {
  const t = useWords();
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const lines = text.split("\n");
  const byLine = new Map(marks.map((mark) => [mark.line, mark]));
  useImperativeHandle(ref, () => ({
    goTo: (line) => {
      const from = lines.slice(0, line - 1).reduce((sum, it) => sum + it.length + 1, 0);
      area.current?.focus();
      area.current?.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
      if (area.current) area.current.scrollTop = Math.max(0, (line - 5) * (area.current.scrollHeight / lines.length));
      area.current?.scrollIntoView({ block: "nearest" });
    },
  }));
  return (
    <div className="text-editor" style={{ height: `${rows * 20 + 16}px` }}>
      <div className="gutter" ref={gutter} aria-hidden="true">
        {lines.map((_, n) => {
          const mark = byLine.get(n + 1);
          return <div key={n} className={mark?.level} title={mark?.words}>{mark === undefined ? "" : mark.level === "error" ? "✕ " : "! "}{n + 1}</div>;
        })}
      </div>
      <textarea ref={area} aria-label={label} value={text} wrap="off" spellCheck={false} autoComplete="off" autoCapitalize="off" readOnly={onChange === undefined}
        aria-invalid={marks.some((it) => it.level === "error") || undefined}
        aria-description={marks.length === 0 ? undefined : marks.map((it) => `${t("settings.line", { n: it.line })}: ${it.words}`).join("; ")}
        onChange={(event) => onChange?.(event.target.value)} onScroll={(event) => { if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop; }} />
    </div>
  );
}
