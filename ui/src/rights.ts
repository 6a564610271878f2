/** Rights of an account (SERVICE.md 4.2). Pages draw by right, never by role. */
import type { Person } from "./api/words";

export const RIGHTS = [
  "campaigns.read", "campaigns.edit", "campaigns.run", "floor.read", "people.read", "groups.edit", "seat.use", "seat.supervise",
  "calls.read", "results.read", "tokens.edit", "blacklist.read", "blacklist.edit",
] as const;
export type Right = (typeof RIGHTS)[number];

/** What the roles of a service without `rights` may do. */
const BY_ROLE: Record<Person["role"], readonly Right[]> = {
  admin: RIGHTS,
  manager: RIGHTS,
  lead: ["campaigns.read", "floor.read", "people.read", "seat.use", "seat.supervise", "calls.read", "blacklist.read"],
  analyst: ["campaigns.read", "floor.read", "calls.read", "results.read", "blacklist.read"],
  agent: ["seat.use", "calls.read"],
};

export function rightsOf(person: Person): ReadonlySet<Right> {
  const { rights } = person as Person & { rights?: string[] };
  return new Set((rights as Right[] | undefined) ?? BY_ROLE[person.role]);
}
