//! Test calls over one trunk: attempts of the system's campaign `_trunk_test`, which this file opens with the first
//! of them. A request is answered once the attempt is open in the store, or refused.

use super::handle::TrunkTest;
use super::{CampaignOpening, Engine};
use crate::audio::Sound;
use crate::dialplan;
use paceline_core::call_note::NoteKind;
use paceline_core::campaign::{
    Announcement, CallerIdRules, CallingWindows, Campaign, DayWindow, Mode, PacingRules, RetryRules,
    Rotation, Share, TRUNK_TEST,
};
use paceline_core::dialer::Input;
use paceline_core::dialer::input::{DialVerdict, ManagerAction};
use paceline_core::dialer::output::{AttemptRequest, TestRefusal};
use paceline_core::ids::{AttemptId, CampaignId, TrunkId};
use paceline_core::media::tone::Cadence;
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Reason;
use paceline_core::sip::user_agent::TrunkUse;
use paceline_core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// How long a test call may ring.
const RING: Duration = Duration::from_secs(30);
/// How long it may take until it rings, unless the trunk says otherwise.
const SETUP: Duration = Duration::from_secs(20);
/// What the callee hears: a tone of a second, four times, so that sound is measured for some seconds.
const TONE: Cadence = Cadence { hz: 450, on_millis: 400, off_millis: 600 };
const PLAYS: u32 = 4;

/// Why a test call is not placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrunkTestRefusal {
    /// With the names of the trunks that there are.
    UnknownTrunk(Vec<String>),
    /// `allow` and `deny` of the trunk.
    NotCarried,
    Full,
    StoreStalled,
    Stopping,
    Blacklisted,
    /// The store says why.
    NotNow(Reason),
}

impl std::fmt::Display for TrunkTestRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TrunkTestRefusal::UnknownTrunk(known) => {
                write!(f, "there is no such trunk; there are: {}", known.join(", "))
            }
            TrunkTestRefusal::NotCarried => {
                f.write_str("the trunk may not carry this number; see `allow` and `deny` of the trunk")
            }
            TrunkTestRefusal::Full => {
                f.write_str("every line of the trunk is used, or its rate is used up; try again in a moment")
            }
            TrunkTestRefusal::StoreStalled => {
                f.write_str("nothing can be written to disk, so no call is placed; free some space")
            }
            TrunkTestRefusal::Stopping => f.write_str("the service is stopping"),
            TrunkTestRefusal::Blacklisted => f.write_str("the number is on the blacklist"),
            TrunkTestRefusal::NotNow(Reason::Duplicate) => {
                f.write_str("a call to this number is up; try again once it is over")
            }
            TrunkTestRefusal::NotNow(reason) => {
                write!(
                    f,
                    "not now ({}): a call of an earlier process to this number may be up",
                    reason.word()
                )
            }
        }
    }
}

/// Requests that are not answered yet, and what is known of each trunk.
#[derive(Debug, Default)]
pub(super) struct TrunkTests {
    pending: Vec<Pending>,
    states: BTreeMap<TrunkId, TrunkUse>,
    /// Code and reason of the last failed registration.
    failures: BTreeMap<TrunkId, (Option<u16>, String)>,
}

#[derive(Debug)]
struct Pending {
    trunk: TrunkId,
    number: PhoneNumber,
    /// Given once the dialer has opened it; the store's verdict follows.
    attempt: Option<AttemptId>,
    answer: oneshot::Sender<Result<AttemptId, TrunkTestRefusal>>,
}

impl TrunkTests {
    pub fn set_state(&mut self, trunk: TrunkId, state: &TrunkUse) {
        if *state == TrunkUse::Up {
            self.failures.remove(&trunk);
        }
        self.states.insert(trunk, state.clone());
    }

    pub fn note_failure(&mut self, trunk: TrunkId, code: Option<u16>, reason: &str) {
        self.failures.insert(trunk, (code, reason.to_owned()));
    }

    pub fn forget(&mut self, trunk: TrunkId) {
        self.states.remove(&trunk);
        self.failures.remove(&trunk);
    }

    /// Why the trunk is out of use, as a step of a call: `not_registered 403 Forbidden`, `silent`.
    fn trouble(&self, trunk: TrunkId) -> Option<(NoteKind, String)> {
        let failure = || match self.failures.get(&trunk) {
            Some((Some(code), reason)) => format!("{code} {reason}"),
            Some((None, _)) => "no answer".to_owned(),
            None => String::new(),
        };
        match self.states.get(&trunk)? {
            TrunkUse::Up => None,
            TrunkUse::NotRegistered | TrunkUse::RegistrationLost => {
                Some((NoteKind::NotRegistered, failure()))
            }
            TrunkUse::AccountRefused { code, reason, .. } => {
                Some((NoteKind::AccountRefused, format!("{code} {reason}")))
            }
            TrunkUse::Silent => Some((NoteKind::SilentToOptions, String::new())),
        }
    }

    /// Takes the first request for this trunk and number that has this attempt, or none yet.
    fn take(&mut self, trunk: TrunkId, number: PhoneNumber, attempt: Option<AttemptId>) -> Option<Pending> {
        let fits = |it: &Pending| it.trunk == trunk && it.number == number && it.attempt == attempt;
        let place = self.pending.iter().position(fits)?;
        Some(self.pending.remove(place))
    }
}

