import type { kit as zh } from "../zh/kit";

export const kit = {
  "kit.before": "Previous",
  "kit.after": "Next",
  "kit.noMore": "No more in this direction",
  "kit.removeFilter": "Remove the filter {name}",
  "kit.more": "Load more",
  "kit.copied": "Copied",
  "kit.notCopied": "The browser did not copy: select the text and copy it",
  "kit.resources": "Resources",
  "kit.admin": "Admin",
  "kit.undo": "Undo",
  "kit.undone": "Taken back",
  "kit.table": "Table",
  "kit.plot": "Plot",
  "kit.tableOf": "{name}: table",
  "kit.plotOf": "{name}: plot",
  "kit.plotWords": "{name}, latest: {values}",
  "kit.moment": "Time",
} as const satisfies Record<keyof typeof zh, string>;
