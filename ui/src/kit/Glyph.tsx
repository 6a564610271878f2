/** Glyphs of states, drawn: symbol fonts differ between systems, and some machines have none. 16 units a side, in the ink around them. */
export type GlyphName =
  | "idle" | "reserved" | "ringing" | "talking" | "held" | "consulting" | "wrap" | "paused" | "none" | "gone" | "waiting" | "alarm" | "on" | "done" | "warning" | "checked";

const PATHS: Record<GlyphName, string> = {
  idle: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 5v3.2l2.2 1.3",
  reserved: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8ZM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6Z",
  ringing: "M8 2.5a4 4 0 0 0-4 4c0 3-1.5 4.5-1.5 4.5h11S12 9.500 12 6.500a4 4 0 0 0-4-4ZM6.600 13.200a1.500 1.500 0 0 0 2.800 0",
  talking: "!M3.200 2.600 5.300 2l1.600 3.300-1.400 1.300c.7 1.500 2 2.800 3.600 3.600l1.300-1.400 3.400 1.500-.6 2.200c-.2.700-.9 1.200-1.600 1.100C6.500 13 2.700 9.300 2.100 4.200c-.1-.7.400-1.400 1.100-1.600Z",
  held: "M8 2.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11ZM6.500 6v4M9.500 6v4",
  consulting: "M5.500 3a2.300 2.300 0 1 0 0 4.600 2.300 2.300 0 0 0 0-4.600ZM1.500 13c0-2.300 1.700-3.700 4-3.700s4 1.400 4 3.700M10.500 3.200a2.200 2.200 0 0 1 0 4.300M11.300 9.500c1.900.3 3.200 1.600 3.200 3.500",
  wrap: "M3 13h2.500L13 5.500 10.500 3 3 10.500V13ZM8.800 4.700l2.500 2.500",
  paused: "M2.500 5.500h8.500v4a3.500 3.500 0 0 1-3.500 3.500H6a3.500 3.500 0 0 1-3.500-3.500v-4ZM11 6.500h1a1.700 1.700 0 0 1 0 3.500h-1M5.200 1.800v1.500M8.200 1.800v1.500",
  none: "M8 2.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11ZM5.500 8h5",
  gone: "M6.500 2.500h-4v11h4M6 8h8M11 5l3 3-3 3",
  waiting: "M4 2h8M4 14h8M5 2c0 3 3 4 3 6s-3 3-3 6M11 2c0 3-3 4-3 6s3 3 3 6",
  alarm: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM4.500 8h7",
  on: "!M8 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z",
  checked: "M3.500 2.500h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1ZM5 8l2.200 2.300L11 5.800",
  done: "M3 8.500 6.500 12 13 4.500",
  warning: "M8 2 1.500 13.500h13L8 2ZM8 6.500v3M8 11.500v.1",
};

/** A glyph; the word beside it says what it means, so that it is hidden from screen readers. A path with `!` is filled. */
export function Glyph({ name }: { name: GlyphName }) {
  const path = PATHS[name];
  const isFilled = path.startsWith("!");
  const weight = name === "alarm" ? 2.2 : 1.4;
  return (
    <svg className="glyph" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false" fill={isFilled ? "currentColor" : "none"}
      stroke={isFilled ? "none" : "currentColor"} strokeWidth={weight} strokeLinecap="round" strokeLinejoin="round">
      <path d={isFilled ? path.slice(1) : path} />
    </svg>
  );
}
