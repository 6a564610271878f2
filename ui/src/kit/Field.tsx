import { useId, type HTMLAttributes, type ReactNode, type Ref } from "react";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  type?: "text" | "password" | "tel" | "number" | "date" | "datetime-local";
  help?: ReactNode;
  fault?: string | undefined;
  autoComplete?: string;
  autoFocus?: boolean;
  maxLength?: number;
  inputMode?: HTMLAttributes<HTMLInputElement>["inputMode"];
  ref?: Ref<HTMLInputElement>;
  onKeyUp?: HTMLAttributes<HTMLInputElement>["onKeyUp"];
}

/** A labelled input; help and fault stand below it and are read with it. */
export function Field({ label, value, onChange, type = "text", help, fault, autoComplete, autoFocus, maxLength, inputMode, ref, onKeyUp }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} ref={ref} className="control" type={type} value={value} autoComplete={autoComplete} autoFocus={autoFocus} maxLength={maxLength} inputMode={inputMode}
        spellCheck={false} aria-invalid={fault !== undefined || undefined} aria-describedby={`${id}-help`} onChange={(event) => onChange(event.target.value)} onKeyUp={onKeyUp} />
      <div id={`${id}-help`}>
        {fault === undefined ? null : <p className="fault" role="alert">{fault}</p>}
        {help === undefined ? null : <p className="help">{help}</p>}
      </div>
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
}

/** A native select with its label read, not shown; for filters with a few fixed values. */
export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <select className="select" aria-label={label} value={value} onChange={(event) => onChange(event.target.value as T)}>
      {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
    </select>
  );
}
