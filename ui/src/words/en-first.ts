/** The words of the sign-in page: all others are loaded with the first page behind it. */
import { common } from "./en/common";
import { entry } from "./en/entry";
import { frame } from "./en/frame";
import { kit } from "./en/kit";
import { problems } from "./en/problems";
import { states } from "./en/states";
import type { first as zh } from "./zh-first";

export const first = { ...common, ...entry, ...frame, ...kit, ...problems, ...states } satisfies Record<keyof typeof zh, string>;
