//! Sums over calls: of random campaigns with crashes, transfers, corrections and callbacks they agree with the call log,
//! with `summary.json` and with `attempts.csv`, and each sum opens exactly the calls that make it.

use super::*;
use crate::store::floor::{again, said};
use crate::store::{Fixture, MINUTE, list, number, result, retry_rules, row};
use paceline::lists::LeadRow;
use paceline::results;
use paceline::store::{Command, Correction, LeadChange, NewCampaign, Reply};
use paceline_core::dialer::input::DialVerdict;
use paceline_core::dialer::output::{AttemptRequest, LegKind};
use paceline_core::ids::CallId;
use paceline_core::lead::{Callback, Lead};
use paceline_core::number::ShownNumber;
use paceline_core::outcome::{LeadState, Outcome};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// 2026-10-24 20:00 in Berlin: the clock is set back six hours later.
const EVENING: i64 = 1_792_864_800_000;
const DIMENSIONS: [&str; 8] =
    ["hour", "day", "building", "outcome", "disposition", "caller_id", "trunk", "agent"];
/// All calls of the campaign, whenever they were.
const WHOLE: &str = "campaign=autumn&from=2020-01-01T00:00:00Z";

/// An open call.
struct Up {
    request: AttemptRequest,
    lead: Option<Lead>,
}

struct Scene {
    fixture: Fixture,
    random: ChaCha8Rng,
    agents: Vec<AgentId>,
    up: Vec<Up>,
    /// Ended calls in which an agent spoke.
    spoken: Vec<(AttemptRequest, Option<Lead>)>,
    legs: u64,
}

async fn define(fixture: &mut Fixture, mode: &str) {
    let new = NewCampaign {
        name: "autumn",
        title: "An autumn vote",
        mode,
        timezone: "Europe/Berlin",
        toml: "name = \"autumn\"\n",
        retry: &retry_rules(),
    };
    fixture.campaign = fixture.store.define_campaign(&new).await.unwrap();
}

