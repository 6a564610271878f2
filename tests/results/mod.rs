//! Result files: the published columns, cells guarded against formula injection, the same bytes for the same
//! state, and counts that reconcile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agents;

use crate::store::{Fixture, MORNING, number, opening, refused, result, row};
use paceline::lists::LeadRow;
use paceline::results::{self, Format};
use paceline::store::Command;
use paceline_core::call::Digit;
use paceline_core::outcome::{Outcome, Reason};
use paceline_core::time::Utc;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The published columns.
const ATTEMPTS: &str = "attempt_id, call_id, lead_id, row, household, phone, phone_given, name, attempt, mode, \
    trunk, caller_id, placed_at, ringing_at, answered_at, connected_at, ended_at, ring_secs, talk_secs, \
    wait_secs, outcome, cause, sip_code, ended_by, keys, result, agent, disposition, note, recording, counted";
const LEADS: &str = "lead_id, row, household, phone, phone_given, name, state, reason, attempts, \
    last_outcome, last_at, next_at, result, disposition, list.姓名, list.手机";

/// Four leads and a refused row: one answered with `agree`, one no answer, one being called, one untried; and
/// a single-number test.
async fn sample_campaign() -> Fixture {
    let mut fixture = Fixture::new().await;
    let nasty = LeadRow {
        row: 3,
        household: Some("@3-101".into()),
        name: Some("=HYPERLINK(\"http://x\")".into()),
        phones: vec![(number(1), "+86 138 0000 0001".into())],
        cells: vec!["=HYPERLINK(\"http://x\")".into(), "+86 138 0000 0001".into(), "extra".into()],
        ..LeadRow::default()
    };
    let leads = [row(2, &[0], None), nasty, row(5, &[2, 3], None), row(6, &[4], None)];
    fixture.list(&leads, &[refused(4, Reason::InvalidNumber)]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), number(0));
    fixture.dial(&request).await;
    let mut ended = result(&request, Some(&lead), Outcome::Answered, Utc::from_millis(MORNING + 20_500));
    ended.ringing_at = Some(Utc::from_millis(MORNING + 1_000));
    ended.answered_at = Some(Utc::from_millis(MORNING + 5_250));
    ended.keys = "1".chars().filter_map(Digit::from_char).collect();
    ended.result = Some("agree".into());
    ended.cause = "-1+1".into();
    ended.lead.as_mut().unwrap().result = Some("agree".into());
    fixture.ask(Command::SaveResult(Box::new(ended))).await;
    fixture.call(Outcome::NoAnswer).await;
    let third = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&third), number(2));
    fixture.dial(&request).await;
    let mut test = fixture.request(None, number(9));
    test.caller_id = None;
    fixture.dial(&test).await;
    fixture.end(&test, None, Outcome::Busy).await;
    fixture
}

fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).unwrap();
    let text = text.strip_prefix('\u{feff}').expect("a BOM, so that Excel reads UTF-8");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

fn header(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.trim_start_matches('\u{feff}').split("\r\n").next().unwrap().replace(',', ", ")
}

#[tokio::test]
async fn the_columns_are_the_published_ones() {
    let fixture = sample_campaign().await;
    let dir = fixture.dir.path().join("results");
    results::write(&mut fixture.store.reader().await.unwrap(), "spring", &dir).await.unwrap();
    assert_eq!(header(&dir.join("attempts.csv")), ATTEMPTS);
    assert_eq!(header(&dir.join("leads.csv")), LEADS);
    let left: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 5, "no draft is left: {left:?}");
}

