import { common } from "./en/common";
import { kit } from "./en/kit";
import { admin } from "./en/admin";
import { audio } from "./en/audio";
import { approvals } from "./en/approvals";
import { blacklist } from "./en/blacklist";
import { tokens } from "./en/tokens";
import { results } from "./en/results";
import { people } from "./en/people";
import { groups } from "./en/groups";
import { states } from "./en/states";
import { problems } from "./en/problems";
import { frame } from "./en/frame";
import { entry } from "./en/entry";
import { campaigns } from "./en/campaigns";
import { lists } from "./en/lists";
import { floor } from "./en/floor";
import { rights } from "./en/rights";
import { campaignSettings } from "./en/campaign-settings";
import { campaignStart } from "./en/campaign-start";
import { campaignHistory } from "./en/campaign-history";
import { campaignNew } from "./en/campaign-new";
import { today } from "./en/today";
import type { zh } from "./zh";

/** Every text of the console, by area; keys are `area.word`. */
export const en = { ...common, ...states, ...problems, ...frame, ...entry, ...campaigns, ...lists, ...floor, ...today, ...rights, ...campaignSettings, ...campaignStart, ...campaignHistory, ...campaignNew, ...kit, ...people, ...groups, ...results, ...blacklist, ...audio, ...approvals, ...tokens, ...admin } satisfies Record<keyof typeof zh, string>;
