//! Agents' data in the store: summaries, callbacks, legs, state log, recordings, leads fetched on request.

use super::*;
use paceline::store::LegInfo;
use paceline_core::agent::{
    Activity, Availability, CallSummary, CallbackRequest, Endpoint, Holding, SeatView, WorkMode,
};
use paceline_core::campaign::retry::Finished;
use paceline_core::dialer::output::{LegKind, LegRecord, SummaryRecord};
use paceline_core::ids::{AgentId, CallId};
use paceline_core::lead::Callback;

pub const ANA: AgentId = AgentId(1);

impl Fixture {
    /// Calls the first lead of the list; the agent talks to the callee, and the lead is done.
    pub async fn talk(&mut self, agent: AgentId) -> (Lead, AttemptRequest) {
        let lead = self.fetch(1).await.0.remove(0);
        let request = self.request(Some(&lead), lead.phones[0].number);
        assert_eq!(self.dial(&request).await, DialVerdict::Opened);
        let ended = spoken(&request, &lead, agent, self.clock.now());
        self.ask(Command::SaveResult(Box::new(ended))).await;
        (lead, request)
    }

    pub async fn summarise(&mut self, record: &SummaryRecord) {
        let attempt = record.attempt;
        let saved = self.ask(Command::SaveSummary(Box::new(record.clone()))).await;
        assert_eq!(saved, Reply::SummarySaved { attempt });
    }

    pub async fn fetch_lead(&mut self, lead: LeadId) -> Option<Lead> {
        let campaign = self.campaign;
        match self.ask(Command::FetchLead { campaign, lead, agent: ANA }).await {
            Reply::Lead { campaign: of, agent, lead } => {
                assert_eq!((of, agent), (campaign, ANA));
                lead.map(|lead| *lead)
            }
            other => panic!("{other:?}"),
        }
    }

    pub async fn give_back(&mut self, lead: LeadId) {
        self.tell(Command::ReturnLeads { leads: vec![lead] }).await;
    }

    pub async fn tell(&mut self, command: Command) {
        assert!(self.writer.send(command).await);
        // A command without a reply is written once a later command is answered.
        self.fetch(0).await;
    }
}

/// The result of a call with ten seconds' wait and 30 seconds' talk that ended at `at`.
pub fn spoken(request: &AttemptRequest, lead: &Lead, agent: AgentId, at: Utc) -> AttemptResult {
    let mut ended = result(request, Some(lead), Outcome::Answered, at);
    ended.answered_at = Some(at - Duration::from_secs(40));
    ended.connected_at = Some(at - Duration::from_secs(30));
    ended.agent = Some(agent);
    ended
}

pub fn said(request: &AttemptRequest, code: &str, at: Utc, lead: Option<LeadUpdate>) -> SummaryRecord {
    SummaryRecord {
        attempt: request.attempt,
        inbound: false,
        campaign: request.campaign,
        agent: ANA,
        summary: CallSummary { disposition: code.into(), note: "a note".into(), callback: None },
        defaulted: false,
        machine: false,
        at,
        lead,
    }
}

/// A lead update that lets the first phone be tried again at `at`.
pub fn again(request: &AttemptRequest, lead: &Lead, state: LeadState, at: Utc) -> LeadUpdate {
    let mut update = update(request.campaign, lead, state);
    update.next_at = Some(at);
    update.phones[0].attempts = 1;
    update.phones[0].next_at = Some(at);
    update
}

pub fn seat(agent: AgentId, availability: Availability, activity: Activity, since: Utc) -> SeatView {
    SeatView {
        agent,
        number: "8001".into(),
        availability,
        activity,
        since,
        signed_in_at: Some(since),
        groups: vec![],
        work_mode: WorkMode::Both,
        endpoint: Endpoint::Phone,
        holding: Holding::NailedUp,
        phone_ready: true,
        leg_up: true,
        no_calls: None,
        work: None,
        muted: false,
        until: None,
        leaving: false,
        supervising: None,
        answered: 0,
        talked: Duration::ZERO,
        refused: None,
    }
}

