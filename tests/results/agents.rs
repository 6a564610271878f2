//! Results of a campaign with agents: agent days, inbound calls, waits and talks, and sums that reconcile.

use super::{header, table};
use crate::store::accounts::details;
use crate::store::floor::{leg, said, seat};
use crate::store::{Fixture, MORNING, list, number, result, retry_rules, row};
use paceline::results::{self, Format};
use paceline::store::{Command, NewCampaign, Secrets};
use paceline_core::agent::{Activity, Availability, CallSummary, Membership, Work};
use paceline_core::dialer::output::{LegKind, SummaryRecord};
use paceline_core::ids::{AgentId, CallId, GroupId};
use paceline_core::outcome::Outcome;
use paceline_core::time::Utc;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

const AGENTS: &str = "agent, name, day, signed_in_secs, idle_secs, reserved_secs, ringing_secs, talking_secs, \
    wrap_up_secs, paused_secs, answered, abandoned_rung, dispositions";
const CALLS_IN: &str = "call_in_id, phone, lead_id, row, household, name, came_at, answered_at, connected_at, \
    ended_at, wait_secs, talk_secs, agent, ended_by, cause, disposition, note, recording";

/// `secs` seconds after [`MORNING`].
fn at(secs: i64) -> Utc {
    Utc::from_millis(MORNING + secs * 1000)
}

/// Creates an agent in this group.
async fn hire(fixture: &Fixture, number: &str, name: &str, group: &str) -> (AgentId, GroupId) {
    let agent = fixture.store.add_agent(number, &details(name), &Secrets::default()).await.unwrap();
    let group = fixture.store.group_named(group).await.unwrap();
    let member = Membership { group, priority: 1, in_use: true };
    fixture.store.set_memberships(agent, &[member]).await.unwrap();
    (agent, group)
}

async fn log(
    fixture: &mut Fixture,
    who: (AgentId, GroupId),
    secs: i64,
    what: (Availability, Activity),
    here: bool,
) {
    let mut seat = seat(who.0, what.0, what.1, at(secs));
    seat.groups = vec![who.1];
    seat.work = here.then(|| Work {
        campaign: fixture.campaign,
        lead: None,
        number: None,
        attempt: None,
        inbound: false,
        answered_at: None,
        connected_at: None,
        parties: vec![],
        recording: false,
        summary: None,
    });
    fixture.tell(Command::LogSeat(Box::new(seat))).await;
}

/// One attempt: placed and answered at `from`; with an agent, connected after two seconds.
async fn attempt(fixture: &mut Fixture, outcome: Outcome, from: i64, to: i64, agent: Option<AgentId>) -> i64 {
    let lead = fixture.fetch(1).await.0.remove(0);
    let mut request = fixture.request(Some(&lead), lead.phones[0].number);
    request.placed_at = at(from);
    fixture.dial(&request).await;
    let mut ended = result(&request, Some(&lead), outcome, at(to));
    ended.ringing_at = None;
    ended.answered_at = (outcome != Outcome::NoAnswer).then_some(at(from));
    ended.connected_at = agent.map(|_| at(from + 2));
    ended.agent = agent;
    fixture.ask(Command::SaveResult(Box::new(ended))).await;
    if let Some(agent) = agent {
        let mut record = said(&request, "同意", at(to + 5), None);
        record.agent = agent;
        record.defaulted = from > 200;
        fixture.summarise(&record).await;
    }
    request.attempt.0
}

