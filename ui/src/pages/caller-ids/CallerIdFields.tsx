import type { CallerId } from "../../api/words";
import { Field } from "../../kit/Field";
import { useWords } from "../../words";
import { TEXT_MAX, type CallerIdForm, type Faults, type FieldName } from "./form";

interface Props {
  names: readonly FieldName[];
  form: CallerIdForm;
  onChange: (form: CallerIdForm) => void;
  faults: Faults;
  /** The number whose fields they are; without it they are those of a new one. */
  row?: CallerId;
}

/** The sentence of a fault, of this page or of the service. */
export function useFaultWords(faults: Faults): (name: FieldName | "number") => string | undefined {
  const t = useWords();
  return (name) => {
    const fault = faults[name];
    return fault === undefined ? undefined : "sentence" in fault ? fault.sentence : t(`callerIds.fault_${fault.word}`);
  };
}

/** Fields of a number with their help. */
export function CallerIdFields({ names, form, onChange, faults, row }: Props) {
  const t = useWords();
  const fault = useFaultWords(faults);
  const isLimit = (name: FieldName) => name === "per_hour_max" || name === "per_day_max" || name === "idle_days";
  const help = (name: FieldName) => {
    if (name === "holder_id" && row !== undefined && row.holder_id_end !== "") return t("callerIds.help_holder_id_kept", { end: row.holder_id_end });
    return name === "holder" || name === "region" || name === "note" ? undefined : t(`callerIds.help_${name}`);
  };
  return (
    <>
      {names.map((name) => (
        <Field key={name} label={t(`callerIds.f_${name}`)} value={form[name]} onChange={(value) => onChange({ ...form, [name]: value })} autoComplete="off"
          maxLength={isLimit(name) ? 8 : TEXT_MAX} {...(isLimit(name) ? { inputMode: "numeric" as const } : {})} fault={fault(name)} help={help(name)} />
      ))}
    </>
  );
}
