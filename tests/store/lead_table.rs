//! The table of leads: filters against a plain model, pages against the whole, and the time of a page of a large
//! campaign while calls are written.

use super::*;
use paceline::store::{LeadFilter, LeadKey, Reader};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SEED: u64 = 27;

fn never() -> bool {
    false
}

/// Ids of all leads that match, page by page.
async fn pages(reader: &mut Reader, campaign: CampaignId, filter: &LeadFilter, limit: usize) -> Vec<i64> {
    let (mut found, mut after) = (Vec::new(), LeadKey::default());
    loop {
        let page = reader.lead_page(campaign, filter, after, limit, &never).await.unwrap();
        assert!(page.leads.len() <= limit && page.leads.iter().all(|key| *key > after));
        found.extend(page.leads.iter().map(|key| key.lead));
        match page.next {
            Some(next) => after = next,
            None => return found,
        }
    }
}

/// Two lists of 400 rows whose row numbers overlap, with buildings, some dialled.
async fn dialled_lists() -> Fixture {
    let mut fixture = Fixture::new().await;
    for list in 0..2_u64 {
        let rows: Vec<LeadRow> = (0..400)
            .map(|n| LeadRow {
                building: (n % 3 > 0).then(|| format!("{}", n % 5)),
                ..row(n + 2, &[1_000 * list + n], (n % 4 == 0).then_some("3-1-201"))
            })
            .collect();
        fixture.list(&rows, &[]).await;
    }
    for outcome in
        [Outcome::Busy, Outcome::Answered, Outcome::NoAnswer, Outcome::Vacant].iter().cycle().take(40)
    {
        fixture.call(*outcome).await;
    }
    fixture
}

#[tokio::test]
async fn pages_by_any_filter_are_those_of_a_plain_model() {
    let fixture = dialled_lists().await;
    let mut reader = fixture.store.reader().await.unwrap();
    let all = pages(&mut reader, fixture.campaign, &LeadFilter::default(), 500).await;
    assert_eq!(all.len(), 800);
    let keys: Vec<LeadKey> = reader
        .lead_page(fixture.campaign, &LeadFilter::default(), LeadKey::default(), 1_000, &never)
        .await
        .unwrap()
        .leads;
    assert!(keys.is_sorted(), "list order");
    let rows = reader.lead_rows(&keys).await.unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let word = |random: &mut ChaCha8Rng, words: &[&str]| {
        words.get(random.random_range(0..words.len() * 2)).map(ToString::to_string)
    };
    for step in 0..200 {
        let filter = LeadFilter {
            state: word(&mut random, &["open", "done", "failed", "follow_up"]),
            reason: word(&mut random, &["attempts_used", "household_done"]).filter(|_| step % 4 == 0),
            outcome: word(&mut random, &["busy", "answered", "vacant"]),
            building: word(&mut random, &["0", "1", "4", "9"]),
            callback: (step % 7 == 0).then(|| random.random()),
            name: word(&mut random, &["主1", "9", "x"]),
            row: (step % 11 == 0).then(|| random.random_range(1..300)),
            ..LeadFilter::default()
        };
        let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        let wanted: Vec<i64> = rows
            .iter()
            .filter(|row| {
                let booked = row.state == "follow_up" && row.next_at > 0;
                let name = row.name.as_deref().unwrap_or_default();
                is(&filter.state, &Some(row.state.clone()))
                    && is(&filter.reason, &row.reason)
                    && is(&filter.outcome, &row.last_outcome)
                    && is(&filter.building, &row.building)
                    && filter.callback.is_none_or(|wanted| wanted == booked)
                    && filter.name.as_deref().is_none_or(|part| name.contains(part))
                    && filter.row.is_none_or(|wanted| row.list_row == wanted as i64)
            })
            .map(|row| row.lead_id)
            .collect();
        let limit = random.random_range(1..60);
        let found = pages(&mut reader, fixture.campaign, &filter, limit).await;
        assert_eq!(found, wanted, "seed {SEED}, step {step}, {limit} a page: {filter:?}");
        let counted = reader.count_leads(fixture.campaign, &filter, 10_000, &never).await.unwrap();
        assert_eq!(counted, (wanted.len() as u64, true), "seed {SEED}, step {step}: {filter:?}");
    }
    let most = reader.count_leads(fixture.campaign, &LeadFilter::default(), 100, &never).await.unwrap();
    assert_eq!(most, (100, false));
    let number = LeadFilter { number: Some(number(1_007).as_u64()), ..LeadFilter::default() };
    let found = pages(&mut reader, fixture.campaign, &number, 5).await;
    assert_eq!(found.len(), 1);
    assert_eq!(reader.lead_rows(&[LeadKey { row: 9, lead: found[0] }]).await.unwrap()[0].list_row, 9);
}