/// A shift of forty minutes: two conversations of Ana, one abandoned call, one machine, one no answer, one
/// inbound call; Bo paused, Cy worked in another group.
async fn sample_shift() -> (Fixture, PathBuf) {
    let mut fixture = Fixture::new().await;
    let campaign = NewCampaign {
        name: "spring",
        title: "A spring vote",
        mode: "ratio",
        timezone: "Asia/Shanghai",
        toml: "name = \"spring\"\n[agents]\ngroup = \"vote-team\"\n",
        retry: &retry_rules(),
    };
    fixture.store.define_campaign(&campaign).await.unwrap();
    let leads: Vec<_> = (0..5).map(|n| row(n + 2, &[n], None)).collect();
    list(&fixture.store, fixture.campaign, &leads, &[]).await;
    let ana = hire(&fixture, "8001", "=Ana", "vote-team").await;
    let bo = hire(&fixture, "8002", "Bo", "vote-team").await;
    let cy = hire(&fixture, "8003", "Cy", "others").await;
    let (on, out) = (Availability::Available, Availability::SignedOut);
    let lunch = Availability::Paused { reason: "lunch".into() };
    log(&mut fixture, ana, 0, (on.clone(), Activity::Idle), false).await;
    log(&mut fixture, bo, 0, (on.clone(), Activity::Idle), false).await;
    log(&mut fixture, cy, 0, (on.clone(), Activity::Idle), false).await;
    for (from, outcome, agent) in [
        (100, Outcome::Answered, Some(ana.0)),
        (200, Outcome::Abandoned, None),
        (300, Outcome::Answered, Some(ana.0)),
        (400, Outcome::Machine, None),
        (500, Outcome::NoAnswer, None),
    ] {
        if agent.is_some() {
            for (secs, activity) in
                [(0, Activity::Ringing), (2, Activity::Talking), (50, Activity::WrapUp), (60, Activity::Idle)]
            {
                let here = activity != Activity::Idle;
                log(&mut fixture, ana, from + secs, (on.clone(), activity), here).await;
            }
        }
        let to = if outcome == Outcome::Abandoned { from + 3 } else { from + 50 };
        attempt(&mut fixture, outcome, from, to, agent).await;
    }
    log(&mut fixture, bo, 600, (lunch, Activity::Idle), false).await;
    log(&mut fixture, bo, 900, (on.clone(), Activity::Ringing), true).await;
    log(&mut fixture, bo, 910, (on, Activity::Idle), false).await;
    let mut caller = leg(CallId::side_leg(1), LegKind::Inbound, at(1200));
    (caller.agent, caller.campaign, caller.lead) = (Some(bo.0), Some(fixture.campaign), None);
    caller.cause = "=cmd()".into();
    let recording = "2026/03/02/in.opus".to_string();
    let call = caller.leg;
    fixture.tell(Command::SaveLeg(Box::new(caller))).await;
    fixture.tell(Command::SaveRecording { call, path: recording, seconds: 30.0, lost_frames: 0 }).await;
    fixture
        .summarise(&SummaryRecord {
            attempt: call.attempt(),
            inbound: true,
            campaign: fixture.campaign,
            agent: bo.0,
            summary: CallSummary { disposition: "called_back".into(), note: "-1".into(), callback: None },
            defaulted: false,
            machine: false,
            at: at(1210),
            lead: None,
        })
        .await;
    for who in [ana, cy] {
        log(&mut fixture, who, 2400, (out.clone(), Activity::Idle), false).await;
    }
    // Bo has not signed out: the last state lasts until the last commit.
    fixture.clock.advance(2_500_000);
    fixture.ask(Command::Blacklist { campaign: None, number: number(99), source: "x".into() }).await;
    let dir = fixture.dir.path().join("results");
    (fixture, dir)
}

#[tokio::test]
async fn agent_days_add_up() {
    let (fixture, dir) = sample_shift().await;
    results::write(&mut fixture.store.reader().await.unwrap(), "spring", &dir).await.unwrap();
    assert_eq!(header(&dir.join("agents.csv")), AGENTS);
    let rows = table(&dir.join("agents.csv"));
    let columns = ["agent", "name", "day", "signed_in_secs", "idle_secs", "ringing_secs", "talking_secs"];
    let cells = |row: &BTreeMap<String, String>, columns: &[&str]| -> Vec<String> {
        columns.iter().map(|column| row[*column].clone()).collect()
    };
    let spent: Vec<_> = rows.iter().map(|row| cells(row, &columns)).collect();
    assert_eq!(
        spent,
        [
            ["8001", "'=Ana", "2026-03-02", "2400.000", "2280.000", "4.000", "96.000"],
            ["8002", "Bo", "2026-03-02", "2500.000", "2190.000", "10.000", "0.000"],
        ]
    );
    let columns =
        ["wrap_up_secs", "paused_secs", "reserved_secs", "answered", "abandoned_rung", "dispositions"];
    let came: Vec<_> = rows.iter().map(|row| cells(row, &columns)).collect();
    assert_eq!(
        came,
        [
            ["20.000", "0.000", "0.000", "2", "0", "同意=2"],
            ["0.000", "300.000", "0.000", "1", "1", "called_back=1"],
        ]
    );
}

