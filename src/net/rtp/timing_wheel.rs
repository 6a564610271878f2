//! Timing wheel: the legs of one media thread in 20 slots of 1 ms, alone or in mixes. All members of a
//! mix share one slot, so the voice of one member reaches the others in the same tick.

use super::leg::{Leg, TICK_MICROS};
use super::mixer::Mix;
use paceline_core::ids::{CallId, MixId};
use paceline_core::media::Voice;
use rustc_hash::FxHashMap;

pub const SLOTS: usize = 20;
pub const SLOT_MICROS: u64 = TICK_MICROS / SLOTS as u64;

#[derive(Default)]
pub struct Slot {
    pub alone: Vec<Leg>,
    pub mixes: Vec<Mix>,
}

#[derive(Default)]
pub struct TimingWheel {
    pub slots: [Slot; SLOTS],
    positions: FxHashMap<CallId, Position>,
    mixes: FxHashMap<MixId, usize>,
}

#[derive(Clone, Copy)]
struct Position {
    slot: usize,
    mix: Option<MixId>,
}

/// Start and position of the wheel, to compute when a slot is due.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    pub start_micros: u64,
    /// Number of the next slot, counted from the start.
    pub next: u64,
}

impl Schedule {
    fn next_due(self, slot: usize) -> u64 {
        let wait = (slot as u64 + SLOTS as u64 - self.next % SLOTS as u64) % SLOTS as u64;
        self.start_micros + (self.next + wait) * SLOT_MICROS
    }

    /// The slot that is due at this moment.
    fn slot_at(self, micros: u64) -> usize {
        (micros.saturating_sub(self.start_micros).div_ceil(SLOT_MICROS) % SLOTS as u64) as usize
    }
}

impl Slot {
    fn len(&self) -> usize {
        self.alone.len() + self.mixes.iter().map(Mix::len).sum::<usize>()
    }

    fn mix(&mut self, id: MixId) -> Option<&mut Mix> {
        self.mixes.iter_mut().find(|mix| mix.id == id)
    }
}

impl TimingWheel {
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Adds a leg to the slot with the fewest legs, to spread the load over the tick.
    pub fn add(&mut self, leg: Leg) {
        let slot = (0..SLOTS).min_by_key(|&slot| self.slots[slot].len()).unwrap_or(0);
        self.put(leg, slot);
    }

    /// Adds a leg that comes from another thread to the slot that continues its 20 ms rhythm.
    pub fn adopt(&mut self, mut leg: Leg, schedule: Schedule) {
        let slot = schedule.slot_at(leg.due_micros() + TICK_MICROS);
        leg.shift_tick(schedule.next_due(slot));
        self.put(leg, slot);
    }

    fn put(&mut self, leg: Leg, slot: usize) {
        self.positions.insert(leg.id, Position { slot, mix: None });
        self.slots[slot].alone.push(leg);
    }

    pub fn find(&mut self, id: CallId) -> Option<&mut Leg> {
        let position = *self.positions.get(&id)?;
        let slot = &mut self.slots[position.slot];
        match position.mix {
            Some(mix) => slot.mix(mix)?.find(id),
            None => slot.alone.iter_mut().find(|leg| leg.id == id),
        }
    }

    pub fn remove(&mut self, id: CallId) -> Option<Leg> {
        let position = self.positions.remove(&id)?;
        let slot = &mut self.slots[position.slot];
        let Some(mix) = position.mix else {
            let at = slot.alone.iter().position(|leg| leg.id == id)?;
            return Some(slot.alone.swap_remove(at));
        };
        let at = slot.mixes.iter().position(|found| found.id == mix)?;
        let leg = slot.mixes[at].remove(id);
        if slot.mixes[at].is_empty() {
            slot.mixes.swap_remove(at);
            self.mixes.remove(&mix);
        }
        leg
    }

    /// Moves the leg into the slot of the mix. The first member of a mix keeps its slot.
    pub fn join(&mut self, id: CallId, mix: MixId, voice: Voice, schedule: Schedule) {
        let Some(position) = self.positions.get(&id).copied() else { return };
        if position.mix == Some(mix) {
            if let Some(mix) = self.slots[position.slot].mix(mix) {
                mix.set_voice(id, voice);
            }
            return;
        }
        let Some(mut leg) = self.remove(id) else { return };
        let slot = *self.mixes.entry(mix).or_insert(position.slot);
        if slot != position.slot {
            leg.shift_tick(schedule.next_due(slot));
        }
        self.positions.insert(id, Position { slot, mix: Some(mix) });
        let there = &mut self.slots[slot];
        match there.mix(mix) {
            Some(found) => found.add(leg, voice),
            None => {
                let mut new = Mix::new(mix);
                new.add(leg, voice);
                there.mixes.push(new);
            }
        }
    }

    /// Removes the leg from its mix; it keeps its slot.
    pub fn leave(&mut self, id: CallId) {
        let Some(position) = self.positions.get(&id).copied() else { return };
        if position.mix.is_some()
            && let Some(leg) = self.remove(id)
        {
            self.put(leg, position.slot);
        }
    }

    pub fn drain(&mut self) -> Vec<Leg> {
        self.positions.clear();
        self.mixes.clear();
        let slots = self.slots.iter_mut();
        slots
            .flat_map(|slot| {
                let mixes = std::mem::take(&mut slot.mixes);
                let members = mixes.into_iter().flat_map(|mut mix| mix.drain().collect::<Vec<_>>());
                slot.alone.drain(..).chain(members).collect::<Vec<_>>()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_due_again_within_one_tick() {
        let schedule = Schedule { start_micros: 500, next: 47 };
        assert_eq!(schedule.next_due(7), 500 + 47_000);
        assert_eq!(schedule.next_due(8), 500 + 48_000);
        assert_eq!(schedule.next_due(6), 500 + 66_000);
        assert_eq!(schedule.slot_at(500 + 66_000), 6);
        assert_eq!(schedule.slot_at(500 + 65_001), 6);
    }
}
