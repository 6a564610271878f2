import type { views as zh } from "../zh/views";

export const views = {
  "views.title": "Views",
  "views.own": "My views",
  "views.shared": "Shared views",
  "views.of": "{name} (by {owner})",
  "views.changed": ", changed",
  "views.keep": "Save these filters and columns as “{name}”",
  "views.asSaved": "As it was saved",
  "views.edit": "Rename or share…",
  "views.delete": "Delete the view",
  "views.save": "Save as a view…",
  "views.saveNow": "Save",
  "views.name": "Name",
  "views.nameMissing": "Write a name",
  "views.group": "Shared with",
  "views.onlyMe": "Nobody",
  "views.groupHelp": "The group's members find the view in their own list. Its filters stand in the address: everybody sees the same, within the calls that they may see.",
  "views.deleteOne": "Delete the view “{name}”",
  "views.askDelete": "The calls stay as they are.",
  "views.askDeleteShared": "The members of {group} no longer see it either. The calls stay as they are.",
} satisfies Record<keyof typeof zh, string>;
