/** What the live stream has said so far, as plain maps; events change it, a snapshot replaces it whole. Pure. */
import type { Campaign, Floor, Seat, Trunk, Words } from "../api/words";

export interface Decision {
  campaign: string;
  at: string;
  place: number;
  why: string;
  words: Words;
}

export interface Model {
  /** Empty until the first snapshot. */
  at: string | undefined;
  store: string;
  /** Version of the service that made the snapshot, where it says so. */
  version: string | undefined;
  seats: Map<string, Seat>;
  campaigns: Map<string, Campaign>;
  trunks: Map<string, Trunk>;
  /** The last decision of each campaign. */
  decisions: Map<string, Decision>;
}

/** What an event changed: the whole, a row of a map, or nothing that the model keeps. */
export type Change = { kind: "all" } | { kind: "seat" | "campaign" | "trunk"; key: string } | { kind: "none" };

export function emptyModel(): Model {
  return { at: undefined, store: "ok", version: undefined, seats: new Map(), campaigns: new Map(), trunks: new Map(), decisions: new Map() };
}

/** Applies one event. Unknown kinds change nothing: an older page reads a newer service. */
export function apply(model: Model, event: string, data: unknown): Change {
  switch (event) {
    case "snapshot": {
      const floor = data as Floor & { version?: string };
      model.at = floor.at;
      model.store = floor.store;
      model.version = floor.version;
      model.seats = new Map(floor.seats.map((seat) => [seat.agent, seat]));
      model.campaigns = new Map(floor.campaigns.map((campaign) => [campaign.name, campaign]));
      model.trunks = new Map(floor.trunks.map((trunk) => [trunk.name, trunk]));
      model.decisions = new Map();
      return { kind: "all" };
    }
    case "seat": {
      const seat = data as Seat;
      // Events of one seat may overtake each other across a reconnect: the later state stays.
      const known = model.seats.get(seat.agent);
      if (known && Date.parse(known.since) > Date.parse(seat.since)) return { kind: "none" };
      model.seats.set(seat.agent, seat);
      return { kind: "seat", key: seat.agent };
    }
    case "campaign": {
      const campaign = data as Campaign;
      model.campaigns.set(campaign.name, campaign);
      return { kind: "campaign", key: campaign.name };
    }
    case "decision": {
      const decision = data as Decision;
      model.decisions.set(decision.campaign, decision);
      // The figures follow within a second; the reason to wait is known now.
      const known = model.campaigns.get(decision.campaign);
      if (known) model.campaigns.set(decision.campaign, { ...known, why: decision.why, words: decision.words });
      return { kind: "campaign", key: decision.campaign };
    }
    case "finished": {
      const { campaign } = data as { campaign: string };
      const known = model.campaigns.get(campaign);
      if (known) model.campaigns.set(campaign, { ...known, finished: true });
      return { kind: "campaign", key: campaign };
    }
    case "trunk": {
      const trunk = data as Trunk;
      model.trunks.set(trunk.name, { ...model.trunks.get(trunk.name), ...trunk });
      return { kind: "trunk", key: trunk.name };
    }
    default:
      return { kind: "none" };
  }
}

/** The model as a snapshot, for a tab that joins a stream that is already open. */
export function asSnapshot(model: Model): unknown {
  return {
    at: model.at,
    store: model.store,
    version: model.version,
    seats: [...model.seats.values()],
    campaigns: [...model.campaigns.values()],
    trunks: [...model.trunks.values()],
  };
}