pub fn leg(leg: CallId, kind: LegKind, at: Utc) -> LegRecord {
    LegRecord {
        leg,
        kind,
        agent: Some(ANA),
        number: Some(number(0)),
        campaign: None,
        lead: None,
        attempt: None,
        began_at: at - Duration::from_secs(60),
        answered_at: Some(at - Duration::from_secs(50)),
        connected_at: Some(at - Duration::from_secs(30)),
        ended_at: at,
        ended_by: EndedBy::Callee,
        cause: "normal".into(),
    }
}

#[tokio::test]
async fn a_returned_lead_is_leased_again_unchanged() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(1, &[1], None)], &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    assert_eq!(fixture.fetch_lead(lead.id).await, None, "the dialer has it");
    fixture.give_back(lead.id).await;
    assert_eq!(fixture.fetch_lead(lead.id).await, Some(lead.clone()));
    fixture.give_back(lead.id).await;
    assert_eq!(fixture.fetch(1).await.0, [lead]);
}

#[tokio::test]
async fn a_lead_leased_before_its_callback_was_booked_cannot_be_dialled_early() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(1, &[1], None)], &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let later = fixture.clock.now() + Duration::from_secs(7200);
    let talked = fixture.request(Some(&lead), lead.phones[0].number);
    let booked = again(&talked, &lead, LeadState::FollowUp, later);
    let record = SummaryRecord { inbound: true, ..said(&talked, "voted", fixture.clock.now(), Some(booked)) };
    fixture
        .tell(Command::SaveLeg(Box::new(leg(talked.attempt.call(), LegKind::Inbound, fixture.clock.now()))))
        .await;
    fixture.summarise(&record).await;
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    assert_eq!(fixture.dial(&request).await, DialVerdict::Gone);
    fixture.clock.advance(7200 * 1000);
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
}

#[tokio::test]
async fn a_later_summary_replaces_the_earlier_one_which_is_kept() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let (lead, request) = fixture.talk(ANA).await;
    let mut first = said(&request, "agree", fixture.clock.now(), None);
    first.defaulted = true;
    fixture.summarise(&first).await;
    fixture.summarise(&first).await;
    fixture.clock.advance(MINUTE);
    let second = said(
        &request,
        "refused",
        fixture.clock.now(),
        Some(update(fixture.campaign, &lead, LeadState::Failed)),
    );
    fixture.summarise(&second).await;
    let mut reader = fixture.store.reader().await.unwrap();
    let row = reader.attempts(fixture.campaign, 0, 1).await.unwrap().remove(0);
    assert_eq!((row.disposition.as_deref(), row.note.as_deref()), (Some("refused"), Some("a note")));
    assert!(!row.disposition_defaulted);
    assert_eq!(row.connected_at, Some(MORNING - 30_000));
    let codes: Vec<_> = reader.summaries(request.attempt).await.unwrap();
    let codes: Vec<_> = codes.iter().map(|said| (said.disposition.as_str(), said.defaulted)).collect();
    assert_eq!(codes, [("agree", true), ("refused", false)]);
    let counts = reader.counts(fixture.campaign).await.unwrap();
    assert_eq!(counts.leads, BTreeMap::from([("failed".to_string(), 1)]));
}

