//! The abandoned calls behind each rule's rate.

use super::*;
use crate::store::floor::seat;
use crate::store::{DAY, list, opening, request, result, retry_rules, rows};
use paceline::store::{Command, NewCampaign, Reply};
use paceline_core::agent::{Activity, Availability, SeatView};
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::pacing::ledger::{Ledger, LedgerTime, Rule};
use paceline_core::time::Utc;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;

struct Scene {
    app: TestApp,
    campaign: CampaignId,
    writer: paceline::store::Writer,
    replies: UnboundedReceiver<Reply>,
    next: i64,
}

/// How a call goes: milliseconds after its answer.
struct Call {
    outcome: Outcome,
    answered: bool,
    connected: Option<u64>,
    ended: u64,
    by: EndedBy,
}

fn call(outcome: Outcome, connected: Option<u64>, ended: u64, by: EndedBy) -> Call {
    Call { outcome, answered: true, connected, ended, by }
}

impl Scene {
    async fn new(leads: u64) -> Scene {
        let app = TestApp::new().await;
        app.staff().await;
        let retry = retry_rules();
        let new = NewCampaign {
            name: "spring",
            title: "A title",
            mode: "predictive",
            timezone: "Asia/Shanghai",
            toml: "name = \"spring\"\n",
            retry: &retry,
        };
        let campaign = app.store.define_campaign(&new).await.unwrap();
        list(&app.store, campaign, &rows(leads), &[]).await;
        app.open_campaign(campaign, "spring", "vote").await;
        let (writer, replies) = app.store.start_writer();
        Scene { app, campaign, writer, replies, next: 1 }
    }

    async fn ask(&mut self, command: Command) -> Reply {
        assert!(self.writer.send(command).await);
        self.replies.recv().await.unwrap()
    }

    /// A call that is answered at this moment; returns its attempt.
    async fn call(&mut self, at: Utc, how: Call) -> i64 {
        let fetch = Command::FetchLeads { campaign: self.campaign, count: 1, untried: true };
        let Reply::Leads { mut leads, .. } = self.ask(fetch).await else { panic!("leads") };
        let lead = leads.remove(0);
        let request = request(AttemptId(self.next), self.campaign, &lead, self.app.clock.now());
        self.next += 1;
        self.ask(opening(&request)).await;
        let mut ended = result(&request, Some(&lead), how.outcome, at + Duration::from_millis(how.ended));
        ended.answered_at = how.answered.then_some(at);
        ended.connected_at = how.connected.map(|millis| at + Duration::from_millis(millis));
        ended.ended_by = how.by;
        self.ask(Command::SaveResult(Box::new(ended))).await;
        request.attempt.0
    }

    async fn seat(&mut self, number: &str, activity: Activity, at: Utc) {
        let group = self.app.group("vote").await;
        let mut view: SeatView = seat(self.app.id(number).await, Availability::Available, activity, at);
        view.groups = vec![group];
        assert!(self.writer.send(Command::LogSeat(Box::new(view))).await);
        // It has no reply: it is written once a later command is answered.
        self.ask(Command::FetchLeads { campaign: self.campaign, count: 0, untried: true }).await;
    }

    async fn shown(&self, query: &str) -> Value {
        self.app.get("8002", &format!("/campaigns/spring/abandoned{query}")).await.is(200).json()
    }
}

