/** The words of the sign-in page: all others are loaded with the first page behind it. */
import { common } from "./zh/common";
import { entry } from "./zh/entry";
import { frame } from "./zh/frame";
import { kit } from "./zh/kit";
import { problems } from "./zh/problems";
import { states } from "./zh/states";

export const first = { ...common, ...entry, ...frame, ...kit, ...problems, ...states };
