import { common } from "./zh/common";
import { kit } from "./zh/kit";
import { admin } from "./zh/admin";
import { audio } from "./zh/audio";
import { approvals } from "./zh/approvals";
import { blacklist } from "./zh/blacklist";
import { tokens } from "./zh/tokens";
import { results } from "./zh/results";
import { people } from "./zh/people";
import { groups } from "./zh/groups";
import { states } from "./zh/states";
import { problems } from "./zh/problems";
import { frame } from "./zh/frame";
import { entry } from "./zh/entry";
import { campaigns } from "./zh/campaigns";
import { leads } from "./zh/leads";
import { lists } from "./zh/lists";
import { organisation } from "./zh/organisation";
import { schedule } from "./zh/schedule";
import { floor } from "./zh/floor";
import { rights } from "./zh/rights";
import { campaignSettings } from "./zh/campaign-settings";
import { campaignStart } from "./zh/campaign-start";
import { campaignHistory } from "./zh/campaign-history";
import { campaignNew } from "./zh/campaign-new";
import { today } from "./zh/today";

/** Every text of the console, by area; keys are `area.word`. */
export const zh = { ...common, ...states, ...problems, ...frame, ...entry, ...campaigns, ...leads, ...lists, ...floor, ...organisation, ...schedule, ...today, ...rights, ...campaignSettings, ...campaignStart, ...campaignHistory, ...campaignNew, ...kit, ...people, ...groups, ...results, ...blacklist, ...audio, ...approvals, ...tokens, ...admin };
