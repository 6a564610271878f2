/** What a file must be to be sent as a list. Pure. */

/** Largest list, in bytes: text, and a workbook (SERVICE.md 4.4). The service holds to them too. */
export const TEXT_MAX = 512 * 1024 * 1024;
export const WORKBOOK_MAX = 128 * 1024 * 1024;

/** Where the last bytes of a file name are cut, so that the service takes it (255 bytes). The ending stays. */
export function fitName(name: string): string {
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  if (bytes(name) <= 255) return name;
  const dot = name.lastIndexOf(".");
  const ending = dot > 0 && name.length - dot <= 8 ? name.slice(dot) : "";
  const stem = [...name.slice(0, name.length - ending.length)];
  while (bytes(stem.join("") + ending) > 255) stem.pop();
  return stem.join("") + ending;
}

/** The limit that a file is above, in bytes. */
export function exceeded(name: string, size: number): number | undefined {
  const max = /\.xls[xm]$/i.test(name) ? WORKBOOK_MAX : TEXT_MAX;
  return size > max ? max : undefined;
}
