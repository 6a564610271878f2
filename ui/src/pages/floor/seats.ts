/** What the floor's rows show of a seat. Pure: the moment is an argument. */
import type { Seat } from "../../api/words";
import { SEAT_STATES, seatState, type State } from "../../states";

/** Seconds after which a state needs a person's eye, until groups have thresholds of their own. */
const ATTENTION: readonly [State, number][] = [[SEAT_STATES.wrap_up, 90], [SEAT_STATES.paused, 1_200], [SEAT_STATES.phone_not_ready, 30]];

/** How long the seat has been in its state, in seconds. */
export function secondsIn(seat: Seat, now: number): number {
  return Math.max(0, now - Date.parse(seat.since) / 1000);
}

export function needsAttention(seat: Seat, now: number): boolean {
  const state = seatState(seat);
  const limit = ATTENTION.find(([it]) => it === state)?.[1];
  return limit !== undefined && secondsIn(seat, now) > limit;
}

/** Seats per state, in the order of the table of states; states without a seat are left out. */
export function countStates(seats: readonly Seat[]): [State, number][] {
  const counts = new Map<State, number>();
  for (const seat of seats) counts.set(seatState(seat), (counts.get(seatState(seat)) ?? 0) + 1);
  return Object.values(SEAT_STATES).flatMap((state): [State, number][] => {
    const n = counts.get(state);
    return n === undefined ? [] : [[state, n]];
  });
}

export const isAtWork = (seat: Seat): boolean => seat.availability !== "signed_out";

/** Whether a callee is on the line. */
export const isInCall = (seat: Seat): boolean => seat.activity === "talking" || seat.activity === "consulting";