impl Scene {
    async fn new(seed: u64, mode: &str) -> Scene {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let mut fixture = Fixture::open(dir, ManualClock::at(EVENING), &retry_rules()).await;
        define(&mut fixture, mode).await;
        let mut agents = Vec::new();
        for n in 1..=3 {
            let details = crate::store::accounts::details(&format!("N{n}"));
            let secrets = Secrets::default();
            agents.push(fixture.store.add_agent(&format!("80{n:02}"), &details, &secrets).await.unwrap());
        }
        let leads: Vec<LeadRow> = (0..60)
            .map(|n| {
                let building =
                    [Some("3-1".to_owned()), Some("3-2".to_owned()), None][(n % 3) as usize].clone();
                LeadRow { building, ..row(n + 2, &[n], None) }
            })
            .collect();
        list(&fixture.store, fixture.campaign, &leads, &[]).await;
        let random = ChaCha8Rng::seed_from_u64(seed);
        Scene { fixture, random, agents, up: Vec::new(), spoken: Vec::new(), legs: 0 }
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.random.random_range(0..of.len())].clone()
    }

    async fn step(&mut self, mode: &str) {
        let ahead = self.random.random_range(0..12 * MINUTE);
        self.fixture.clock.advance(ahead);
        match self.random.random_range(0..100) {
            0..40 => self.place().await,
            40..72 => self.end().await,
            72..80 => self.correct().await,
            80..86 => self.correct_lead().await,
            86..92 => self.inbound().await,
            92..95 => self.crash(mode).await,
            _ => self.fixture.clock.advance(90 * MINUTE),
        }
    }

    /// Dials a lead that is due, or a number without one, as a test call does.
    async fn place(&mut self) {
        let lead = match self.random.random_bool(0.9) {
            true => self.fixture.fetch(1).await.0.pop(),
            false => None,
        };
        let to = lead
            .as_ref()
            .map_or_else(|| number(100 + self.random.random_range(0..20u64)), |lead| lead.phones[0].number);
        let mut request = self.fixture.request(lead.as_ref(), to);
        let shown = [Some(8_675_512_345_678), Some(8_675_587_654_321), None];
        request.caller_id = self.one(&shown).and_then(ShownNumber::from_e164);
        let now = self.fixture.clock.now();
        (request.day_start, request.day_end) = (now, now + Duration::from_secs(1));
        (request.open_until, request.attempts_max) = (now + Duration::from_secs(60), 9);
        let command = Command::OpenAttempt {
            request: Box::new(request.clone()),
            trunk: self.one(&["main", "spare"]).to_owned(),
            call_id: format!("call-{}@paceline", request.attempt),
            dialog: "{}".to_owned(),
        };
        match self.fixture.ask(command).await {
            Reply::AttemptOpened { verdict: DialVerdict::Opened, .. } => self.up.push(Up { request, lead }),
            Reply::AttemptOpened { .. } => {
                if let Some(lead) = lead {
                    self.fixture.give_back(lead.id).await;
                }
            }
            other => panic!("{other:?}"),
        }
    }

    async fn end(&mut self) {
        if self.up.is_empty() {
            return;
        }
        let at = self.random.random_range(0..self.up.len());
        let Up { request, lead } = self.up.swap_remove(at);
        let outcomes = [
            Outcome::Answered,
            Outcome::Answered,
            Outcome::Answered,
            Outcome::Abandoned,
            Outcome::AgentFailed,
            Outcome::Machine,
            Outcome::NoAnswer,
            Outcome::Busy,
            Outcome::LineFault,
        ];
        let outcome = self.one(&outcomes);
        let now = self.fixture.clock.now();
        let mut ended = result(&request, lead.as_ref(), outcome, now);
        let answers = [Outcome::Answered, Outcome::Abandoned, Outcome::Machine, Outcome::AgentFailed];
        if answers.contains(&outcome) && !(outcome == Outcome::AgentFailed && self.random.random_bool(0.5)) {
            let rang = now.since(request.placed_at).as_millis() as u64;
            let waited = self.random.random_range(0..=rang.min(8_000));
            ended.answered_at = Some(now - Duration::from_millis(waited));
            if outcome == Outcome::Answered && self.random.random_bool(0.8) {
                ended.connected_at = Some(now - Duration::from_millis(waited / 2));
                // After a transfer the call is the second agent's.
                let agents = self.agents.clone();
                ended.agent = Some(self.one(&agents));
                ended.result = self.random.random_bool(0.5).then(|| "agree".to_owned());
            }
        }
        let agent = ended.agent;
        self.fixture.ask(Command::SaveResult(Box::new(ended))).await;
        if agent.is_some() {
            self.spoken.push((request, lead));
            if self.random.random_bool(0.8) {
                self.summarise(self.spoken.len() - 1).await;
            }
        }
    }

    /// Gives a call its summary, or another one: the last one counts.
    async fn summarise(&mut self, at: usize) {
        let (request, lead) = self.spoken[at].clone();
        let now = self.fixture.clock.now();
        let code = self.one(&["voted", "callback", "machine", "refused"]);
        let update = lead.as_ref().filter(|_| code == "callback").map(|lead| {
            let mut update = again(&request, lead, LeadState::FollowUp, now + Duration::from_secs(7_200));
            update.callback = Some(Callback { agent: Some(self.agents[0]), skill: None });
            update
        });
        let mut record = said(&request, code, now, update);
        let agents = self.agents.clone();
        record.agent = self.one(&agents);
        record.machine = code == "machine";
        record.defaulted = self.random.random_bool(0.2);
        self.fixture.summarise(&record).await;
    }

    async fn correct(&mut self) {
        if !self.spoken.is_empty() {
            let at = self.random.random_range(0..self.spoken.len());
            self.summarise(at).await;
        }
    }

    async fn correct_lead(&mut self) {
        let Some((request, Some(lead))) = self.spoken.last().cloned() else { return };
        let change = LeadChange::Name(format!("业主{}", self.random.random_range(0..9)));
        let correction =
            Correction { lead: lead.id, agent: self.agents[0], attempt: Some(request.attempt), change };
        self.fixture.store.correct_lead(&correction).await.unwrap();
    }

    async fn inbound(&mut self) {
        self.legs += 1;
        let now = self.fixture.clock.now();
        let mut caller = crate::store::floor::leg(CallId::side_leg(self.legs), LegKind::Inbound, now);
        caller.campaign = Some(self.fixture.campaign);
        caller.number = Some(number(self.random.random_range(0..60)));
        caller.agent = None;
        if self.random.random_bool(0.6) {
            let agents = self.agents.clone();
            caller.agent = Some(self.one(&agents));
        } else {
            caller.connected_at = None;
        }
        self.fixture.tell(Command::SaveLeg(Box::new(caller))).await;
    }

    /// The process ends with its calls up; the next one settles them.
    async fn crash(&mut self, mode: &str) {
        let filler = Fixture::new().await;
        let fixture = std::mem::replace(&mut self.fixture, filler);
        let (dir, clock) = fixture.close().await;
        clock.advance(3 * MINUTE);
        self.fixture = Fixture::open(dir, clock, &retry_rules()).await;
        define(&mut self.fixture, mode).await;
        self.up.clear();
    }
}

