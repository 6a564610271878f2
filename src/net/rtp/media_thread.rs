//! A media thread. It drives a timing wheel of 20 slots of 1 ms, each with its legs and mixes. Deadlines
//! are absolute, so the tick never drifts; a late thread catches up a few packets and skips the rest.

use super::command::MediaCommand;
use super::event::MediaEvent;
use super::leg::{Leg, RtpSockets, TICK_MICROS, Tick};
use super::mixer::MixBuffers;
use super::ports::Ports;
use super::recording::RecordingSink;
use super::system::{self, Inbox, Outbox, ThreadPriority};
use super::timing_wheel::{SLOT_MICROS, SLOTS, Schedule, TimingWheel};
use super::totals::Counters;
use paceline_core::call::KeyWay;
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
const CATCH_UP_PACKETS: u64 = 5;
/// Commands executed per slot, so that a burst of them does not delay packets.
const COMMANDS_PER_SLOT: usize = 256;

/// A command to a media thread.
pub enum ThreadCommand {
    Open(CallId, RtpSockets),
    Execute(CallId, MediaCommand),
    /// Record this leg into that sink.
    Record(CallId, RecordingSink),
    /// Hand this leg over to another thread.
    Move(CallId, ThreadHandle),
    /// This leg will come from another thread: hold back its commands until it arrives.
    Expect(CallId),
    /// A leg from another thread, with its sockets and stream state.
    Adopt(Box<Leg>),
}

/// Channel and counters of a media thread.
#[derive(Clone)]
pub struct ThreadHandle {
    pub commands: Sender<ThreadCommand>,
    pub counters: Arc<Counters>,
}

impl ThreadCommand {
    /// The leg whose commands must stay in order with this one.
    fn leg(&self) -> Option<CallId> {
        match self {
            ThreadCommand::Open(leg, _)
            | ThreadCommand::Execute(leg, _)
            | ThreadCommand::Record(leg, _)
            | ThreadCommand::Move(leg, _)
            | ThreadCommand::Expect(leg) => Some(*leg),
            ThreadCommand::Adopt(_) => None,
        }
    }
}

/// What a media thread is started with.
pub struct MediaThread {
    pub commands: Receiver<ThreadCommand>,
    pub ports: Arc<Mutex<Ports>>,
    pub counters: Arc<Counters>,
    pub silence_micros: u64,
    pub report: Arc<dyn Fn(MediaEvent) + Send + Sync>,
}

/// Mutable state of a media thread.
struct ThreadState {
    wheel: TimingWheel,
    /// Held-back commands of legs that are on their way to this thread.
    held_back: FxHashMap<CallId, VecDeque<ThreadCommand>>,
    schedule: Schedule,
}

impl MediaThread {
    /// Runs until the last handle is dropped, then closes all legs.
    pub fn run(self) {
        warn_without_priority(system::raise_priority());
        let mut random = ChaCha8Rng::from_seed(system::random_seed().unwrap_or_else(fallback_seed));
        let mut random = move || random.next_u64();
        let (mut inbox, mut outbox, mut buffers) = (Inbox::new(), Outbox::new(), MixBuffers::default());
        let start = system::monotonic_micros();
        let schedule = Schedule { start_micros: start, next: 0 };
        let mut state =
            ThreadState { wheel: TimingWheel::default(), held_back: FxHashMap::default(), schedule };
        loop {
            if state.wheel.is_empty() {
                let Ok(command) = self.commands.recv() else { return };
                // Without legs no slot was due: skip to the current one.
                state.schedule.next = (system::monotonic_micros() - start) / SLOT_MICROS + 1;
                self.execute(command, &mut state, &mut random);
            }
            if !self.execute_waiting(&mut state, &mut random) {
                return self.close_all(&mut state.wheel);
            }
            let next = state.schedule.next;
            system::sleep_until(start + next * SLOT_MICROS);
            let last = ((system::monotonic_micros() - start) / SLOT_MICROS).max(next);
            for first in next..=last.min(next + SLOTS as u64 - 1) {
                let slot = &mut state.wheel.slots[(first % SLOTS as u64) as usize];
                let ticks = (last - first) / SLOTS as u64 + 1;
                let frames = ticks.min(CATCH_UP_PACKETS);
                let skipped = ticks - frames;
                let mut tick = Tick {
                    now_micros: system::monotonic_micros(),
                    wall_micros: system::wall_micros(),
                    due_micros: start + first * SLOT_MICROS + skipped * TICK_MICROS,
                    frames: frames as u32,
                    skipped: skipped as u32,
                    inbox: &mut inbox,
                    outbox: &mut outbox,
                    random: &mut random,
                    report: &*self.report,
                };
                for leg in &mut slot.alone {
                    tick.now_micros = system::monotonic_micros();
                    tick.wall_micros = system::wall_micros();
                    let counts = leg.run_tick(&mut tick, self.silence_micros);
                    let lateness = tick.now_micros.saturating_sub(tick.due_micros);
                    self.counters.count_tick(counts, lateness, TICK_MICROS);
                }
                for mix in &mut slot.mixes {
                    mix.run_tick(&mut tick, &mut buffers, self.silence_micros, &self.counters);
                }
            }
            state.schedule.next = last + 1;
        }
    }

