export const ladder = {
  "ladder.title": "What the call did",
  "ladder.time": "Time",
  "ladder.carrier": "Carrier",
  "ladder.meaning": "Meaning",
  "ladder.out": "Sent",
  "ladder.in": "Received",
  "ladder.note": "Note",
  "ladder.gap": "Left out",
  "ladder.again": "repeated",
  "ladder.live": "In progress",
  "ladder.none": "This call has no record of its steps: it was cut off, or it is older than the record.",
} as const;
