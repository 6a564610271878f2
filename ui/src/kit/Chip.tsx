import { useWords } from "../words";

/** A filter that is set: its words, and a button that takes it away. */
export function FilterChip({ label, onRemove }: { label: string; onRemove: () => void }) {
  const t = useWords();
  return (
    <span className="chip set">
      {label}
      <button type="button" className="remove" aria-label={t("kit.removeFilter", { name: label })} onClick={onRemove}>✕</button>
    </span>
  );
}
