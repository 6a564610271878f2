/** The one list of pages: path, the right that opens it, its place in the navigation. */
import type { ComponentType } from "react";
import type { Right } from "../rights";
import type { PlainKey } from "../words";

type Load = () => Promise<{ default: ComponentType }>;

export interface Page {
  /** As React Router has it, without the leading slash. */
  path: string;
  right: Right;
  /** Its entry in the top navigation; pages without one are reached from others. */
  entry?: PlainKey;
  /** The menu of the navigation that holds the entry; without it the entry stands by itself. `badge`: reached by its count at the right of the frame. */
  menu?: "resources" | "admin" | "badge";
  load: Load;
  /** Pages below a common head, such as the tabs of a campaign. */
  children?: { path: string; right?: Right; load: Load }[];
}

export const PAGES: readonly Page[] = [
  { path: "today", right: "campaigns.read", entry: "frame.today", load: () => import("./today/Today") },
  { path: "campaigns", right: "campaigns.read", entry: "frame.campaigns", load: () => import("./campaigns/Campaigns") },
  { path: "campaigns/new", right: "campaigns.edit", load: () => import("./campaigns/NewCampaign") },
  {
    path: "campaigns/:name",
    right: "campaigns.read",
    load: () => import("./campaigns/CampaignFrame"),
    children: [
      { path: "live", load: () => import("./campaigns/Live") },
      { path: "results", right: "results.read", load: () => import("./campaigns/results/CampaignResults") },
      { path: "leads", load: () => import("./leads/Leads") },
      { path: "lists", right: "lists.edit", load: () => import("./lists/Lists") },
      { path: "lists/:id", right: "lists.edit", load: () => import("./lists/ListWizard") },
      { path: "settings", load: () => import("./campaigns/settings/Settings") },
      { path: "start", load: () => import("./campaigns/start/Start") },
      { path: "history", load: () => import("./campaigns/history/History") },
    ],
  },
  { path: "desk", right: "seat.use", entry: "desk.title", load: () => import("./desk/Desk") },
  { path: "desk/log", right: "seat.use", load: () => import("./desk/Log") },
  { path: "floor", right: "floor.read", entry: "frame.floor", load: () => import("./floor/Floor") },
  { path: "results", right: "results.read", entry: "results.title", load: () => import("./results/Results") },
  { path: "results/sums", right: "results.read", load: () => import("./results/sums/Sums") },
  { path: "exports", right: "exports.make", entry: "exports.title", menu: "resources", load: () => import("./exports/Exports") },
  { path: "people", right: "people.read", entry: "people.title", menu: "resources", load: () => import("./people/People") },
  { path: "people/new", right: "people.edit", load: () => import("./people/AddPerson") },
  { path: "people/:number/edit", right: "people.edit", load: () => import("./people/EditPerson") },
  { path: "groups", right: "people.read", entry: "groups.title", menu: "resources", load: () => import("./people/Groups") },
  { path: "groups/new", right: "groups.edit", load: () => import("./people/GroupForm") },
  { path: "groups/:group/edit", right: "groups.edit", load: () => import("./people/GroupForm") },
  { path: "audio", right: "audio.edit", entry: "audio.title", menu: "resources", load: () => import("./audio/Audio") },
  { path: "caller-ids", right: "caller_ids.edit", entry: "callerIds.title", menu: "resources", load: () => import("./caller-ids/CallerIds") },
  { path: "trunks", right: "trunks.read", entry: "trunks.title", menu: "resources", load: () => import("./trunks/Trunks") },
  { path: "approvals", right: "approvals.decide", entry: "approvals.title", menu: "badge", load: () => import("./approvals/Approvals") },
  { path: "blacklist", right: "blacklist.read", entry: "blacklist.title", menu: "resources", load: () => import("./blacklist/Blacklist") },
  { path: "schedule", right: "campaigns.read", entry: "schedule.title", menu: "resources", load: () => import("./schedule/Schedule") },
  { path: "settings", right: "organisation.edit", entry: "organisation.title", menu: "admin", load: () => import("./admin/OrganisationSettings") },
  { path: "config", right: "system.read", entry: "organisation.node", menu: "admin", load: () => import("./admin/Node") },
  { path: "tokens", right: "tokens.edit", entry: "tokens.title", menu: "admin", load: () => import("./admin/Tokens") },
  { path: "audit", right: "audit.read", entry: "audit.title", menu: "admin", load: () => import("./admin/Audit") },
  { path: "health", right: "health.read", entry: "health.title", menu: "admin", load: () => import("./admin/Health") },
];
