import { useId, type ReactNode } from "react";

interface Props<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
  help?: ReactNode;
  fault?: string | undefined;
}

/** A native select with a visible label, for forms. */
export function Select<T extends string>({ label, value, options, onChange, help, fault }: Props<T>) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="control" value={value} aria-invalid={fault !== undefined || undefined} aria-describedby={`${id}-help`} onChange={(event) => onChange(event.target.value as T)}>
        {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
      </select>
      <div id={`${id}-help`}>
        {fault === undefined ? null : <p className="fault" role="alert">{fault}</p>}
        {help === undefined ? null : <p className="help">{help}</p>}
      </div>
    </div>
  );
}

interface AreaProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  rows: number;
  help?: ReactNode;
  fault?: string | undefined;
}

/** Several lines of text with a label. */
export function TextArea({ label, value, onChange, rows, help, fault }: AreaProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea id={id} className="control area" rows={rows} value={value} spellCheck={false} aria-invalid={fault !== undefined || undefined} aria-describedby={`${id}-help`} onChange={(event) => onChange(event.target.value)} />
      <div id={`${id}-help`}>
        {fault === undefined ? null : <p className="fault" role="alert">{fault}</p>}
        {help === undefined ? null : <p className="help">{help}</p>}
      </div>
    </div>
  );
}
