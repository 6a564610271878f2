//! The destinations of one trunk in the order of RFC 3263, and the one that is used now: the first that has not
//! failed. A failed one is probed and comes back once it answers.

use super::{Peer, SipTrunk};
use crate::time::{Duration, Time};

/// How often a failed destination is probed.
const PROBE_EVERY: Duration = Duration::from_secs(30);
/// Unanswered probes after which calls try a destination again: it may ignore OPTIONS.
const PROBES_MAX: u32 = 10;

#[derive(Debug)]
pub(super) struct Targets {
    /// Never empty.
    all: Vec<Target>,
    current: usize,
}

#[derive(Debug)]
struct Target {
    peer: Peer,
    failed: Option<Failed>,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    at: Time,
    probe_at: Time,
    probes: u32,
}

impl Targets {
    pub fn of(trunk: &SipTrunk) -> Self {
        let mut all: Vec<Target> = Vec::new();
        for peer in [trunk.peer].into_iter().chain(trunk.alternates.iter().copied()) {
            if !all.iter().any(|known| known.peer == peer) {
                all.push(Target { peer, failed: None });
            }
        }
        Targets { all, current: 0 }
    }

    /// Where requests go now.
    pub fn current(&self) -> Peer {
        self.all[self.current].peer
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The first that is not left out, sound ones before failed ones.
    pub fn preferred(&self, is_left_out: impl Fn(Peer) -> bool) -> Option<Peer> {
        let open = || self.all.iter().filter(|target| !is_left_out(target.peer));
        let sound = open().find(|target| target.failed.is_none());
        sound.or_else(|| open().next()).map(|target| target.peer)
    }

    pub fn iter(&self) -> impl Iterator<Item = Peer> {
        self.all.iter().map(|target| target.peer)
    }

    /// Takes the destinations of a trunk that was looked up again. Those that were known keep what is known of them.
    pub fn replace(&mut self, trunk: &SipTrunk) {
        let mut new = Targets::of(trunk);
        for target in &mut new.all {
            let known = self.all.iter().find(|known| known.peer == target.peer);
            target.failed = known.and_then(|known| known.failed);
        }
        new.choose();
        *self = new;
    }

    /// Whether no destination is left that has not failed.
    pub fn have_all_failed(&self) -> bool {
        self.all.iter().all(|target| target.failed.is_some())
    }

    /// Notes that this destination was silent or refused; `rest` = it asked for a pause.
    pub fn fail(&mut self, now: Time, peer: Peer, rest: Option<Duration>) {
        if let Some(target) = self.all.iter_mut().find(|target| target.peer == peer) {
            let probe_at = now + rest.unwrap_or(PROBE_EVERY).max(PROBE_EVERY);
            target.failed = Some(Failed { at: now, probe_at, probes: 0 });
        }
        self.choose();
    }

    /// Notes a response of this destination.
    pub fn hear(&mut self, now: Time, peer: Peer) {
        if let Some(target) = self.all.iter_mut().find(|target| target.peer == peer) {
            // A destination that asked for a pause gets it, whatever it answers meanwhile.
            target.failed = target.failed.filter(|failed| failed.probes == 0 && failed.probe_at > now);
        }
        self.choose();
    }

    /// The first that has not failed, else the one whose failure is the oldest.
    fn choose(&mut self) {
        let sound = self.all.iter().position(|target| target.failed.is_none());
        let oldest = || {
            let failed = |at: &usize| self.all[*at].failed.map(|failed| failed.at);
            (0..self.all.len()).min_by_key(|at| (failed(at), *at))
        };
        self.current = sound.or_else(oldest).unwrap_or(0);
    }

    /// Failed destinations to be probed now. A trunk with one destination needs no probes.
    pub fn due(&mut self, now: Time) -> Vec<Peer> {
        if self.all.len() < 2 {
            return Vec::new();
        }
        let mut due = Vec::new();
        for target in &mut self.all {
            let Some(failed) = target.failed.as_mut().filter(|failed| failed.probe_at <= now) else {
                continue;
            };
            if failed.probes >= PROBES_MAX {
                target.failed = None;
                continue;
            }
            failed.probes += 1;
            failed.probe_at = now + PROBE_EVERY;
            due.push(target.peer);
        }
        self.choose();
        due
    }

    pub fn next_wake(&self) -> Option<Time> {
        let failed = self.all.iter().filter_map(|target| target.failed);
        failed.map(|failed| failed.probe_at).min().filter(|_| self.all.len() > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TrunkId;
    use crate::sip::user_agent::Transport;

    fn peer(last: u8) -> Peer {
        Peer { transport: Transport::Udp, address: ([192, 0, 2, last], 5060).into() }
    }

    fn targets() -> Targets {
        let trunk = SipTrunk::new(TrunkId(0), peer(1), "carrier.example");
        Targets::of(&SipTrunk { alternates: vec![peer(2), peer(1), peer(3)], ..trunk })
    }

    #[test]
    fn the_first_sound_one_is_used_and_a_failed_one_comes_back_once_it_answers() {
        let mut targets = targets();
        let at = Time::from_millis;
        assert_eq!((targets.len(), targets.current()), (3, peer(1)));
        targets.fail(at(0), peer(1), None);
        assert_eq!(targets.current(), peer(2));
        targets.fail(at(5), peer(2), None);
        assert_eq!(targets.current(), peer(3));
        targets.fail(at(9), peer(3), None);
        assert_eq!(targets.current(), peer(1), "all have failed: the oldest failure");
        assert_eq!(targets.due(at(29_999)), []);
        assert_eq!(targets.due(at(30_006)), [peer(1), peer(2)]);
        targets.hear(at(30_100), peer(2));
        assert_eq!(targets.current(), peer(2));
        targets.hear(at(30_200), peer(1));
        assert_eq!(targets.current(), peer(1));
        targets.hear(at(30_300), peer(9));
        assert_eq!(targets.current(), peer(1));
    }

    #[test]
    fn addresses_that_are_looked_up_again_keep_what_is_known_of_them() {
        let mut targets = targets();
        for last in [1, 2, 3] {
            assert!(!targets.have_all_failed());
            targets.fail(Time::from_millis(u64::from(last)), peer(last), None);
        }
        assert!(targets.have_all_failed());
        let trunk = SipTrunk::new(TrunkId(0), peer(1), "carrier.example");
        targets.replace(&SipTrunk { alternates: vec![peer(4)], ..trunk.clone() });
        assert_eq!((targets.len(), targets.current()), (2, peer(4)), "1 has failed before");
        targets.hear(Time::from_millis(40_000), peer(1));
        targets.replace(&SipTrunk { peer: peer(5), ..trunk });
        assert_eq!((targets.len(), targets.current(), targets.have_all_failed()), (1, peer(5), false));
    }

    #[test]
    fn one_that_ignores_probes_is_tried_again_in_the_end() {
        let mut targets = targets();
        targets.fail(Time::ZERO, peer(1), None);
        let mut probes = 0;
        while let Some(wake) = targets.next_wake() {
            probes += targets.due(wake).len();
        }
        assert_eq!((probes, targets.current()), (PROBES_MAX as usize, peer(1)));
    }

    #[test]
    fn a_pause_that_was_asked_for_is_kept() {
        let mut targets = targets();
        targets.fail(Time::ZERO, peer(1), Some(Duration::from_secs(120)));
        targets.hear(Time::from_millis(500), peer(1));
        assert_eq!(targets.current(), peer(2));
        assert_eq!(targets.next_wake(), Some(Time::from_millis(120_000)));
    }
}