/// Every call of a filter, by pages.
async fn calls(app: &TestApp, filter: &str) -> Vec<Value> {
    let (mut calls, mut before) = (Vec::new(), String::new());
    loop {
        // No more than the rate of one caller.
        app.clock.advance(50);
        let page = app.get("9003", &format!("/calls?{filter}&limit=37{before}")).await.is(200).json();
        calls.extend(page["calls"].as_array().unwrap().iter().cloned());
        match &page["next"] {
            Value::Null => return calls,
            next => before = format!("&before={next}"),
        }
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The filter of the call log behind a sum.
fn behind(dimensions: &[&str], sum: &Value) -> String {
    let (mut span, mut rest) = (WHOLE.to_owned(), String::new());
    for (dimension, key) in dimensions.iter().zip(sum["keys"].as_array().unwrap()) {
        if matches!(*dimension, "hour" | "day") {
            let (from, until) = (sum["from"].as_str().unwrap(), sum["until"].as_str().unwrap());
            span = format!("campaign=autumn&from={from}&until={until}");
        } else {
            rest.push_str(&format!("&{dimension}={}", encoded(key.as_str().unwrap_or("-"))));
        }
    }
    span + &rest
}

fn talk_ms(rows: &[&BTreeMap<String, String>]) -> i64 {
    let millis = |text: &str| (text.parse::<f64>().unwrap() * 1000.0).round() as i64;
    rows.iter().map(|row| row["talk_secs"].as_str()).filter(|it| !it.is_empty()).map(millis).sum()
}

async fn check(scene: Scene, seed: u64) {
    let Scene { fixture, .. } = scene;
    let out = fixture.dir.path().join("results");
    let written = results::write(&mut fixture.store.reader().await.unwrap(), "autumn", &out).await.unwrap();
    assert_eq!(written.differences, Vec::<String>::new(), "seed {seed}");
    let text = std::fs::read_to_string(out.join("attempts.csv")).unwrap();
    let mut table = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let rows: BTreeMap<i64, BTreeMap<String, String>> = table
        .deserialize::<BTreeMap<String, String>>()
        .map(|row| row.unwrap())
        .map(|row| (row["attempt_id"].parse().unwrap(), row))
        .collect();
    let (dir, clock) = fixture.close().await;
    let app = TestApp::open(dir, clock).await;
    app.hire("9003", Role::Manager, &[]).await;

    // The service's summary is the file's.
    let mut summary = app.get("9003", "/campaigns/autumn/summary").await.is(200).json();
    let first_day = summary.as_object_mut().unwrap().remove("first_day").unwrap();
    summary.as_object_mut().unwrap().remove("as_of").unwrap();
    assert_eq!(summary, serde_json::to_value(&written).unwrap(), "seed {seed}");
    let first = rows.values().next().map(|row| row["placed_at"][..10].to_owned());
    assert_eq!(first_day.as_str().map(str::to_owned), first, "seed {seed}");

    // The call log has the file's rows.
    let all = calls(&app, WHOLE).await;
    let ids: Vec<i64> = all.iter().rev().map(|call| call["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, rows.keys().copied().collect::<Vec<_>>(), "seed {seed}");
    for call in &all {
        let row = &rows[&call["id"].as_i64().unwrap()];
        for (field, column) in
            [("outcome", "outcome"), ("disposition", "disposition"), ("agent", "agent"), ("result", "result")]
        {
            assert_eq!(call[field].as_str().unwrap_or_default(), row[column], "seed {seed}: {field}");
        }
    }

    // One dimension: every sum opens its rows, and the file agrees.
    for dimension in DIMENSIONS {
        let sums = app.get("9003", &format!("/aggregates?by={dimension}&{WHOLE}")).await.is(200).json();
        let items = sums["items"].as_array().unwrap();
        let mut seen = Vec::new();
        for sum in items {
            let place = format!("seed {seed}, {dimension} {}", sum["keys"]);
            let found = calls(&app, &behind(&[dimension], sum)).await;
            let found: Vec<i64> = found.iter().map(|call| call["id"].as_i64().unwrap()).collect();
            assert_eq!(sum["calls"], found.len(), "{place}");
            let of: Vec<&BTreeMap<String, String>> = found.iter().map(|id| &rows[id]).collect();
            let with = |outcome: &str| of.iter().filter(|row| row["outcome"] == outcome).count();
            assert_eq!(sum["answered"], with("answered"), "{place}");
            assert_eq!(sum["divisor"], of.len() - with("line_fault"), "{place}");
            let vain = |row: &&&BTreeMap<String, String>| {
                ["abandoned", "agent_failed"].contains(&row["outcome"].as_str())
                    && !row["answered_at"].is_empty()
            };
            assert_eq!(sum["abandoned"], of.iter().filter(vain).count(), "{place}");
            let talked = (sum["talked_secs"].as_f64().unwrap() * 1000.0).round() as i64;
            assert_eq!(talked, talk_ms(&of), "{place}");
            assert_eq!(
                sum["talked"],
                of.iter().filter(|row| !row["talk_secs"].is_empty()).count(),
                "{place}"
            );
            // Figures of a sum open their own calls.
            let missed = calls(&app, &format!("{}&missed=true", behind(&[dimension], sum))).await;
            assert_eq!(sum["abandoned"], missed.len(), "{place}");
            seen.extend(found);
        }
        seen.sort_unstable();
        assert_eq!(seen, ids, "seed {seed}: {dimension} has every call once");
        assert_eq!(sums["total"]["calls"], ids.len());
        equals_summary(dimension, items, &sums["total"], &written, &rows, seed);
    }

    // Two dimensions are divisions of one.
    for pair in [
        ["day", "hour"],
        ["hour", "outcome"],
        ["building", "disposition"],
        ["agent", "outcome"],
        ["trunk", "caller_id"],
    ] {
        let path = format!("/aggregates?by={}&then={}&{WHOLE}", pair[0], pair[1]);
        let items = app.get("9003", &path).await.is(200).json()["items"].as_array().unwrap().clone();
        let mut count = 0;
        for sum in &items {
            let found = calls(&app, &behind(&pair, sum)).await;
            assert_eq!(sum["calls"], found.len(), "seed {seed}, {pair:?} {}", sum["keys"]);
            count += found.len();
        }
        assert_eq!(count, ids.len(), "seed {seed}, {pair:?}");
    }

    // Inbound calls.
    let inbound = calls(&app, &format!("{WHOLE}&direction=in")).await;
    assert_eq!(inbound.len() as u64, written.calls_in);
    for dimension in ["hour", "day", "agent"] {
        let path = format!("/aggregates?by={dimension}&direction=in&{WHOLE}");
        let sums = app.get("9003", &path).await.is(200).json();
        for sum in sums["items"].as_array().unwrap() {
            let found = calls(&app, &format!("{}&direction=in", behind(&[dimension], sum))).await;
            assert_eq!(sum["calls"], found.len(), "seed {seed}, in, {dimension} {}", sum["keys"]);
        }
        assert_eq!(sums["total"]["calls"], written.calls_in);
        assert_eq!(sums["total"]["answered"], written.calls_in_connected);
    }
}

/// The sums of a dimension that `summary.json` has too.
fn equals_summary(
    dimension: &str,
    items: &[Value],
    total: &Value,
    written: &results::Summary,
    rows: &BTreeMap<i64, BTreeMap<String, String>>,
    seed: u64,
) {
    let of: BTreeMap<String, u64> = items
        .iter()
        .filter_map(|sum| Some((sum["keys"][0].as_str()?.to_owned(), sum["calls"].as_u64().unwrap())))
        .collect();
    match dimension {
        "outcome" => assert_eq!(of, written.attempts_by_outcome, "seed {seed}"),
        "disposition" => assert_eq!(of, written.attempts_by_disposition, "seed {seed}"),
        "trunk" => assert_eq!(of, written.attempts_by_trunk, "seed {seed}"),
        "caller_id" => {
            let uses: BTreeMap<String, u64> =
                written.caller_ids.iter().map(|(number, uses)| (number.clone(), uses.attempts)).collect();
            assert_eq!(of, uses, "seed {seed}");
        }
        "day" => {
            let mut days: BTreeMap<String, u64> = BTreeMap::new();
            rows.values().for_each(|row| *days.entry(row["placed_at"][..10].to_owned()).or_default() += 1);
            assert_eq!(of, days, "seed {seed}");
        }
        "hour" => {
            let mut hours: BTreeMap<String, u64> = BTreeMap::new();
            for row in rows.values() {
                let at = &row["placed_at"];
                *hours.entry(format!("{}:00:00{}", &at[..13], &at[23..])).or_default() += 1;
            }
            assert_eq!(of, hours, "seed {seed}");
        }
        _ => {}
    }
    assert_eq!(total["calls"], written.attempts, "seed {seed}");
    assert_eq!(total["abandoned"], written.abandon.abandoned, "seed {seed}");
    let by_day: u64 = written.abandon.by_day.values().map(|day| day.of).sum();
    assert_eq!(total["people"], by_day, "seed {seed}");
    assert_eq!(total["talked"], written.talk_secs.calls, "seed {seed}");
    let talked = (total["talked_secs"].as_f64().unwrap() * 1000.0).round();
    assert_eq!(talked, (written.talk_secs.total * 1000.0).round(), "seed {seed}");
}

#[tokio::test]
async fn sums_the_log_the_summary_and_the_file_agree_to_the_row() {
    for (seed, mode) in [(1, "predictive"), (2, "announce"), (3, "preview")] {
        let mut scene = Scene::new(seed, mode).await;
        for _ in 0..140 {
            scene.step(mode).await;
        }
        check(scene, seed).await;
    }
}

/// `PACELINE_SEEDS=200 cargo test --test all many_random_campaigns -- --ignored`
#[tokio::test]
#[ignore = "takes minutes"]
async fn many_random_campaigns_agree_to_the_row() {
    let seeds = std::env::var("PACELINE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(50);
    for seed in 10..10 + seeds {
        let mode = ["predictive", "announce", "preview"][seed as usize % 3];
        let mut scene = Scene::new(seed, mode).await;
        for _ in 0..250 {
            scene.step(mode).await;
        }
        check(scene, seed).await;
    }
}
