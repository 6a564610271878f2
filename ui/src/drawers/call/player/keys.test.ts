import { expect, test } from "vitest";
import { actOf } from "./keys";

const press = (key: string, also: Partial<Record<"shiftKey" | "ctrlKey" | "altKey" | "metaKey", boolean>> = {}) =>
  ({ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...also });

test("arrows move five seconds, with shift fifteen, and space plays or pauses", () => {
  expect(actOf(press("ArrowLeft"), "other")).toEqual({ kind: "move", by: -5 });
  expect(actOf(press("ArrowRight", { shiftKey: true }), "other")).toEqual({ kind: "move", by: 15 });
  expect(actOf(press(" "), "other")).toEqual({ kind: "toggle" });
});

test("a button keeps its space, a choice all its keys, and the browser what it has with Ctrl", () => {
  expect(actOf(press(" "), "button")).toBeUndefined();
  expect(actOf(press("ArrowLeft"), "button")).toEqual({ kind: "move", by: -5 });
  expect(actOf(press("ArrowLeft"), "choice")).toBeUndefined();
  expect(actOf(press(" "), "choice")).toBeUndefined();
  for (const also of ["ctrlKey", "altKey", "metaKey"] as const) expect(actOf(press("ArrowLeft", { [also]: true }), "other")).toBeUndefined();
  expect(actOf(press("a"), "other")).toBeUndefined();
});
