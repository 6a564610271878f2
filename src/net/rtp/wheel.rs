//! A media thread: a wheel of 20 slots of 1 ms, each with its legs. Deadlines are absolute, so the
//! beat never drifts; a thread that was late catches up a few packets and gives up the rest.

use super::leg::{Beat, Leg, Line};
use super::ports::Ports;
use super::system::{self, Inbox, Outbox, Urgency};
use super::totals::Counters;
use super::{MediaCommand, MediaEvent};
use paceline_core::ids::CallId;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashMap;
use std::hash::BuildHasher;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, Once, PoisonError};

const SLOTS: usize = 20;
const SLOT_MICROS: u64 = 1_000;
const BEAT_MICROS: u64 = SLOTS as u64 * SLOT_MICROS;
/// Packets of one leg sent at once after a delay. Older ones would only overflow the far side's buffer.
const CATCH_UP: u64 = 5;
/// Commands carried out per slot, so that a burst of them does not delay packets.
const COMMANDS: usize = 256;

/// What the threads hear from the handle.
pub enum Order {
    Open(CallId, Line),
    Do(CallId, MediaCommand),
}

/// One thread's world.
pub struct Wheel {
    pub orders: Receiver<Order>,
    pub ports: Arc<Mutex<Ports>>,
    pub counters: Arc<Counters>,
    pub silence_micros: u64,
    pub report: Arc<dyn Fn(MediaEvent) + Send + Sync>,
}

struct Legs {
    slots: [Vec<Leg>; SLOTS],
    slot_of: FxHashMap<CallId, usize>,
}

impl Wheel {
    /// Runs until the last handle is gone; then every leg is closed.
    pub fn run(self) {
        warn_if_not_urgent(system::become_urgent());
        let mut random = ChaCha8Rng::from_seed(system::random_seed().unwrap_or_else(fallback_seed));
        let mut random = move || random.next_u64();
        let mut legs = Legs { slots: Default::default(), slot_of: FxHashMap::default() };
        let (mut inbox, mut outbox) = (Inbox::new(), Outbox::new());
        let start = system::monotonic_micros();
        let mut next = 0;
        loop {
            if legs.slot_of.is_empty() {
                let Ok(order) = self.orders.recv() else { return };
                self.carry_out(order, &mut legs, &mut random);
                // Nothing was due while there were no legs.
                next = (system::monotonic_micros() - start) / SLOT_MICROS + 1;
            }
            if !self.take_orders(&mut legs, &mut random) {
                return self.close_all(&mut legs);
            }
            system::sleep_until(start + next * SLOT_MICROS);
            let last = ((system::monotonic_micros() - start) / SLOT_MICROS).max(next);
            for first in next..=last.min(next + SLOTS as u64 - 1) {
                let slot = &mut legs.slots[(first % SLOTS as u64) as usize];
                let beats = (last - first) / SLOTS as u64 + 1;
                let frames = beats.min(CATCH_UP);
                let skipped = beats - frames;
                for leg in slot {
                    let mut beat = Beat {
                        now_micros: system::monotonic_micros(),
                        wall_micros: system::wall_micros(),
                        due_micros: start + first * SLOT_MICROS + skipped * BEAT_MICROS,
                        frames: frames as u32,
                        skipped: skipped as u32,
                        inbox: &mut inbox,
                        outbox: &mut outbox,
                        random: &mut random,
                        report: &*self.report,
                    };
                    let done = leg.beat(&mut beat, self.silence_micros);
                    let lateness = beat.now_micros.saturating_sub(beat.due_micros);
                    self.counters.beat(done, lateness, BEAT_MICROS);
                }
            }
            next = last + 1;
        }
    }

    /// `false` once there is nobody left to give orders.
    fn take_orders(&self, legs: &mut Legs, random: &mut dyn FnMut() -> u64) -> bool {
        for _ in 0..COMMANDS {
            match self.orders.try_recv() {
                Ok(order) => self.carry_out(order, legs, random),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    fn carry_out(&self, order: Order, legs: &mut Legs, random: &mut dyn FnMut() -> u64) {
        let now = system::monotonic_micros();
        match order {
            Order::Open(id, line) => {
                if let Some(earlier) = legs.remove(id) {
                    self.close(earlier);
                }
                legs.add(Leg::new(id, line, now, random));
            }
            Order::Do(id, MediaCommand::Close) => {
                if let Some(leg) = legs.remove(id) {
                    self.close(leg);
                }
            }
            Order::Do(id, command) => {
                if let Some(leg) = legs.find(id) {
                    leg.command(command, now);
                }
            }
        }
    }

    fn close(&self, leg: Leg) {
        let id = leg.id;
        let (port, stats) = leg.close(system::wall_micros());
        let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        ports.give_back(port, system::monotonic_micros());
        drop(ports);
        self.counters.closed();
        (self.report)(MediaEvent::Closed { leg: id, stats });
    }

    fn close_all(&self, legs: &mut Legs) {
        for leg in legs.slots.iter_mut().flat_map(|slot| slot.drain(..)) {
            self.close(leg);
        }
    }
}

impl Legs {
    /// Into the emptiest slot, so that the load is spread over the beat.
    fn add(&mut self, leg: Leg) {
        let emptiest = (0..SLOTS).min_by_key(|&slot| self.slots[slot].len()).unwrap_or(0);
        self.slot_of.insert(leg.id, emptiest);
        self.slots[emptiest].push(leg);
    }

    fn find(&mut self, id: CallId) -> Option<&mut Leg> {
        let slot = *self.slot_of.get(&id)?;
        self.slots[slot].iter_mut().find(|leg| leg.id == id)
    }

    fn remove(&mut self, id: CallId) -> Option<Leg> {
        let slot = self.slot_of.remove(&id)?;
        let place = self.slots[slot].iter().position(|leg| leg.id == id)?;
        Some(self.slots[slot].swap_remove(place))
    }
}

fn warn_if_not_urgent(urgency: Urgency) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| match urgency {
        Urgency::RealTime => tracing::info!("media threads run with real-time priority"),
        Urgency::Nice => tracing::warn!(
            "media threads run at nice -11, not with real-time priority: audio may stutter under load; \
             give the service CAP_SYS_NICE or LimitRTPRIO=10"
        ),
        Urgency::Usual => tracing::warn!(
            "media threads have no priority over other programs: audio may stutter under load; \
             give the service CAP_SYS_NICE or LimitRTPRIO=10"
        ),
    });
}

/// The standard library's hash keys are random too.
fn fallback_seed() -> [u8; 32] {
    let keys = std::hash::RandomState::new();
    let mut seed = [0; 32];
    for (n, part) in seed.chunks_mut(8).enumerate() {
        part.copy_from_slice(&keys.hash_one(n).to_le_bytes());
    }
    seed
}
