import { useId, type ReactNode, type Ref } from "react";

interface Props {
  children: ReactNode;
  onClick?: () => void;
  kind?: "primary" | "danger" | "plain" | "link" | undefined;
  size?: "small" | "large" | undefined;
  type?: "button" | "submit";
  /** Of a `submit` outside its form: the form's id. */
  form?: string;
  busy?: boolean | undefined;
  /** Why the button is grey. A grey button keeps its focus and says the reason. */
  refusal?: string | undefined;
  label?: string | undefined;
  ref?: Ref<HTMLButtonElement>;
  /** Keys of `aria-keyshortcuts`. */
  keys?: string | undefined;
  expanded?: boolean | undefined;
  popup?: "menu" | "dialog" | undefined;
}

/** A button that is never disabled in the browser's sense: grey ones can be reached and say why they are grey. */
export function Button({ children, onClick, kind, size, type = "button", form, busy, refusal, label, ref, keys, expanded, popup }: Props) {
  const id = useId();
  const isOff = refusal !== undefined || busy === true;
  const names = ["button", kind, size].filter(Boolean).join(" ");
  return (
    <>
      <button ref={ref} type={type} form={form} className={names} aria-disabled={isOff || undefined} aria-busy={busy || undefined} title={refusal}
        aria-describedby={refusal === undefined ? undefined : id} aria-label={label} aria-keyshortcuts={keys} aria-expanded={expanded} aria-haspopup={popup}
        onClick={(event) => {
          if (isOff) event.preventDefault();
          else onClick?.();
        }}>
        {children}
      </button>
      {refusal === undefined ? null : <span id={id} className="visually-hidden">{refusal}</span>}
    </>
  );
}
