/** What every journey begins and ends with: one program and one browser for the tests of a file. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { launch, signIn, visitor, type Look } from "./browser";
import { startService, type Account, type Service } from "./service";

type Visitor = Awaited<ReturnType<typeof visitor>>;

const USUAL: Look = { language: "zh", theme: "light" };

export interface Journey {
  readonly service: Service;
  /** A browser of one person, before the sign-in. */
  visit: (look?: Partial<Look>) => Promise<Visitor>;
  /** A browser of this person, signed in; leaving a page with changes is answered with yes. */
  open: (who: Account, path?: string, look?: Partial<Look>) => Promise<Visitor>;
}

/** Starts both before the tests of the file or of the `describe` around the call, and ends them after. */
export function journey(options: Parameters<typeof startService>[0] = {}, prepare?: (service: Service) => unknown): Journey {
  let service: Service | undefined;
  let browser: Browser | undefined;
  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(options), launch()]);
    await prepare?.(service);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  const there = () => {
    if (service === undefined || browser === undefined) throw new Error("a journey begins in its tests");
    return { service, browser };
  };
  const visit = (look: Partial<Look> = {}) => visitor(there().browser, there().service.url, { ...USUAL, ...look });
  return {
    get service() {
      return there().service;
    },
    visit,
    async open(who, path, look) {
      const made = await visit(look);
      made.page.on("dialog", (dialog) => void dialog.accept());
      await signIn(made.page, who.login, who.password);
      if (path !== undefined) await made.page.goto(path);
      return made;
    },
  };
}
