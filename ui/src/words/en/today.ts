import type { today as zh } from "../zh/today";

export const today = {
  "today.title": "Today",
  "today.needsYou": "Needs attention",
  "today.nothing": "Nothing needs attention today",
  "today.running": "Running",
  "today.summary": "Open campaigns {all} · running {running}",
  "today.seeCampaign": "See the campaign",
  "today.trunkDown": "Trunk {name} is down",
  "today.trunks": "Trunks",
  "today.trunkCalls": "{n}/{max} calls",
  "today.noTrunks": "No trunk: the simulated carrier is in use, nobody's phone rings.",
  "today.noneRunning": "No campaign is running",
  "today.allCampaigns": "All campaigns",
} as const satisfies Record<keyof typeof zh, string>;
