import { expect, test } from "vitest";
import { isPicture, PROOF_BYTES_MAX, proofAddress, proofFault } from "./proof";

test("a proof has bytes, and no more than the service takes", () => {
  expect([0, 1, PROOF_BYTES_MAX, PROOF_BYTES_MAX + 1].map(proofFault)).toEqual(["empty", undefined, undefined, "large"]);
});

test("a picture is shown, and a PDF is saved", () => {
  expect(["image/png", "image/jpeg", "application/pdf"].map(isPicture)).toEqual([true, true, false]);
});

test("another paper of the same number has another address in the page", () => {
  const [first, second] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"].map((at) => proofAddress("075512345678", at));
  expect(first).toMatch(/^\/api\/v1\/caller-ids\/075512345678\/proof#/);
  expect(first).not.toBe(second);
});