#[tokio::test]
async fn attempt_times_are_in_the_campaigns_time_zone() {
    let fixture = sample_campaign().await;
    let dir = fixture.dir.path().join("results");
    results::write(&mut fixture.store.reader().await.unwrap(), "spring", &dir).await.unwrap();
    let rows = table(&dir.join("attempts.csv"));
    let first = &rows[0];
    let expected = [
        ("attempt_id", "1"),
        ("call_id", "call-1@paceline"),
        ("row", "2"),
        ("phone", "13800000000"),
        ("caller_id", "'075512345678"),
        ("placed_at", "2026-03-02T10:00:00.000+08:00"),
        ("answered_at", "2026-03-02T10:00:05.250+08:00"),
        ("connected_at", ""),
        ("ring_secs", "4.250"),
        ("talk_secs", "15.250"),
        ("outcome", "answered"),
        ("cause", "'-1+1"),
        ("keys", "1"),
        ("result", "agree"),
        ("mode", "announce"),
        ("counted", "true"),
    ];
    for (column, value) in expected {
        assert_eq!(first[column], value, "{column}");
    }
    assert_eq!((rows[2]["outcome"].as_str(), rows[2]["ended_at"].as_str()), ("", ""));
    assert_eq!((rows[3]["lead_id"].as_str(), rows[3]["phone"].as_str()), ("", "13800000009"));
    assert_eq!(rows.len(), 4);
}

#[tokio::test]
async fn every_list_row_is_written_in_order_without_formulas() {
    let fixture = sample_campaign().await;
    let dir = fixture.dir.path().join("results");
    results::write(&mut fixture.store.reader().await.unwrap(), "spring", &dir).await.unwrap();
    let rows = table(&dir.join("leads.csv"));
    let column = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("row"), ["2", "3", "4", "5", "6"]);
    assert_eq!(column("state"), ["done", "open", "failed", "open", "open"]);
    assert_eq!(column("reason"), ["", "", "invalid_number", "", ""]);
    assert_eq!(column("attempts"), ["1", "1", "0", "0", "0"]);
    assert_eq!(column("last_outcome"), ["answered", "no_answer", "", "", ""]);
    assert_eq!(rows[1]["next_at"], "2026-03-02T12:00:00.000+08:00");
    assert_eq!(rows[1]["name"], "'=HYPERLINK(\"http://x\")");
    assert_eq!(rows[1]["phone_given"], "'+86 138 0000 0001");
    assert_eq!(rows[1]["household"], "'@3-101");
    assert_eq!((rows[2]["lead_id"].as_str(), rows[2]["list.姓名"].as_str()), ("", "'=cmd()"));
    for name in ["attempts.csv", "leads.csv"] {
        for cell in table(&dir.join(name)).iter().flat_map(BTreeMap::values) {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{name}: {cell}");
        }
    }
}

#[tokio::test]
async fn the_summary_reconciles() {
    let fixture = sample_campaign().await;
    let dir = fixture.dir.path().join("results");
    let written = results::write(&mut fixture.store.reader().await.unwrap(), "spring", &dir).await.unwrap();
    let text = fs::read_to_string(dir.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(summary, serde_json::to_value(&written).unwrap());
    assert_eq!((&summary["reconciles"], &summary["differences"]), (&true.into(), &serde_json::json!([])));
    assert_eq!((written.rows_read, written.leads, written.refused), (5, 4, 1));
    assert_eq!((written.attempts, written.attempts_open, written.attempts_tests), (4, 1, 1));
    let words = |pairs: &[(&str, u64)]| -> BTreeMap<String, u64> {
        pairs.iter().map(|(word, n)| ((*word).to_string(), *n)).collect()
    };
    assert_eq!(written.attempts_by_outcome, words(&[("answered", 1), ("busy", 1), ("no_answer", 1)]));
    assert_eq!(written.leads_by_state, words(&[("done", 1), ("open", 3)]));
    assert_eq!(written.leads_by_result, words(&[("agree", 1)]));
    assert_eq!(written.caller_ids["075512345678"].attempts, 3);
    assert_eq!((written.talk_secs.total, written.talk_secs.calls), (15.25, 1));
    assert_eq!(written.abandon.pct_of_attempts, 0.0);
}

#[tokio::test]
async fn a_wrong_row_count_of_the_list_reader_is_a_difference() {
    let fixture = Fixture::new().await;
    let new = paceline::store::NewImport {
        campaign: fixture.campaign,
        file: "list.csv".into(),
        fingerprint: "x".into(),
        header: vec![],
    };
    let mut import = fixture.store.begin_import(&new).await.unwrap();
    import.push(&[row(2, &[1], None)], &[]).await.unwrap();
    import.commit(3, "{}").await.unwrap();
    let dir = fixture.dir.path().join("results");
    let written = results::write(&mut fixture.store.reader().await.unwrap(), "spring", &dir).await.unwrap();
    assert!(!written.reconciles);
    assert_eq!(written.differences, ["rows read 3, leads + refused rows 1"]);
}

#[tokio::test]
async fn the_same_state_gives_the_same_bytes() {
    let fixture = sample_campaign().await;
    let mut reader = fixture.store.reader().await.unwrap();
    let dir = fixture.dir.path();
    let mut seen: Vec<Vec<Vec<u8>>> = Vec::new();
    for turn in ["first", "second"] {
        let dir = dir.join(turn);
        let mut files = results::export(&mut reader, "spring", Format::Csv, &dir).await.unwrap();
        files.extend(results::export(&mut reader, "spring", Format::Parquet, &dir).await.unwrap());
        seen.push(files.iter().map(|file| fs::read(file).unwrap()).collect());
    }
    assert_eq!(seen[0].len(), 9);
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].iter().all(|bytes| !bytes.is_empty()));
}