fn attempts(shown: &Value) -> Vec<i64> {
    shown["items"].as_array().unwrap().iter().map(|item| item["attempt"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn each_call_says_who_was_busy_and_when_the_next_agent_was_free() {
    let mut scene = Scene::new(9).await;
    let now = scene.app.clock.now();
    let ago = |secs: u64| now - Duration::from_secs(secs);
    scene.app.hire("8009", Role::Agent, &["vote"]).await;
    scene.seat("8001", Activity::Talking, ago(100)).await;
    scene.seat("8009", Activity::WrapUp, ago(90)).await;
    let left = scene.call(ago(60), call(Outcome::Abandoned, None, 1_500, EndedBy::Callee)).await;
    let waited = scene.call(ago(50), call(Outcome::Abandoned, None, 2_000, EndedBy::Dialer)).await;
    scene.seat("8009", Activity::Idle, ago(40)).await;
    let late = scene.call(ago(30), call(Outcome::Answered, Some(2_001), 20_000, EndedBy::Callee)).await;
    scene.call(ago(30), call(Outcome::Answered, Some(2_000), 20_000, EndedBy::Callee)).await;
    let failed = scene.call(ago(20), call(Outcome::AgentFailed, None, 3_000, EndedBy::Dialer)).await;
    let unanswered = Call { answered: false, ..call(Outcome::AgentFailed, None, 0, EndedBy::Dialer) };
    scene.call(ago(20), unanswered).await;

    let shown = scene.shown("").await;
    assert_eq!(attempts(&shown), [failed, waited, left]);
    assert_eq!(shown["answer_wait_ms"], 2_000);
    let of = |at: usize| &shown["items"][at];
    assert_eq!(
        (&of(2)["waited_ms"], &of(2)["hung_up"], &of(2)["late"]),
        (&json!(1_500), &json!(true), &json!(false))
    );
    assert_eq!((&of(1)["waited_ms"], &of(1)["hung_up"]), (&json!(2_000), &json!(false)));
    assert_eq!(of(2)["seats"], json!({ "talking": 1, "wrap_up": 1 }));
    assert_eq!(
        of(2)["busy"],
        json!([
            { "agent": "8001", "name": "N8001", "activity": "talking" },
            { "agent": "8009", "name": "N8009", "activity": "wrap_up" },
        ])
    );
    assert_eq!(of(2)["free_next_at"], "2026-03-02T01:59:20.000Z");
    assert_eq!((&of(0)["free_next_at"], &of(0)["seats"]["idle"]), (&Value::Null, &json!(1)));
    // One rule counts a late connection too.
    let shown = scene.shown("?rule=us_tsr").await;
    assert_eq!(attempts(&shown), [failed, late, waited, left]);
    assert_eq!((&shown["items"][1]["late"], &shown["items"][1]["waited_ms"]), (&json!(true), &json!(2_001)));
    // Later ones alone.
    let shown = scene.shown("?from=2026-03-02T01:59:30Z").await;
    assert_eq!(attempts(&shown), [failed]);
    let shown = scene.shown(&format!("?after={waited}")).await;
    assert_eq!((attempts(&shown), &shown["next"]), (vec![left], &Value::Null));
    // Numbers are masked for those who may not read them.
    let text =
        String::from_utf8(scene.app.get("8004", "/campaigns/spring/abandoned").await.is(200).body).unwrap();
    assert!(text.contains("138****0000") && !text.contains("13800000000"), "{text}");
    scene.app.get("8102", "/campaigns/spring/abandoned").await.is(404);
    scene.app.get("8003", "/campaigns/spring/abandoned?rule=none").await.is(422);
}

/// Whatever the calls, each rule has as many calls as the ledger counts, in its own window.
#[tokio::test]
async fn every_rule_shows_the_calls_that_it_counts() {
    for seed in 0..4 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut scene = Scene::new(120).await;
        let now = scene.app.clock.now();
        for _ in 0..120 {
            let at = now - Duration::from_millis(random.random_range(1..33 * DAY as u64));
            let at = if random.random_bool(0.5) {
                now - Duration::from_secs(random.random_range(1..90_000))
            } else {
                at
            };
            let how = match random.random_range(0..4) {
                0 => call(Outcome::Answered, Some(random.random_range(0..4_000)), 9_000, EndedBy::Agent),
                1 => call(Outcome::AgentFailed, None, 2_500, EndedBy::Dialer),
                2 => call(Outcome::Machine, None, 2_500, EndedBy::Dialer),
                _ => call(Outcome::Abandoned, None, random.random_range(100..4_000), EndedBy::Callee),
            };
            scene.call(at, how).await;
        }
        let sums = scene.app.store.abandons(scene.campaign, Duration::from_secs(2)).await.unwrap();
        let ledger = Ledger::restored(&sums);
        // Ten hours into the day in Shanghai.
        let at = LedgerTime { now, day_start: now - Duration::from_secs(10 * 3_600) };
        for rule in Rule::ALL {
            let counts = ledger.window(rule, at);
            let late = if rule == Rule::UsTsr { counts.connected_late } else { 0 };
            let (mut found, mut after) = (Vec::new(), String::new());
            loop {
                let page = scene.shown(&format!("?rule={}{after}", rule.word())).await;
                found.extend(attempts(&page));
                match page["next"].as_i64() {
                    Some(next) => after = format!("&after={next}"),
                    None => break,
                }
            }
            assert_eq!(found.len() as u64, counts.abandoned + late, "seed {seed}, {rule:?}");
            assert!(found.windows(2).all(|pair| pair[0] > pair[1]), "newest first, none twice");
        }
    }
}