#[tokio::test]
async fn waits_and_talks_are_separate() {
    let (fixture, dir) = sample_shift().await;
    results::write(&mut fixture.store.reader().await.unwrap(), "spring", &dir).await.unwrap();
    let rows = table(&dir.join("attempts.csv"));
    let spans: Vec<_> = rows
        .iter()
        .map(|row| {
            ["outcome", "wait_secs", "talk_secs", "agent", "disposition"].map(|name| row[name].as_str())
        })
        .collect();
    assert_eq!(
        spans,
        [
            ["answered", "2.000", "48.000", "8001", "同意"],
            ["abandoned", "3.000", "", "", ""],
            ["answered", "2.000", "48.000", "8001", "同意"],
            ["machine", "", "", "", ""],
            ["no_answer", "", "", "", ""],
        ]
    );
    assert_eq!(rows[0]["connected_at"], "2026-03-02T10:01:42.000+08:00");
}

#[tokio::test]
async fn an_inbound_call_is_one_row() {
    let (fixture, dir) = sample_shift().await;
    results::write(&mut fixture.store.reader().await.unwrap(), "spring", &dir).await.unwrap();
    assert_eq!(header(&dir.join("calls_in.csv")), CALLS_IN);
    let rows = table(&dir.join("calls_in.csv"));
    assert_eq!(rows.len(), 1);
    let columns = ["phone", "wait_secs", "talk_secs", "agent", "disposition", "note", "cause", "recording"];
    assert_eq!(
        columns.map(|name| rows[0][name].as_str()),
        ["13800000000", "20.000", "30.000", "8002", "called_back", "'-1", "'=cmd()", "2026/03/02/in.opus"]
    );
}

#[tokio::test]
async fn the_summary_of_a_shift_reconciles() {
    let (fixture, dir) = sample_shift().await;
    let mut reader = fixture.store.reader().await.unwrap();
    let summary = results::write(&mut reader, "spring", &dir).await.unwrap();
    assert_eq!(summary.differences, Vec::<String>::new());
    assert_eq!((summary.attempts_connected, summary.calls_in, summary.calls_in_connected), (2, 1, 1));
    assert_eq!((summary.attempts_by_disposition["同意"], summary.dispositions_defaulted), (2, 1));
    let (ana, bo) = (&summary.agents["8001"], &summary.agents["8002"]);
    assert_eq!((ana.answered, ana.talk_secs, ana.wrap_up_secs), (2, 96.0, 20.0));
    assert_eq!((bo.answered, bo.talk_secs, summary.agents.len()), (1, 30.0, 2));
    let abandon = &summary.abandon;
    assert_eq!((abandon.abandoned, abandon.reached_queue), (1, 3));
    assert_eq!(
        [abandon.pct_of_answered_by_people, abandon.pct_of_answered_by_anyone],
        [33.33, 25.0],
        "of live answers, of anything that answered"
    );
    assert_eq!([abandon.pct_of_attempts, abandon.pct_of_reached_queue], [20.0, 33.33]);
    assert_eq!((summary.wait_secs.calls, summary.wait_secs.total, summary.talk_secs.total), (3, 7.0, 96.0));
}

#[tokio::test]
async fn a_conversation_of_an_unknown_agent_is_reported_as_a_difference() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(2, &[0], None)], &[]).await;
    fixture.talk(AgentId(77)).await;
    let dir = fixture.dir.path().join("results");
    let summary = results::write(&mut fixture.store.reader().await.unwrap(), "spring", &dir).await.unwrap();
    assert_eq!(summary.differences, ["conversations of agents 0, connected attempts + calls in 1"]);
}

#[tokio::test]
async fn every_format_holds_the_shift_and_is_reproducible() {
    let (fixture, dir) = sample_shift().await;
    let mut reader = fixture.store.reader().await.unwrap();
    let mut seen: Vec<Vec<Vec<u8>>> = Vec::new();
    for turn in ["first", "second"] {
        let dir = dir.join(turn);
        let mut files = results::export(&mut reader, "spring", Format::Csv, &dir).await.unwrap();
        files.extend(results::export(&mut reader, "spring", Format::Parquet, &dir).await.unwrap());
        seen.push(files.iter().map(|file| fs::read(file).unwrap()).collect());
    }
    assert_eq!(seen[0], seen[1]);
    let book = results::export(&mut reader, "spring", Format::Xlsx, &dir).await.unwrap();
    use calamine::Reader as _;
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(&book[0]).unwrap();
    assert_eq!(book.sheet_names(), ["attempts", "leads", "calls_in", "agents"]);
    assert_eq!(book.worksheet_range("agents").unwrap().height(), 3);
}