    /// Executes waiting commands. Returns false once all senders are gone.
    fn execute_waiting(&self, state: &mut ThreadState, random: &mut dyn FnMut() -> u64) -> bool {
        for _ in 0..COMMANDS_PER_SLOT {
            match self.commands.try_recv() {
                Ok(command) => self.execute(command, state, random),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    fn execute(&self, command: ThreadCommand, state: &mut ThreadState, random: &mut dyn FnMut() -> u64) {
        if let Some(waiting) = command.leg().and_then(|leg| state.held_back.get_mut(&leg)) {
            waiting.push_back(command);
            return;
        }
        match command {
            ThreadCommand::Open(id, sockets) => {
                if let Some(earlier) = state.wheel.remove(id) {
                    self.close(earlier);
                }
                state.wheel.add(Leg::new(id, sockets, system::monotonic_micros(), random));
            }
            ThreadCommand::Execute(id, command) => self.command(id, command, state),
            ThreadCommand::Record(id, sink) => {
                if let Some(leg) = state.wheel.find(id) {
                    leg.record(Some(sink));
                }
            }
            ThreadCommand::Expect(id) => {
                state.held_back.insert(id, VecDeque::new());
            }
            ThreadCommand::Move(id, there) => {
                let Some(leg) = state.wheel.remove(id) else { return };
                self.counters.closed();
                there.counters.opened();
                // The other thread has ended only if the room has.
                if let Err(SendError(ThreadCommand::Adopt(leg))) =
                    there.commands.send(ThreadCommand::Adopt(Box::new(leg)))
                {
                    there.counters.closed();
                    self.counters.opened();
                    self.close(*leg);
                }
            }
            ThreadCommand::Adopt(leg) => {
                let id = leg.id;
                state.wheel.adopt(*leg, state.schedule);
                let waiting = state.held_back.remove(&id).unwrap_or_default();
                // A held-back command may move the leg away again and expect it back; the rest is then
                // held back again.
                waiting.into_iter().for_each(|command| self.execute(command, state, random));
            }
        }
    }

    fn command(&self, id: CallId, command: MediaCommand, state: &mut ThreadState) {
        match command {
            MediaCommand::Join { mix, voice } => state.wheel.join(id, mix, voice, state.schedule),
            MediaCommand::Leave => state.wheel.leave(id),
            MediaCommand::Close => {
                if let Some(leg) = state.wheel.remove(id) {
                    self.close(leg);
                }
            }
            MediaCommand::Measure => {
                if let Some(leg) = state.wheel.find(id) {
                    let stats = leg.stats();
                    (self.report)(MediaEvent::Measured { leg: id, stats });
                }
            }
            MediaCommand::PressedByInfo(digit) => {
                if let Some(leg) = state.wheel.find(id) {
                    let now = system::monotonic_micros();
                    leg.report_key(&*self.report, digit, KeyWay::Info, now);
                }
            }
            command => {
                if let Some(leg) = state.wheel.find(id) {
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

    fn close_all(&self, legs: &mut TimingWheel) {
        for leg in legs.drain() {
            self.close(leg);
        }
    }
}

fn warn_without_priority(priority: ThreadPriority) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| match priority {
        ThreadPriority::RealTime => tracing::info!("media threads run with real-time priority"),
        ThreadPriority::Nice => tracing::warn!(
            "media threads run at nice -11, not with real-time priority: audio may stutter under load; \
             give the service CAP_SYS_NICE or LimitRTPRIO=10"
        ),
        ThreadPriority::Default => tracing::warn!(
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
