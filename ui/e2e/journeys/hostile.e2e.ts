/** Text of lists, names and files is text: nothing of it runs, nothing of it reorders a line. */
import { expect, test } from "vitest";
import { journey } from "../lib/journey";
import { PEOPLE } from "../lib/service";

const NASTY = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>';

const its = journey();

test("a hostile name of an agent and a hostile reason of a pause are shown as they are", async () => {
  await its.service.api(PEOPLE.manager, "PATCH", "/agents/8104", { name: NASTY });
  const worker = { login: "8104", password: "worker-bee-5", role: "agent" } as const;
  await its.service.api(worker, "POST", "/me/actions", { action: "pause", reason: `${NASTY}\u202eabc` });
  const { page, faults, context } = await its.open(PEOPLE.manager, "/floor");
  const row = page.getByRole("row", { name: /8104/ });
  await row.waitFor();
  expect(await row.textContent()).toContain(NASTY);
  expect(await row.textContent()).not.toContain("\u202e");
  expect(await page.evaluate(() => (window as unknown as { ran?: number }).ran)).toBe(undefined);
  expect(faults).toEqual([]);
  await context.close();
});

test("the policy stands on pages, assets and worker; addresses below /api are never pages", async () => {
  const page = await fetch(`${its.service.url}/campaigns/x/live`, { headers: { "Accept-Language": "en" } });
  const html = await page.text();
  const policy = page.headers.get("content-security-policy") ?? "";
  const nonce = /'nonce-(\w+)'/.exec(policy)?.[1] ?? "";
  expect(nonce).not.toBe("");
  expect(html).toContain(`content="${nonce}"`);
  expect(html).toContain('lang="en-GB"');
  expect(policy).not.toContain("unsafe");
  expect(page.headers.get("cache-control")).toBe("no-store");
  expect(page.headers.get("etag")).toBe(null);
  const again = await (await fetch(`${its.service.url}/`)).text();
  expect(again).not.toContain(nonce);
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1] ?? "";
  const asset = await fetch(its.service.url + script, { headers: { "Accept-Encoding": "br" } });
  expect(asset.headers.get("cache-control")).toContain("immutable");
  expect(asset.headers.get("content-encoding")).toBe("br");
  expect(asset.headers.get("content-security-policy")).toContain("worker-src 'self'");
  for (const path of ["/api/v1/none", "/api/none", "/assets/gone-1234.js", "/assets/../../Cargo.toml", "/assets/%2e%2e/%2e%2e/Cargo.toml"]) {
    const answer = await fetch(its.service.url + path);
    expect([path, answer.headers.get("content-type")?.split(";")[0]]).not.toEqual([path, "text/plain"]);
    expect(await answer.text()).not.toContain("[workspace]");
  }
  const missing = await fetch(`${its.service.url}/api/v1/none`);
  expect([missing.status, missing.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
  expect((await fetch(`${its.service.url}/today`, { method: "POST" })).status).toBe(405);
});
