/** How far something is; without a total only that it goes on. */
export function Progress({ label, done, total }: { label: string; done: number; total: number }) {
  const share = total === 0 ? undefined : Math.min(1, done / total);
  return (
    <span className="bar tall" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={share === undefined ? undefined : Math.round(share * 100)}>
      <i style={{ width: `${(share ?? 0.05) * 100}%`, background: "var(--primary)" }} />
    </span>
  );
}
