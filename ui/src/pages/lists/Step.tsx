import type { ReactNode } from "react";

/** One of the five steps: its number, title, what stands beside it, and its content. */
export function Step({ id, place, title, beside, children }: { id: string; place: number; title: string; beside?: ReactNode; children: ReactNode }) {
  return (
    <section className="card step" id={id} aria-labelledby={`${id}-title`}>
      <header><h2 id={`${id}-title`}><span className="place">{place}</span> {title}</h2>{beside}</header>
      <div className="body">{children}</div>
    </section>
  );
}
