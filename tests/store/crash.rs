//! A process killed at any instant: every acknowledged write survives, and no number is dialled twice.
//!
//! The killed process is this test binary, started again with one test and a folder in the environment; it
//! prints every acknowledgement to standard output, which the pipe keeps.

use super::*;
use std::io::{BufRead, BufReader};

const FOLDER: &str = "PACELINE_TEST_CRASH_FOLDER";
const LEADS: u64 = 100_000;

/// Not a test by itself: opens and ends many concurrent calls until it is killed.
#[test]
fn dials_until_killed() {
    run_until_killed(FOLDER, dial_until_killed);
}

async fn dial_until_killed(folder: &Path) {
    let clock = ManualClock::at(MORNING);
    let store = Store::open(&url(folder), clock.as_clock()).await.unwrap();
    let campaign = define(&store, "spring", &retry_rules()).await;
    let resumed = store.resume().await.unwrap();
    println!("ready {}", resumed.work.next_attempt);
    let mut next = resumed.work.next_attempt;
    let (writer, mut replies) = store.start_writer();
    let mut calls: BTreeMap<AttemptId, (AttemptRequest, Lead)> = BTreeMap::new();
    writer.send(Command::FetchLeads { campaign, count: 20, untried: true }).await;
    while let Some(reply) = replies.recv().await {
        match reply {
            Reply::Leads { leads, .. } => {
                for lead in leads {
                    let request = request(AttemptId(next), campaign, &lead, clock.now());
                    next += 1;
                    writer.send(opening(&request)).await;
                    calls.insert(request.attempt, (request, lead));
                }
            }
            Reply::AttemptOpened { attempt, verdict: DialVerdict::Opened } => {
                let (request, _) = &calls[&attempt];
                println!("opened {attempt} {}", request.number.as_u64());
                let (call, at) = (attempt.call(), clock.now());
                writer.send(Command::SaveAnswer { call, at, dialog: String::new() }).await;
            }
            Reply::AnswerSaved { call } => {
                println!("answered {}", call.attempt());
                let (request, lead) = &calls[&call.attempt()];
                let ended = result(request, Some(lead), Outcome::Answered, clock.now());
                writer.send(Command::SaveResult(Box::new(ended))).await;
            }
            Reply::ResultSaved { attempt } => {
                println!("ended {attempt}");
                calls.remove(&attempt);
                writer.send(Command::FetchLeads { campaign, count: 1, untried: true }).await;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Acknowledgements that the killed process had received.
#[derive(Default)]
struct Acknowledged {
    opened: BTreeMap<i64, u64>,
    answered: Vec<i64>,
    ended: Vec<i64>,
}

impl Acknowledged {
    /// Ignores incomplete lines: the kill may have truncated the last one.
    fn line(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        let attempt = words.get(1).and_then(|word| word.parse().ok());
        match (words[0], attempt) {
            ("opened", Some(attempt)) => {
                self.opened.insert(attempt, words[2].parse().unwrap());
            }
            ("answered", Some(attempt)) => self.answered.push(attempt),
            ("ended", Some(attempt)) => self.ended.push(attempt),
            _ => {}
        }
    }
}

#[test]
fn a_killed_process_loses_no_acknowledged_write() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dir = Arc::new(tempfile::tempdir().unwrap());
    runtime.block_on(async {
        let store = Store::open(&url(dir.path()), ManualClock::at(MORNING).as_clock()).await.unwrap();
        let campaign = define(&store, "spring", &retry_rules()).await;
        list(&store, campaign, &rows(LEADS), &[]).await;
    });
    let mut acknowledged = Acknowledged::default();
    for turn in 0..20_usize {
        let mut child = start_to_be_killed("store::crash::dials_until_killed", FOLDER, dir.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).split(b'\n');
        // The number of lines before the kill differs from turn to turn.
        let lines_before_kill = 1 + turn * 37 % 400;
        let mut seen = 0;
        while let Some(Ok(line)) = lines.next() {
            acknowledged.line(&String::from_utf8_lossy(&line));
            seen += 1;
            if seen == lines_before_kill + 5 {
                child.kill().unwrap();
                break;
            }
        }
        for line in lines.map_while(Result::ok) {
            acknowledged.line(&String::from_utf8_lossy(&line));
        }
        child.wait().unwrap();
        runtime.block_on(check(dir.path(), &acknowledged, turn));
    }
    assert!(acknowledged.ended.len() > 500, "the processes did something: {}", acknowledged.ended.len());
}

async fn check(dir: &Path, acknowledged: &Acknowledged, turn: usize) {
    let clock = ManualClock::at(MORNING);
    let store = Store::open(&url(dir), clock.as_clock()).await.unwrap();
    let campaign = define(&store, "spring", &retry_rules()).await;
    // Recovery is repeated if it is interrupted, so it must be idempotent.
    store.resume().await.unwrap();
    assert_eq!(store.resume().await.unwrap().interrupted, [], "turn {turn}");
    let mut reader = store.reader().await.unwrap();
    let rows = reader.attempts(campaign, 0, 1_000_000).await.unwrap();
    let by_id: BTreeMap<_, _> = rows.iter().map(|row| (row.id, row)).collect();
    for (attempt, number) in &acknowledged.opened {
        let row = by_id.get(attempt).unwrap_or_else(|| panic!("turn {turn}: attempt {attempt} is lost"));
        assert_eq!(row.number as u64, *number, "turn {turn}");
    }
    for attempt in &acknowledged.answered {
        assert!(by_id[attempt].answered_at.is_some(), "turn {turn}: the answer of {attempt} is lost");
    }
    for attempt in &acknowledged.ended {
        let outcome = by_id[attempt].outcome.as_deref();
        assert_eq!(outcome, Some("answered"), "turn {turn}: the result of {attempt} is lost");
    }
    // No retry rule names `interrupted`, so no number may be dialled twice.
    let mut numbers: Vec<_> = rows.iter().map(|row| row.number).collect();
    numbers.sort_unstable();
    let all = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), all, "turn {turn}: a number was dialled twice");
    assert!(rows.iter().all(|row| row.outcome.is_some()), "turn {turn}: an attempt stayed open");
}

#[tokio::test]
async fn a_copy_taken_at_any_time_holds_every_acknowledged_write() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(200), &[]).await;
    for turn in 0..30 {
        let lead = fixture.fetch(1).await.0.remove(0);
        let request = fixture.request(Some(&lead), lead.phones[0].number);
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
        // A power cut: the copy holds what is on disk at this instant.
        let copy = tempfile::tempdir().unwrap();
        for name in ["paceline.db", "paceline.db-wal"] {
            std::fs::copy(fixture.dir.path().join(name), copy.path().join(name)).unwrap();
        }
        let store = Store::open(&url(copy.path()), fixture.clock.as_clock()).await.unwrap();
        let cut = store.resume().await.unwrap().interrupted;
        assert_eq!(cut.iter().map(|cut| cut.attempt).collect::<Vec<_>>(), [request.attempt], "turn {turn}");
        fixture.end(&request, Some(&lead), Outcome::Busy).await;
    }
}