#[tokio::test]
async fn a_summary_reopens_an_answered_lead_for_a_redial() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let (lead, request) = fixture.talk(ANA).await;
    assert_eq!(fixture.fetch(9).await, (vec![], None, 0));
    let soon = fixture.clock.now() + Duration::from_secs(600);
    let update = again(&request, &lead, LeadState::Open, soon);
    fixture.summarise(&said(&request, "cannot_hear", fixture.clock.now(), Some(update))).await;
    assert_eq!(fixture.fetch(9).await, (vec![], Some(soon), 1));
    fixture.clock.advance(10 * MINUTE);
    let lead = fixture.fetch(9).await.0.remove(0);
    assert_eq!(lead.last_agent, Some(ANA));
    // The agent chose the time, so the gap of half an hour does not apply; it does for the next attempt.
    let request = fixture.request(Some(&lead), number(0));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    fixture.end(&request, Some(&lead), Outcome::NoAnswer).await;
    fixture.clock.advance(MINUTE);
    let lead = fixture.fetch_lead(lead.id).await.expect("it is free");
    let request = fixture.request(Some(&lead), number(0));
    let until = fixture.clock.now() + Duration::from_secs(29 * 60);
    let verdict = DialVerdict::NotBefore { until, reason: Reason::AttemptsUsed };
    assert_eq!(fixture.dial(&request).await, verdict);
}

#[tokio::test]
async fn a_booked_callback_counts_as_open_and_is_fetched_when_due() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(2), &[]).await;
    let (lead, request) = fixture.talk(ANA).await;
    let later = fixture.clock.now() + Duration::from_secs(2 * 3600);
    let mut update = again(&request, &lead, LeadState::FollowUp, later);
    let callback = Callback { agent: Some(ANA), skill: Some("shanghainese".into()) };
    update.callback = Some(callback.clone());
    let mut record = said(&request, "callback", fixture.clock.now(), Some(update));
    record.summary.callback = Some(CallbackRequest { at: later, own: true, skill: callback.skill.clone() });
    fixture.summarise(&record).await;
    let (leads, next_due, open) = fixture.fetch(9).await;
    assert_eq!((leads.len(), next_due, open), (1, Some(later), 2));
    fixture.clock.advance(2 * 60 * MINUTE);
    let (leads, _, _) = fixture.fetch(9).await;
    assert_eq!((ids(&leads), leads[0].callback.as_ref()), (vec![lead.id], Some(&callback)));
    let again = fixture.request(Some(&leads[0]), number(0));
    assert_eq!(fixture.dial(&again).await, DialVerdict::Opened);
    let ended = spoken(&again, &leads[0], ANA, fixture.clock.now());
    fixture.ask(Command::SaveResult(Box::new(ended))).await;
    assert_eq!(fixture.fetch(9).await, (vec![], None, 1), "done: only the lead that is held is open");
}

#[tokio::test]
async fn a_summary_does_not_reopen_a_lead_closed_with_a_reason() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(2, &[0], Some("3-101")), row(3, &[1], Some("3-101"))], &[]).await;
    let (lead, request) = {
        let lead = fixture.fetch(1).await.0.remove(0);
        let request = fixture.request(Some(&lead), number(0));
        fixture.dial(&request).await;
        (lead, request)
    };
    let blacklist = Command::Blacklist { campaign: None, number: number(0), source: "key".into() };
    fixture.ask(blacklist).await;
    let update = again(&request, &lead, LeadState::Open, fixture.clock.now());
    fixture.summarise(&said(&request, "cannot_hear", fixture.clock.now(), Some(update))).await;
    let mut reader = fixture.store.reader().await.unwrap();
    let counts = reader.counts(fixture.campaign).await.unwrap();
    assert_eq!((counts.leads["failed"], counts.reasons["blacklisted"], counts.leads["open"]), (1, 1, 1));
}

#[tokio::test]
async fn a_result_does_not_overwrite_an_earlier_summary() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), number(0));
    fixture.dial(&request).await;
    let soon = fixture.clock.now() + Duration::from_secs(600);
    let update = again(&request, &lead, LeadState::Open, soon);
    fixture.summarise(&said(&request, "cannot_hear", fixture.clock.now(), Some(update))).await;
    let ended = spoken(&request, &lead, ANA, fixture.clock.now());
    fixture.ask(Command::SaveResult(Box::new(ended))).await;
    assert_eq!(fixture.fetch(1).await, (vec![], Some(soon), 1));
    fixture.clock.advance(10 * MINUTE);
    let lead = fixture.fetch(1).await.0.remove(0);
    assert_eq!((lead.phones[0].attempts, lead.phones[0].closed), (1, false));
}

