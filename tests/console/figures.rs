//! Measurements for people to read: `all-… figures --ignored --nocapture`. They assert nothing about time.

use super::*;
use crate::store::floor::seat;
use crate::store::retry_rules;
use paceline::lists::LeadRow;
use paceline::store::{NewCampaign, NewImport};
use paceline_core::agent::{Activity, Availability};
use paceline_core::number::PhoneNumber;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const ROWS: u64 = 300_000;
const AGENTS: u64 = 500;
const STREAMS: u64 = 100;

fn row(n: u64) -> LeadRow {
    LeadRow {
        row: n,
        household: Some(format!("flat {}", n / 2)),
        name: Some("业主".into()),
        phones: vec![(PhoneNumber::from_e164(8_613_000_000_000 + n).unwrap(), format!("1300{n:07}"))],
        cells: vec!["业主".into(), format!("1300{n:07}"), "翠园".into()],
        building: None,
        area: None,
    }
}

fn percentiles(mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    format!(
        "{} requests: p50 {:?}, p95 {:?}, p99 {:?}, most {:?}",
        took.len(),
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    )
}

/// `GET /floor` of a floor of 500 seats with 100 live streams, idle and while rows are taken in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn the_floor_while_rows_are_taken_in() {
    let app = Arc::new(TestApp::new().await);
    app.staff().await;
    let mut board = Board::default();
    for n in 0..AGENTS {
        let id = app.hire(&(20_000 + n).to_string(), Role::Agent, &["vote"]).await;
        let one = seat(id, Availability::Available, Activity::Idle, app.clock.now());
        board.seats.insert(id, Arc::new(one));
    }
    app.board.send_replace(Arc::new(board));
    let mut streams = Vec::new();
    for n in 0..STREAMS {
        let request = app.request(&(20_000 + n).to_string(), "get", "/live", None).await;
        let mut body = app.ask(request).await.into_body();
        streams.push(tokio::spawn(async move { while let Some(Ok(_)) = body.frame().await {} }));
    }
    let cookie = format!("paceline={}", app.key("8003").await);
    let floor = async |app: &TestApp| {
        // No more than the rate of one caller.
        app.clock.advance(20);
        let mut request = bare("get", "/floor", None);
        request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        let began = Instant::now();
        let response = app.ask(request).await;
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.unwrap();
        began.elapsed()
    };
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(floor(&app).await);
    }
    eprintln!("idle: {}", percentiles(idle));
    let campaign = NewCampaign {
        name: "figures",
        title: "figures",
        mode: "announce",
        timezone: "Asia/Shanghai",
        toml: "",
        retry: &retry_rules(),
    };
    let campaign = app.store.define_campaign(&campaign).await.unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let import = tokio::spawn({
        let (store, is_over) = (app.store.clone(), is_over.clone());
        async move {
            let new = NewImport {
                campaign,
                file: "list.csv".into(),
                fingerprint: "1".into(),
                header: vec!["a".into()],
            };
            let mut import = store.begin_import(&new).await.unwrap();
            let began = Instant::now();
            for first in (0..ROWS).step_by(4_000) {
                let rows: Vec<LeadRow> = (first..(first + 4_000).min(ROWS)).map(row).collect();
                import.push(&rows, &[]).await.unwrap();
            }
            import.commit(ROWS, "{}").await.unwrap();
            is_over.store(true, Ordering::Release);
            began.elapsed()
        }
    });
    let mut busy = Vec::new();
    while !is_over.load(Ordering::Acquire) {
        busy.push(floor(&app).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eprintln!("{ROWS} rows in {:?}: {}", import.await.unwrap(), percentiles(busy));
    streams.iter().for_each(tokio::task::JoinHandle::abort);
}

/// A vote of a million owners: its count, its pages, the campaign's sums, summary and sums over calls. The clock stands, so
/// that nothing is kept and each is counted anew. `PACELINE_OWNERS` = how many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn a_vote_of_a_million_owners() {
    let owners: u64 = std::env::var("PACELINE_OWNERS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let app = TestApp::new().await;
    app.staff().await;
    let toml = "name = \"figures\"\nmode = \"announce\"\n[keys]\n1 = { result = \"agree\" }\n[vote]\n\
                results = { agree = [\"agree\"] }\n";
    let campaign = NewCampaign {
        name: "figures",
        title: "figures",
        mode: "announce",
        timezone: "Asia/Shanghai",
        toml,
        retry: &retry_rules(),
    };
    let campaign = app.store.define_campaign(&campaign).await.unwrap();
    let new =
        NewImport { campaign, file: "list.csv".into(), fingerprint: "1".into(), header: vec!["a".into()] };
    let mut import = app.store.begin_import(&new).await.unwrap();
    for first in (0..owners).step_by(4_000) {
        let rows: Vec<LeadRow> = (first..(first + 4_000).min(owners))
            .map(|n| LeadRow { area: Some(8_950), building: Some(format!("{}", n % 300)), ..row(n) })
            .collect();
        import.push(&rows, &[]).await.unwrap();
    }
    import.commit(owners, "{}").await.unwrap();
    let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url(app.dir.path())).await.unwrap();
    for statement in [
        "update lead set result = 'agree', state = 'done' where id % 3 = 0",
        "insert into attempt (id, campaign_id, lead_id, number, ordinal, trunk, call_id, dialog, state, placed_at, answered_at,
                              ended_at, outcome, rest_millis)
         select l.id, l.campaign_id, l.id, 8613000000000, 1, 'main', l.id, '', 'ended', 1772416800000 + l.id * 300,
                1772416805000 + l.id * 300, 1772416830000 + l.id * 300,
                case when l.id % 3 = 0 then 'answered' else 'no_answer' end, 0 from lead l",
        "update lead set attempts = 1",
    ] {
        sqlx::query(statement).execute(&mut conn).await.unwrap();
    }
    for path in [
        "/campaigns/figures/vote",
        "/campaigns/figures/vote",
        "/campaigns/figures/vote/flats?said=open",
        "/campaigns/figures/sums",
        "/campaigns/figures/sums",
        "/campaigns/figures/summary",
        "/campaigns/figures/summary",
        "/aggregates?by=outcome&campaign=figures&from=2020-01-01T00:00:00Z",
        "/aggregates?by=day&then=hour&campaign=figures&from=2020-01-01T00:00:00Z",
        "/aggregates?by=building&then=outcome&campaign=figures&from=2020-01-01T00:00:00Z",
    ] {
        let request = app.request("8003", "get", path, None).await;
        let began = Instant::now();
        let response = app.ask(request).await;
        let status = response.status();
        response.into_body().collect().await.unwrap();
        eprintln!("{owners} owners: {path}: {:?} ({status})", began.elapsed());
    }
}