#[tokio::test]
async fn a_torn_wal_recovers_a_prefix_of_the_writes() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(50), &[]).await;
    let mut requests = Vec::new();
    for _ in 0..10 {
        requests.push(fixture.call(Outcome::Busy).await.1);
    }
    let wal = std::fs::read(fixture.dir.path().join("paceline.db-wal")).unwrap();
    for cut in (0..=wal.len()).step_by(wal.len() / 23) {
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(fixture.dir.path().join("paceline.db"), copy.path().join("paceline.db")).unwrap();
        std::fs::write(copy.path().join("paceline.db-wal"), &wal[..cut]).unwrap();
        // Before the first commit the file may have no schema; then it is created.
        let store = Store::open(&url(copy.path()), fixture.clock.as_clock()).await.unwrap();
        let resumed = store.resume().await.unwrap();
        let mut reader = store.reader().await.unwrap();
        let rows = reader.attempts(fixture.campaign, 0, 100).await.unwrap();
        let ids: Vec<_> = rows.iter().map(|row| AttemptId(row.id)).collect();
        let expected: Vec<_> = requests.iter().take(ids.len()).map(|request| request.attempt).collect();
        assert_eq!(ids, expected, "cut at {cut} of {}", wal.len());
        assert!(resumed.interrupted.len() <= 1, "cut at {cut}");
    }
}
