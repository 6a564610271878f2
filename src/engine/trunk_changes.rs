//! Trunks that people add, change, take out of use and remove while calls are up.

use super::board::{CodesToday, TrunkBoard};
use super::{Engine, TrunkParts};
use paceline_core::dialer::Input;
use paceline_core::dialer::input::TrunkState;
use paceline_core::dialer::output::AttemptResult;
use paceline_core::ids::TrunkId;
use paceline_core::sip::user_agent::{Peer, SipTrunk};
use paceline_core::time::{Duration, Time, Utc};
use std::collections::BTreeMap;

/// The zone of days, east of Greenwich.
const DAY_ZONE: i64 = 8 * 3_600_000;
const DAY: i64 = 24 * 3_600_000;

/// Number of the day in which this moment lies, by the zone of days.
pub(super) fn day_of(at: Utc) -> i64 {
    (at.as_millis() + DAY_ZONE).div_euclid(DAY)
}

/// The beginning of the day in which this moment lies, by the zone of days.
pub fn start_of_day(at: Utc) -> Utc {
    Utc::from_millis(day_of(at) * DAY - DAY_ZONE)
}

impl CodesToday {
    /// Forgets what was counted on another day.
    pub(super) fn begin(&mut self, day: i64) {
        if self.day != day {
            *self = CodesToday { day, codes: BTreeMap::new() };
        }
    }
}

impl Engine {
    /// Takes a trunk into use, or gives it other settings. Calls that are up keep their destinations and go on.
    pub(super) fn set_trunk(&mut self, trunk: TrunkParts, is_enabled: bool) -> Result<(), String> {
        let id = trunk.limits.id;
        if trunk.not_found.is_none() {
            let peers: Vec<Peer> = [trunk.sip.peer].into_iter().chain(trunk.sip.alternates.clone()).collect();
            trunk.admit(&self.sockets, &peers, &trunk.sip.also_from).map_err(|error| error.to_string())?;
        }
        let was_down = match self.board.trunk_mut(id) {
            Some(board) => {
                board.name.clone_from(&trunk.limits.name);
                (board.calls_max, board.calls_per_sec) = (trunk.limits.calls_max, trunk.limits.calls_per_sec);
                board.disabled = !is_enabled;
                board.down.take()
            }
            None => {
                let board = TrunkBoard { disabled: !is_enabled, ..TrunkBoard::of(&trunk.limits) };
                self.board.trunks.push(board);
                None
            }
        };
        let same_sip =
            self.trunks.get(&id).is_some_and(|it| it.sip == trunk.sip && it.not_found == trunk.not_found);
        self.trunks.insert(id, trunk.clone());
        if let (true, Some(board)) = (same_sip, self.board.trunk_mut(id)) {
            board.down = was_down;
        }
        self.define_trunk(trunk);
        if !same_sip {
            self.take_reported_use(id);
        }
        self.report_trunk_state(id);
        self.board_due = self.clock.now();
        Ok(())
    }

    /// Tells SIP of a trunk; one that is out of use neither registers nor is probed.
    pub(super) fn set_sip_trunk(&mut self, now: Time, id: TrunkId, sip: SipTrunk) {
        let is_disabled = self.board.trunk(id).is_some_and(|board| board.disabled);
        let sip = match is_disabled {
            true => SipTrunk { register: false, options: Duration::ZERO, ..sip },
            false => sip,
        };
        self.ua.set_trunk(now, sip);
    }

    /// Whether the trunk is up is what SIP said last; with other settings it says so only where it differs.
    fn take_reported_use(&mut self, id: TrunkId) {
        if let Some(state) = self.ua.trunk_use(id) {
            self.take_trunk_use(id, &state);
        }
    }

    /// Tells the dialer and the metrics whether the trunk may be used.
    pub(super) fn report_trunk_state(&mut self, trunk: TrunkId) {
        let Some(board) = self.board.trunk(trunk) else { return };
        let is_usable = board.up && !board.disabled;
        self.metrics.set_trunk_up(&board.name, is_usable);
        let state = if is_usable { TrunkState::Up } else { TrunkState::Down };
        self.handle(Input::TrunkChanged { trunk, state });
    }

    /// # Errors
    /// The number of its live calls and legs.
    pub(super) fn remove_trunk(&mut self, id: TrunkId) -> Result<(), u32> {
        let calls = self.dialer.trunk_live(id);
        if calls > 0 {
            return Err(calls);
        }
        self.ua.remove_trunk(self.clock.now(), id);
        self.carry_out_ua_outputs();
        self.trunk_tests.forget(id);
        self.trunks.remove(&id);
        if let Some(board) = self.board.trunk(id) {
            self.metrics.set_trunk_up(&board.name, false);
        }
        self.board.trunks.retain(|board| board.id != id);
        self.handle(Input::TrunkRemoved { trunk: id });
        self.board_due = self.clock.now();
        Ok(())
    }

    pub(super) fn end_trunk_rest(&mut self, trunk: TrunkId) {
        tracing::info!(trunk = self.trunk_name(trunk), "a person ended the rest of the trunk");
        self.handle(Input::TrunkRestEnded { trunk });
        self.board_due = self.clock.now();
    }

    /// Counts what an earlier process saw of today.
    pub(super) fn take_counted_today(&mut self, trunk: TrunkId, codes: BTreeMap<u16, u64>) {
        let day = day_of(self.dialer.utc());
        let Some(board) = self.board.trunk_mut(trunk) else { return };
        board.codes_today.begin(day);
        for (code, calls) in codes {
            *board.codes_today.codes.entry(code).or_default() += calls;
        }
    }

    /// Counts the end of a call at its trunk.
    pub(super) fn count_code(&mut self, result: &AttemptResult) {
        let Some(trunk) = self.calls.get(&result.attempt.call()).map(|facts| facts.trunk) else { return };
        let code = result.answered_at.map(|_| 200).or(result.sip_code);
        let day = day_of(self.dialer.utc());
        if let (Some(code), Some(board)) = (code, self.board.trunk_mut(trunk)) {
            board.codes_today.begin(day);
            *board.codes_today.codes.entry(code).or_default() += 1;
        }
    }
}