#[tokio::test]
async fn an_abandoned_lead_is_fetched_after_its_rest_and_an_answered_one_is_not() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(2), &[]).await;
    let mut rules = retry_rules();
    let rest = Duration::from_secs(72 * 3600);
    rules.after.insert(Outcome::Abandoned, rest);
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), number(0));
    fixture.dial(&request).await;
    let at = fixture.clock.now();
    let mut ended = result(&request, Some(&lead), Outcome::Abandoned, at);
    ended.answered_at = Some(at);
    let finished = Finished {
        number: request.number,
        outcome: Outcome::Abandoned,
        answered: true,
        at,
        next_trunk: false,
    };
    ended.lead = Some(rules.settle(fixture.campaign, &lead, finished));
    fixture.ask(Command::SaveResult(Box::new(ended))).await;
    let (spoke, first) = fixture.talk(ANA).await;
    assert_eq!(fixture.fetch(9).await, (vec![], Some(at + rest), 1));
    fixture.clock.advance(3 * DAY);
    let leads = fixture.fetch(9).await.0;
    assert_eq!(ids(&leads), [lead.id]);
    let mut again = fixture.request(Some(&leads[0]), number(0));
    (again.day_start, again.day_end) = (fixture.clock.now(), fixture.clock.now() + Duration::from_secs(3600));
    assert_eq!(fixture.dial(&again).await, DialVerdict::Opened);
    let mut again = fixture.request(Some(&spoke), first.number);
    again.gap_min = Duration::ZERO;
    assert_eq!(fixture.dial(&again).await, DialVerdict::Gone);
}

#[tokio::test]
async fn an_agent_may_request_a_closed_lead() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(3), &[]).await;
    let (done, _) = fixture.talk(ANA).await;
    fixture.clock.advance(60 * MINUTE);
    let lead = fixture.fetch_lead(done.id).await.expect("it is free");
    assert_eq!((lead.id, lead.last_agent), (done.id, Some(ANA)));
    assert_eq!(fixture.fetch_lead(done.id).await, None, "it is held now");
    let request = fixture.request(Some(&lead), number(0));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    fixture.end(&request, Some(&lead), Outcome::NoAnswer).await;
    assert_eq!(fixture.fetch(0).await.2, 2, "done stays done");
    let again = fixture.request(Some(&lead), number(0));
    assert_eq!(fixture.dial(&again).await, DialVerdict::Gone, "its lease has ended");
    let waiting = fixture.fetch(1).await.0.remove(0);
    assert_eq!(fixture.fetch_lead(waiting.id).await, None, "the hopper has it");
    fixture.ask(Command::Blacklist { campaign: None, number: number(2), source: "x".into() }).await;
    assert_eq!(fixture.fetch_lead(LeadId(waiting.id.0 + 1)).await, None, "blacklisted");
    assert_eq!(fixture.fetch_lead(LeadId(999)).await, None);
}

#[tokio::test]
async fn a_caller_is_identified_by_the_latest_attempt_to_the_number() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let (lead, _) = fixture.talk(ANA).await;
    let (call, trunk) = (CallId::side_leg(1), TrunkId(0));
    for (number, known) in [(Some(number(0)), true), (Some(number(7)), false), (None, false)] {
        let Reply::CallerIdentified(arrived) =
            fixture.ask(Command::IdentifyCaller { call, trunk, number }).await
        else {
            panic!("a caller")
        };
        assert_eq!((arrived.call, arrived.number, arrived.known.is_some()), (call, number, known));
        if let Some(known) = arrived.known {
            assert_eq!((known.campaign, known.agent), (fixture.campaign, Some(ANA)));
            assert_eq!(known.lead.map(|lead| lead.id), Some(lead.id));
        }
    }
}

