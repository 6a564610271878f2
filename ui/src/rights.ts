/** Rights of an account, as `GET /me` sends them. Pages draw by right, never by role. */
import type { Person } from "./api/words";

/** Every right of the service; a test compares it with the service's table. */
export const RIGHTS = [
  "organisation.edit", "organisations.make", "people.read", "people.edit", "sessions.end", "groups.edit", "groups.members", "tokens.edit",
  "campaigns.read", "floor.read", "campaigns.edit", "campaigns.run", "lists.edit", "schedule.edit", "leads.edit", "leads.close", "leads.add",
  "approvals.decide", "audio.edit", "caller_ids.edit", "blacklist.read", "blacklist.add", "blacklist.edit", "trunks.read", "trunks.test",
  "trunks.edit", "seat.use", "seat.supervise", "calls.read", "recordings.play", "numbers.read", "results.read", "exports.make", "notices.send",
  "walls.make", "knowledge.edit", "alarms.edit", "alarms.acknowledge", "audit.read", "health.read", "system.read",
] as const;
export type Right = (typeof RIGHTS)[number];

const known: ReadonlySet<string> = new Set(RIGHTS);

/** Rights that this page does not know belong to a newer service and open nothing here. */
export function rightsOf(person: Person): ReadonlySet<Right> {
  return new Set(person.rights.filter((right): right is Right => known.has(right)));
}