#[tokio::test]
async fn an_unwritable_results_folder_is_reported() {
    let fixture = Fixture::new().await;
    let blocked = fixture.dir.path().join("results");
    fs::write(&blocked, "a file").unwrap();
    let mut reader = fixture.store.reader().await.unwrap();
    let error = results::write(&mut reader, "spring", &blocked).await.unwrap_err().to_string();
    assert!(error.contains("results") && error.contains("cannot be written"), "{error}");
    let unknown = results::write(&mut reader, "winter", &blocked).await.map(|_| ());
    assert!(unknown.is_err());
}

#[tokio::test]
async fn a_workbook_keeps_phone_numbers_as_text() {
    use calamine::{Data, Reader, Xlsx, open_workbook};
    let fixture = sample_campaign().await;
    let dir = fixture.dir.path().join("out");
    let mut reader = fixture.store.reader().await.unwrap();
    let files = results::export(&mut reader, "spring", Format::Xlsx, &dir).await.unwrap();
    let mut book: Xlsx<_> = open_workbook(&files[0]).unwrap();
    let sheet = book.worksheet_range("attempts").unwrap();
    let column = results::ATTEMPT_COLUMNS.iter().position(|(name, _)| *name == "phone").unwrap();
    assert_eq!(sheet.get((1, column)), Some(&Data::String("13800000000".into())));
    assert_eq!(sheet.height(), 5);
    // 2 March 2026, 10:00 on the campaign's clock, as a date that can be filtered and subtracted.
    let column = results::ATTEMPT_COLUMNS.iter().position(|(name, _)| *name == "placed_at").unwrap();
    let Some(Data::DateTime(placed)) = sheet.get((1, column)) else { panic!("no date") };
    assert!((placed.as_f64() - 46_083.416_666_67).abs() < 1e-6, "{placed:?}");
    let sheet = book.worksheet_range("leads").unwrap();
    assert_eq!(sheet.get((2, 5)), Some(&Data::String("=HYPERLINK(\"http://x\")".into())));
    assert_eq!(sheet.height(), 6);
}

#[tokio::test]
async fn a_reader_keeps_its_snapshot_while_calls_continue() {
    let mut fixture = sample_campaign().await;
    let mut reader = fixture.store.reader().await.unwrap();
    let before = reader.attempts(fixture.campaign, 0, 100).await.unwrap().len();
    let request = fixture.request(None, number(77));
    assert!(fixture.writer.send(opening(&request)).await);
    fixture.reply().await;
    assert_eq!(reader.attempts(fixture.campaign, 0, 100).await.unwrap().len(), before, "one moment");
    reader.refresh().await.unwrap();
    assert_eq!(reader.attempts(fixture.campaign, 0, 100).await.unwrap().len(), before + 1);
}