impl Engine {
    /// Places a test call. The requester may go away: a request without one is forgotten with the next.
    pub(super) fn test_trunk(&mut self, test: TrunkTest) {
        let TrunkTest { campaign, trunk, number, caller_id, answer } = test;
        self.trunk_tests.pending.retain(|pending| !pending.answer.is_closed());
        let found = self.trunks.values().find(|parts| parts.limits.name == trunk);
        let found = found.map(|parts| parts.limits.id);
        let refusal = match found {
            None => Some(TrunkTestRefusal::UnknownTrunk(
                self.trunks.values().map(|parts| parts.limits.name.clone()).collect(),
            )),
            Some(_) if self.is_stopping => Some(TrunkTestRefusal::Stopping),
            Some(_) if self.board.store_stalled.is_some() => Some(TrunkTestRefusal::StoreStalled),
            Some(_) => None,
        };
        let (None, Some(trunk)) = (&refusal, found) else {
            let _ = answer.send(Err(refusal.unwrap_or(TrunkTestRefusal::Stopping)));
            return;
        };
        if !self.board.campaigns.contains_key(&campaign) {
            let trunks = self.trunks.keys().copied().collect();
            self.open_campaign(opening(campaign, trunks));
        }
        self.trunk_tests.pending.push(Pending { trunk, number, attempt: None, answer });
        let region = self.trunks.get(&trunk).map_or("", |parts| parts.dialplan.region.as_str());
        let home = dialplan::home_country(region);
        let action = ManagerAction::TestTrunk { number, trunk, caller_id, home };
        self.handle(Input::ManagerActed { campaign, action });
    }

    /// The dialer opens the attempt of a request.
    pub(super) fn note_test_opening(&mut self, request: &AttemptRequest) {
        if request.lead.is_some() {
            return;
        }
        let (trunk, number) = (request.trunk, request.number);
        if let Some(mut pending) = self.trunk_tests.take(trunk, number, None) {
            pending.attempt = Some(request.attempt);
            self.trunk_tests.pending.push(pending);
            if let Some((kind, why)) = self.trunk_tests.trouble(trunk) {
                self.note_step(request.attempt.call(), kind, why);
            }
        }
    }

    /// The store has opened the attempt, or refuses the number.
    pub(super) fn answer_opened_test(&mut self, attempt: AttemptId, verdict: DialVerdict) {
        let place = self.trunk_tests.pending.iter().position(|it| it.attempt == Some(attempt));
        let Some(pending) = place.map(|place| self.trunk_tests.pending.remove(place)) else { return };
        let _ = pending.answer.send(match verdict {
            DialVerdict::Opened => Ok(attempt),
            DialVerdict::Closed(Reason::Blacklisted)
            | DialVerdict::NotBefore { reason: Reason::Blacklisted, .. } => {
                Err(TrunkTestRefusal::Blacklisted)
            }
            DialVerdict::Closed(reason) | DialVerdict::NotBefore { reason, .. } => {
                Err(TrunkTestRefusal::NotNow(reason))
            }
            DialVerdict::Gone => Err(TrunkTestRefusal::NotNow(Reason::Stopped)),
        });
    }

    /// The dialer refuses the test.
    pub(super) fn answer_refused_test(&mut self, trunk: TrunkId, number: PhoneNumber, why: TestRefusal) {
        let refusal = match why {
            TestRefusal::NoTrunk | TestRefusal::NoCallerId => TrunkTestRefusal::NotCarried,
            TestRefusal::TrunkFull => TrunkTestRefusal::Full,
        };
        if let Some(pending) = self.trunk_tests.take(trunk, number, None) {
            let _ = pending.answer.send(Err(refusal));
        }
    }
}

/// The campaign of test calls: no list, every hour open, paused for everything but tests.
fn opening(id: CampaignId, trunks: Vec<TrunkId>) -> CampaignOpening {
    let sound = Arc::new(Sound::tone("trunk test", TONE));
    let campaign = Campaign {
        id,
        name: TRUNK_TEST.to_owned(),
        home: dialplan::home_country(""),
        mode: Mode::Announce,
        trunks,
        ring: RING,
        setup: SETUP,
        concurrency_max: None,
        calls_per_sec: None,
        windows: CallingWindows {
            timezone: "UTC".to_owned(),
            windows: vec![DayWindow { days: [true; 7], from_minute: 0, to_minute: 1_440 }],
            ..CallingWindows::default()
        },
        start: None,
        end: None,
        retry: RetryRules {
            attempts_max: 1,
            per_day_max: u32::MAX,
            gap_min: Duration::ZERO,
            after: BTreeMap::new(),
        },
        announcement: Some(Announcement {
            length: sound.length,
            plays: PLAYS,
            pause: Duration::ZERO,
            input_wait: Duration::from_secs(1),
        }),
        keys: BTreeMap::new(),
        caller_ids: CallerIdRules {
            numbers: Vec::new(),
            rotation: Rotation::InOrder,
            sticky: false,
            per_hour_max: None,
            per_day_max: None,
            warm_up: false,
            register: Default::default(),
        },
        agents: None,
        pacing: PacingRules::default(),
    };
    CampaignOpening {
        campaign,
        share: Share::default(),
        region: String::new(),
        leads: 0,
        leads_open: 0,
        paused: true,
        abandons: Vec::new(),
        past: Vec::new(),
        sound: Some(sound),
        sorry: None,
    }
}

/// The retry rules that the store keeps of the campaign of test calls: nothing is tried again.
pub fn test_campaign_retry() -> RetryRules {
    opening(CampaignId(0), Vec::new()).campaign.retry
}
