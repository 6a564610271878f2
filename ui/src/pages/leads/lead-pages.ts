/**
 * Rows of a keyset list that may be a million long, of which only the pages around the window are held. A page's place is known
 * once the page before it was read; its rows may be dropped and read again. Pure: the reader is an argument.
 */
import type { LeadPage, LeadRow } from "../../api/leads-table";

interface Page {
  /** `after` of its request; `undefined` for the first. */
  after: string | undefined;
  /** Index of its first row. */
  start: number;
  size: number;
  rows: LeadRow[] | undefined;
  state: "rest" | "reading" | "failed";
  /** Of the last reading that has begun: an older answer is dropped. */
  reading: number;
}

export type ReadPage = (after: string | undefined) => Promise<LeadPage>;

/** Pages whose rows are held beside those in the window. */
const HELD_AROUND = 3;

export class LeadPages {
  readonly count: NonNullable<LeadPage["count"]> | undefined;
  private pages: Page[];
  /** `after` of the page behind the last known one; `undefined` = there is none. */
  private next: string | undefined;
  private readonly listeners = new Set<() => void>();
  private version = 0;
  private window: [number, number] = [0, 0];

  constructor(private readonly read: ReadPage, first: LeadPage) {
    this.count = first.count ?? undefined;
    this.pages = [{ after: undefined, start: 0, size: first.leads.length, rows: first.leads, state: "rest", reading: 0 }];
    this.next = first.next ?? undefined;
  }

  /** Rows whose place is known. */
  get size(): number {
    const last = this.pages[this.pages.length - 1];
    return last === undefined ? 0 : last.start + last.size;
  }

  /** Whether rows follow that have not been read yet. */
  get hasMore(): boolean {
    return this.next !== undefined;
  }

  get isReading(): boolean {
    return this.pages.some((page) => page.state === "reading");
  }

  get hasFailed(): boolean {
    return this.pages.some((page) => page.state === "failed");
  }

  /** The row at this place; `undefined` = not held now. */
  at(index: number): LeadRow | undefined {
    const page = this.pageOf(index);
    return page?.rows?.[index - page.start];
  }

  /** The rows that are held, in their order. */
  held(): LeadRow[] {
    return this.pages.flatMap((page) => page.rows ?? []);
  }

  /** The place of a lead among the rows that are held; -1 = not among them. */
  indexOf(lead: number): number {
    for (const page of this.pages) {
      const at = page.rows?.findIndex((row) => row.lead === lead) ?? -1;
      if (at >= 0) return page.start + at;
    }
    return -1;
  }

  /** Sees to it that these rows are held or being read; the last rows that are known ask for the page behind them. */
  want(first: number, last: number): void {
    this.window = [first, last];
    for (const page of this.pages) {
      const isSeen = page.start <= last && page.start + page.size > first;
      if (isSeen && page.rows === undefined && page.state === "rest") this.readAgain(page);
    }
    const end = this.pages[this.pages.length - 1];
    if (last >= this.size - 1 && this.next !== undefined && end?.state === "rest") {
      const page: Page = { after: this.next, start: this.size, size: 0, rows: undefined, state: "rest", reading: 0 };
      this.next = undefined;
      this.pages.push(page);
      this.readAgain(page);
    }
    this.dropFar();
  }

  /** Reads the pages in the window again; the others are dropped and read when they are wanted. */
  refresh(): void {
    const [first, last] = this.window;
    for (const page of this.pages) {
      if (page.start <= last && page.start + page.size > first) this.readAgain(page);
      else page.rows = undefined;
    }
    this.notify();
  }

  /** Reads again what failed. */
  retry(): void {
    for (const page of this.pages) if (page.state === "failed") this.readAgain(page);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Another number after each change. */
  snapshot = (): number => this.version;

  private notify(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }

  private pageOf(index: number): Page | undefined {
    return this.pages.find((page) => index >= page.start && index < page.start + page.size);
  }

  private readAgain(page: Page): void {
    page.state = "reading";
    page.reading += 1;
    const reading = page.reading;
    this.read(page.after).then(
      (answer) => {
        if (page.reading === reading && this.pages.includes(page)) this.take(page, answer);
      },
      () => {
        if (page.reading !== reading) return;
        page.state = "failed";
        this.notify();
      },
    );
    this.notify();
  }

  /** Rows may have left the list since the page was read first: where its end has moved, the pages behind it begin elsewhere. */
  private take(page: Page, answer: LeadPage): void {
    const at = this.pages.indexOf(page);
    const known = at + 1 < this.pages.length ? this.pages[at + 1]?.after : this.next;
    const next = answer.next ?? undefined;
    page.rows = answer.leads;
    page.size = answer.leads.length;
    page.state = "rest";
    if (next !== known) {
      this.pages = this.pages.slice(0, at + 1);
      this.next = next;
    } else {
      let start = page.start + page.size;
      for (const other of this.pages.slice(at + 1)) {
        other.start = start;
        start += other.size;
      }
    }
    this.notify();
  }

  private dropFar(): void {
    const seen = this.pages.map((page) => page.start <= this.window[1] && page.start + page.size > this.window[0]);
    const [first, last] = [seen.indexOf(true), seen.lastIndexOf(true)];
    if (first < 0) return;
    this.pages.forEach((page, n) => {
      if (n < first - HELD_AROUND || n > last + HELD_AROUND) page.rows = undefined;
    });
  }
}