#[tokio::test]
async fn a_late_query_ends_with_its_place_and_goes_on_there() {
    let fixture = Fixture::new().await;
    fixture.list(&rows(3_000), &[]).await;
    let mut reader = fixture.store.reader().await.unwrap();
    let filter = LeadFilter { name: Some("业主2999".into()), ..LeadFilter::default() };
    let late = || true;
    let (mut after, mut turns, mut found) = (LeadKey::default(), 0, Vec::new());
    loop {
        let page = reader.lead_page(fixture.campaign, &filter, after, 10, &late).await.unwrap();
        found.extend(page.leads);
        turns += 1;
        match page.next {
            Some(next) => {
                assert!(next > after);
                after = next;
            }
            None => break,
        }
    }
    assert_eq!((found.len(), found[0].row), (1, 2_999));
    assert!(turns > 3, "{turns} turns");
    let (count, exact) = reader.count_leads(fixture.campaign, &filter, 10_000, &never).await.unwrap();
    assert_eq!((count, exact), (1, true));
}

#[tokio::test]
async fn leads_of_a_list_that_is_being_loaded_or_of_another_campaign_are_not_in_the_table() {
    let fixture = Fixture::new().await;
    fixture.list(&rows(3), &[]).await;
    let other = define(&fixture.store, "autumn", &retry_rules()).await;
    list(&fixture.store, other, &rows(5), &[]).await;
    let new = NewImport {
        campaign: fixture.campaign,
        file: "more.csv".into(),
        fingerprint: "more".into(),
        header: vec!["姓名".into(), "手机".into()],
    };
    let mut import = fixture.store.begin_import(&new).await.unwrap();
    import.push(&[row(2, &[77], None)], &[]).await.unwrap();
    let mut reader = fixture.store.reader().await.unwrap();
    let all = LeadFilter::default();
    assert_eq!(pages(&mut reader, fixture.campaign, &all, 2).await.len(), 3);
    assert_eq!(pages(&mut reader, other, &all, 2).await.len(), 5);
    import.commit(1, "{}").await.unwrap();
    reader.refresh().await.unwrap();
    assert_eq!(pages(&mut reader, fixture.campaign, &all, 2).await.len(), 4);
}

/// Times pages of a million leads while calls are written. `PACELINE_LEADS` = how many leads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; prints timings and asserts none"]
async fn pages_of_a_million_leads_while_calls_are_written() {
    let leads: u64 = std::env::var("PACELINE_LEADS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let mut fixture = Fixture::new().await;
    let new = NewImport {
        campaign: fixture.campaign,
        file: "list.csv".into(),
        fingerprint: "large".into(),
        header: vec!["姓名".into(), "手机".into()],
    };
    let began = std::time::Instant::now();
    let mut import = fixture.store.begin_import(&new).await.unwrap();
    for piece in 0..leads / 10_000 {
        let rows: Vec<LeadRow> = (piece * 10_000..(piece + 1) * 10_000)
            .map(|n| LeadRow { building: Some(format!("{}", n % 97)), ..row(n + 2, &[n], None) })
            .collect();
        import.push(&rows, &[]).await.unwrap();
    }
    import.commit(leads, "{}").await.unwrap();
    println!("{leads} leads imported in {:?}", began.elapsed());
    let (campaign, path) = (fixture.campaign, url(fixture.dir.path()));
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stop = done.clone();
    let calls = tokio::spawn(async move {
        let mut calls = 0;
        while !stop.load(Ordering::SeqCst) {
            fixture.call([Outcome::Busy, Outcome::Answered, Outcome::Vacant][calls % 3]).await;
            calls += 1;
        }
        (fixture, calls)
    });

    let filters = [
        ("all", LeadFilter::default()),
        ("open", LeadFilter { state: Some("open".into()), ..LeadFilter::default() }),
        ("done", LeadFilter { state: Some("done".into()), ..LeadFilter::default() }),
        ("outcome busy", LeadFilter { outcome: Some("busy".into()), ..LeadFilter::default() }),
        ("a callback", LeadFilter { callback: Some(true), ..LeadFilter::default() }),
        ("building 13", LeadFilter { building: Some("13".into()), ..LeadFilter::default() }),
        (
            "building 13, done",
            LeadFilter { building: Some("13".into()), state: Some("done".into()), ..LeadFilter::default() },
        ),
        ("name of the last", LeadFilter { name: Some(format!("业主{leads}")), ..LeadFilter::default() }),
        ("outcome of none", LeadFilter { outcome: Some("machine".into()), ..LeadFilter::default() }),
        ("row", LeadFilter { row: Some(leads / 2), ..LeadFilter::default() }),
        ("number", LeadFilter { number: Some(number(leads / 3).as_u64()), ..LeadFilter::default() }),
    ];
    for (name, filter) in filters {
        let began = std::time::Instant::now();
        let mut reader = Store::open_reader(&path).await.unwrap();
        let page = reader.lead_page(campaign, &filter, LeadKey::default(), 200, &never).await.unwrap();
        let rows = reader.lead_rows(&page.leads).await.unwrap();
        reader.lead_numbers(&page.leads).await.unwrap();
        let paged = began.elapsed();
        let counted = reader.count_leads(campaign, &filter, 10_000, &never).await.unwrap();
        println!(
            "{name}: {} rows in {paged:?}, counted {counted:?} in {:?}",
            rows.len(),
            began.elapsed() - paged
        );
    }
    done.store(true, Ordering::SeqCst);
    let (_fixture, calls) = calls.await.unwrap();
    println!("{calls} calls were written meanwhile");
}