#[tokio::test]
async fn legs_left_up_by_a_crash_are_returned_and_ended_legs_are_not() {
    let mut fixture = Fixture::new().await;
    let about = LegInfo { agent: Some(ANA), ..LegInfo::new(LegKind::Agent) };
    for n in 1..=3 {
        let dialog = format!("{{\"leg\":{n}}}");
        fixture.tell(Command::LegPlaced { leg: CallId::side_leg(n), about, dialog }).await;
    }
    let over = leg(CallId::side_leg(2), LegKind::Agent, fixture.clock.now());
    fixture.tell(Command::SaveLeg(Box::new(over))).await;
    fixture.tell(Command::LegPlaced { leg: CallId::side_leg(2), about, dialog: "late".into() }).await;
    let resumed = fixture.store.resume().await.unwrap();
    let legs: Vec<_> = resumed.legs.iter().map(|cut| (cut.leg, cut.dialog.as_str())).collect();
    assert_eq!(legs, [(CallId::side_leg(1), "{\"leg\":1}"), (CallId::side_leg(3), "{\"leg\":3}")]);
    assert_eq!(fixture.store.resume().await.unwrap().legs, []);
}

#[tokio::test]
async fn the_state_log_keeps_every_change_once() {
    let mut fixture = Fixture::new().await;
    let start = fixture.clock.now();
    let tea = Availability::Paused { reason: "tea".into() };
    for (secs, availability, activity) in [
        (0, Availability::Available, Activity::Idle),
        (0, Availability::Available, Activity::Idle),
        (60, tea, Activity::Idle),
        (60, Availability::Available, Activity::Ringing),
    ] {
        let seat = seat(ANA, availability, activity, start + Duration::from_secs(secs));
        fixture.tell(Command::LogSeat(Box::new(seat))).await;
    }
    let mut reader = fixture.store.reader().await.unwrap();
    let first = reader.seat_log(ANA, (0, 0), 2).await.unwrap();
    let rest = reader.seat_log(ANA, (first[1].at, first[1].id), 10).await.unwrap();
    let log: Vec<_> =
        first.iter().chain(&rest).map(|row| (row.at - MORNING, row.activity.as_str())).collect();
    assert_eq!(log, [(0, "idle"), (MINUTE, "idle"), (MINUTE, "ringing")]);
    assert_eq!(first[1].reason.as_deref(), Some("tea"));
}

#[tokio::test]
async fn recordings_are_listed_with_their_calls_until_deleted() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let (_, request) = fixture.talk(ANA).await;
    let call = request.attempt.call();
    for path in ["a.opus", "b.opus", "a.opus"] {
        let path = path.to_string();
        fixture.tell(Command::SaveRecording { call, path, seconds: 30.25, lost_frames: 2 }).await;
    }
    let mut reader = fixture.store.reader().await.unwrap();
    let row = reader.attempts(fixture.campaign, 0, 1).await.unwrap().remove(0);
    assert_eq!(row.recording.as_deref(), Some("a.opus;b.opus"));
    fixture.clock.advance(90 * DAY);
    assert_eq!(fixture.store.recordings_older_than(90, 10).await.unwrap(), []);
    fixture.clock.advance(1);
    let old = fixture.store.recordings_older_than(90, 10).await.unwrap();
    assert_eq!(old.iter().map(|row| row.path.as_str()).collect::<Vec<_>>(), ["a.opus", "b.opus"]);
    fixture.store.mark_recordings_deleted(&[old[0].id]).await.unwrap();
    assert_eq!(fixture.store.recordings_older_than(90, 10).await.unwrap().len(), 1);
    reader.refresh().await.unwrap();
    let row = reader.attempts(fixture.campaign, 0, 1).await.unwrap().remove(0);
    assert_eq!(row.recording.as_deref(), Some("b.opus"));
}
