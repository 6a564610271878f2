/** Numbers of a campaign that pages derive from its figures. Pure. */
import type { Campaign } from "../../api/words";

export interface Stages {
  starting: number;
  ringing: number;
  /** Answered, hearing the announcement. */
  announcing: number;
  waiting: number;
  talking: number;
}

const number = (value: unknown): number => (typeof value === "number" ? value : 0);

export function stages(campaign: Campaign): Stages {
  const { view } = campaign;
  return { starting: number(view["starting"]), ringing: number(view["ringing"]), announcing: number(view["up"]), waiting: number(view["waiting"]), talking: number(view["talking"]) };
}

/** Whether agents take part: an announcement without a group has none, and so neither conversations nor abandoned calls. */
export const hasAgents = (campaign: Campaign): boolean => campaign.group !== null || (campaign.mode !== null && campaign.mode !== "announce");

/** Calls that are out now. */
export function callsOut(campaign: Campaign): number {
  const it = stages(campaign);
  return it.starting + it.ringing + it.announcing + it.waiting + it.talking;
}

export function leadsOpen(campaign: Campaign): number {
  return number(campaign.view["leads_open"]);
}

/** Leads of the campaign, each once: those that ended and those still open. */
export function leadsAll(campaign: Campaign): number {
  return campaign.leads;
}

/** The rule that leaves the fewest abandoned calls, where any call was answered. */
export function strictestRule(campaign: Campaign) {
  const { abandon } = campaign;
  return abandon?.rules.find((rule) => rule.rule === abandon.strictest && rule.of > 0);
}
