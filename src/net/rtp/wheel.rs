//! A media thread. It drives a timing wheel of 20 slots of 1 ms, each with its legs and mixes. Deadlines
//! are absolute, so the tick never drifts; a late thread catches up a few packets and skips the rest.

use super::leg::{BEAT_MICROS, Beat, Leg, Line};
use super::legs::{Legs, SLOT_MICROS, SLOTS, Turns};
use super::mixing::Desk;
use super::ports::Ports;
use super::recording::Pen;
use super::system::{self, Inbox, Outbox, Urgency};
use super::totals::Counters;
use super::{MediaCommand, MediaEvent};
use paceline_core::ids::CallId;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::mpsc::{Receiver, SendError, Sender, TryRecvError};
use std::sync::{Arc, Mutex, Once, PoisonError};

/// Packets per leg sent at once after a delay; older ones would only overflow the far end's jitter
/// buffer.
const CATCH_UP: u64 = 5;
/// Commands executed per slot, so that a burst of them does not delay packets.
const COMMANDS: usize = 256;

/// A command to a media thread.
pub enum Order {
    Open(CallId, Line),
    Do(CallId, MediaCommand),
    /// Record this leg into that pen.
    Write(CallId, Pen),
    /// Hand this leg over to another thread.
    Move(CallId, Address),
    /// This leg will come from another thread: hold back its commands until it arrives.
    Expect(CallId),
    /// A leg from another thread, with its sockets and stream state.
    Arrive(Box<Leg>),
}

/// Channel and counters of another media thread.
pub struct Address {
    pub orders: Sender<Order>,
    pub counters: Arc<Counters>,
}

impl Order {
    /// The leg whose commands must stay in order with this one.
    fn leg(&self) -> Option<CallId> {
        match self {
            Order::Open(leg, _)
            | Order::Do(leg, _)
            | Order::Write(leg, _)
            | Order::Move(leg, _)
            | Order::Expect(leg) => Some(*leg),
            Order::Arrive(_) => None,
        }
    }
}

/// What a media thread is started with.
pub struct Wheel {
    pub orders: Receiver<Order>,
    pub ports: Arc<Mutex<Ports>>,
    pub counters: Arc<Counters>,
    pub silence_micros: u64,
    pub report: Arc<dyn Fn(MediaEvent) + Send + Sync>,
}

/// Mutable state of a media thread.
struct Hands {
    legs: Legs,
    /// Held-back commands of legs that are on their way to this thread.
    expected: FxHashMap<CallId, VecDeque<Order>>,
    turns: Turns,
}

impl Wheel {
    /// Runs until the last handle is dropped, then closes all legs.
    pub fn run(self) {
        warn_if_not_urgent(system::become_urgent());
        let mut random = ChaCha8Rng::from_seed(system::random_seed().unwrap_or_else(fallback_seed));
        let mut random = move || random.next_u64();
        let (mut inbox, mut outbox, mut desk) = (Inbox::new(), Outbox::new(), Desk::default());
        let start = system::monotonic_micros();
        let turns = Turns { start_micros: start, next: 0 };
        let mut hands = Hands { legs: Legs::default(), expected: FxHashMap::default(), turns };
        loop {
            if hands.legs.is_empty() {
                let Ok(order) = self.orders.recv() else { return };
                // Without legs no slot was due: skip to the current one.
                hands.turns.next = (system::monotonic_micros() - start) / SLOT_MICROS + 1;
                self.carry_out(order, &mut hands, &mut random);
            }
            if !self.take_orders(&mut hands, &mut random) {
                return self.close_all(&mut hands.legs);
            }
            let next = hands.turns.next;
            system::sleep_until(start + next * SLOT_MICROS);
            let last = ((system::monotonic_micros() - start) / SLOT_MICROS).max(next);
            for first in next..=last.min(next + SLOTS as u64 - 1) {
                let slot = &mut hands.legs.slots[(first % SLOTS as u64) as usize];
                let beats = (last - first) / SLOTS as u64 + 1;
                let frames = beats.min(CATCH_UP);
                let skipped = beats - frames;
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
                for leg in &mut slot.alone {
                    beat.now_micros = system::monotonic_micros();
                    beat.wall_micros = system::wall_micros();
                    let done = leg.beat(&mut beat, self.silence_micros);
                    let lateness = beat.now_micros.saturating_sub(beat.due_micros);
                    self.counters.beat(done, lateness, BEAT_MICROS);
                }
                for mix in &mut slot.mixes {
                    mix.beat(&mut beat, &mut desk, self.silence_micros, &self.counters);
                }
            }
            hands.turns.next = last + 1;
        }
    }

    /// Executes waiting commands. Returns false once all senders are gone.
    fn take_orders(&self, hands: &mut Hands, random: &mut dyn FnMut() -> u64) -> bool {
        for _ in 0..COMMANDS {
            match self.orders.try_recv() {
                Ok(order) => self.carry_out(order, hands, random),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    fn carry_out(&self, order: Order, hands: &mut Hands, random: &mut dyn FnMut() -> u64) {
        if let Some(waiting) = order.leg().and_then(|leg| hands.expected.get_mut(&leg)) {
            waiting.push_back(order);
            return;
        }
        match order {
            Order::Open(id, line) => {
                if let Some(earlier) = hands.legs.remove(id) {
                    self.close(earlier);
                }
                hands.legs.add(Leg::new(id, line, system::monotonic_micros(), random));
            }
            Order::Do(id, command) => self.command(id, command, hands),
            Order::Write(id, pen) => {
                if let Some(leg) = hands.legs.find(id) {
                    leg.record(Some(pen));
                }
            }
            Order::Expect(id) => {
                hands.expected.insert(id, VecDeque::new());
            }
            Order::Move(id, there) => {
                let Some(leg) = hands.legs.remove(id) else { return };
                self.counters.closed();
                there.counters.opened();
                // The other thread has ended only if the room has.
                if let Err(SendError(Order::Arrive(leg))) = there.orders.send(Order::Arrive(Box::new(leg))) {
                    there.counters.closed();
                    self.counters.opened();
                    self.close(*leg);
                }
            }
            Order::Arrive(leg) => {
                let id = leg.id;
                hands.legs.receive(*leg, hands.turns);
                let waiting = hands.expected.remove(&id).unwrap_or_default();
                // A held-back command may move the leg away again and expect it back; the rest is then
                // held back again.
                waiting.into_iter().for_each(|order| self.carry_out(order, hands, random));
            }
        }
    }

    fn command(&self, id: CallId, command: MediaCommand, hands: &mut Hands) {
        match command {
            MediaCommand::Join { mix, voice } => hands.legs.join(id, mix, voice, hands.turns),
            MediaCommand::Leave => hands.legs.leave(id),
            MediaCommand::Close => {
                if let Some(leg) = hands.legs.remove(id) {
                    self.close(leg);
                }
            }
            MediaCommand::Measure => {
                if let Some(leg) = hands.legs.find(id) {
                    let stats = leg.stats();
                    (self.report)(MediaEvent::Measured { leg: id, stats });
                }
            }
            command => {
                if let Some(leg) = hands.legs.find(id) {
                    leg.command(command, system::monotonic_micros());
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
        for leg in legs.drain() {
            self.close(leg);
        }
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

/// Without getrandom: the standard library's hash keys are random too.
fn fallback_seed() -> [u8; 32] {
    let keys = std::hash::RandomState::new();
    let mut seed = [0; 32];
    for (n, part) in seed.chunks_mut(8).enumerate() {
        part.copy_from_slice(&keys.hash_one(n).to_le_bytes());
    }
    seed
}
