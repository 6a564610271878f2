/** Reads server-sent events from a byte stream (WHATWG HTML 9.2.6): `event`, `data`, `id`; comments and other fields are skipped. */

export interface StreamEvent {
  event: string;
  data: string;
  id: string | undefined;
}

/** A line longer than this ends the stream: the service writes none, and the page's memory is finite. */
const LINE_MAX = 16 * 1024 * 1024;

/** Splits text that arrives in pieces into events. */
export class EventReader {
  private rest = "";
  private event = "";
  private data: string[] = [];
  private id: string | undefined;

  /** @throws Error if a line is longer than 16 MiB. */
  take(text: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    this.rest += text;
    for (;;) {
      const end = this.rest.search(/\r\n|\n|\r(?=.)/s);
      if (end < 0) break;
      const line = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + (this.rest.startsWith("\r\n", end) ? 2 : 1));
      const event = this.line(line);
      if (event) events.push(event);
    }
    if (this.rest.length > LINE_MAX) throw new Error("a line of the live stream is too long");
    return events;
  }

  private line(line: string): StreamEvent | undefined {
    if (line === "") {
      const event = { event: this.event || "message", data: this.data.join("\n"), id: this.id };
      const isEmpty = this.data.length === 0;
      this.event = "";
      this.data = [];
      return isEmpty ? undefined : event;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.event = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id" && !value.includes("\0")) this.id = value;
    return undefined;
  }
}
