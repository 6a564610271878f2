import { useId, type ReactNode } from "react";

interface Props {
  label: ReactNode;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  help?: ReactNode;
}

/** A labelled check box. */
export function Check({ label, isOn, onChange, help }: Props) {
  const id = useId();
  return (
    <div className="check">
      <label><input type="checkbox" checked={isOn} aria-describedby={help === undefined ? undefined : id} onChange={(event) => onChange(event.target.checked)} /> <span>{label}</span></label>
      {help === undefined ? null : <p id={id} className="help">{help}</p>}
    </div>
  );
}

interface RadioProps<T extends string> {
  legend: string;
  value: T;
  options: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
}

/** A few choices of which one holds. */
export function Radios<T extends string>({ legend, value, options, onChange }: RadioProps<T>) {
  const name = useId();
  return (
    <fieldset className="radios">
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option.value}><input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} /> <span>{option.label}</span></label>
      ))}
    </fieldset>
  );
}
