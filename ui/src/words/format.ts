/** Numbers, times and telephone numbers as the console writes them (CONSOLE.md 4.5). Pure: the moment is an argument. */

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `12,480`. */
export function count(n: number): string {
  return grouped.format(n);
}

/** A share of 0 to 1 as `28.4 %`. */
export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** Seconds as `m:ss` or `h:mm:ss`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function parts(at: Date, zone: string | undefined): Record<string, string> {
  const format = new Intl.DateTimeFormat("en-GB", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
    ...(zone === undefined ? {} : { timeZone: zone }),
  });
  return Object.fromEntries(format.formatToParts(at).map((part) => [part.type, part.value]));
}

/** `14:03:22`. */
export function clock(at: Date, zone?: string): string {
  const it = parts(at, zone);
  return `${it["hour"]}:${it["minute"]}:${it["second"]}`;
}

/** `14:03` on the day of `now`, else `11-21 14:03`. */
export function moment(at: Date, now: Date, zone?: string): string {
  const [it, today] = [parts(at, zone), parts(now, zone)];
  const time = `${it["hour"]}:${it["minute"]}`;
  const sameDay = it["year"] === today["year"] && it["month"] === today["month"] && it["day"] === today["day"];
  return sameDay ? time : `${it["month"]}-${it["day"]} ${time}`;
}

/** `2026-11-21`. */
export function day(at: Date, zone?: string): string {
  const it = parts(at, zone);
  return `${it["year"]}-${it["month"]}-${it["day"]}`;
}

/** `138 0013 8000`, `0755-1234 5678`, `010-1234 5678`; a masked number (with `*`) stays as the service sent it. */
export function telephone(digits: string): string {
  const mobile = /^(1\d{2})(\d{4})(\d{4})$/.exec(digits);
  if (mobile) return `${mobile[1]} ${mobile[2]} ${mobile[3]}`;
  const landline = /^(0(?:10|2\d|[3-9]\d{2}))(\d{3,4})(\d{4})$/.exec(digits);
  return landline ? `${landline[1]}-${landline[2]} ${landline[3]}` : digits;
}

/** Control and bidirectional characters of data made visible, so that they cannot reorder what stands around them. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (it) =>
    it < " " ? String.fromCharCode(0x2400 + it.charCodeAt(0)) : "\u2426");
}
