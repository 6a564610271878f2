//! The blacklist: numbers, prefixes, an end, scopes; what it closes and whom it tells.

use super::*;
use paceline::store::{BlacklistAddition, BlacklistChange, BlacklistFilter, StoreError};
use paceline_core::number_pattern::NumberPattern;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn pattern(text: &str) -> NumberPattern {
    text.parse().unwrap()
}

fn addition(campaign: Option<CampaignId>, patterns: &[&str]) -> BlacklistAddition {
    BlacklistAddition {
        campaign,
        patterns: patterns.iter().map(|text| pattern(text)).collect(),
        source: "people".into(),
        reason: Some("complained".into()),
        added_by: Some("mei".into()),
        until: None,
    }
}

/// What the dial check must say, by comparing every entry with the number.
fn expected(
    entries: &[BlacklistAddition],
    campaign: CampaignId,
    number: PhoneNumber,
    now: Utc,
) -> DialVerdict {
    let mut until = None;
    for entry in entries {
        let holds = entry.campaign.is_none_or(|of| of == campaign)
            && entry.until.is_none_or(|until| until > now)
            && entry.patterns[0].matches(number);
        match (holds, entry.until) {
            (true, None) => return DialVerdict::Closed(Reason::Blacklisted),
            (true, Some(at)) => until = until.max(Some(at)),
            (false, _) => {}
        }
    }
    let waits = until.map(|until| DialVerdict::NotBefore { until, reason: Reason::Blacklisted });
    waits.unwrap_or(DialVerdict::Opened)
}

#[tokio::test]
async fn the_dial_check_finds_exactly_the_patterns_that_match() {
    let seed = 20_261_129;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut fixture = Fixture::new().await;
    let autumn = define(&fixture.store, "autumn", &retry_rules()).await;
    let mut entries: Vec<BlacklistAddition> = Vec::new();
    let mut dialled = std::collections::BTreeSet::new();
    for step in 0..400 {
        let digits = match random.random_range(0..3) {
            0 => {
                8_613_800_000_000 + random.random_range(0..40u64) * 25_000_000 + random.random_range(0..3u64)
            }
            1 => 867_552_000_000 + random.random_range(0..300u64) * 1_000_000,
            _ => 14_155_500_000 + random.random_range(0..99_999u64),
        };
        let Some(number) = PhoneNumber::from_e164(digits) else { continue };
        let campaign = [fixture.campaign, autumn][random.random_range(0..2)];
        if random.random_bool(0.2) {
            let cut = 10u64.pow(random.random_range(0..6));
            let is_prefix = random.random_bool(0.6);
            let pattern = match is_prefix {
                true => NumberPattern::prefix(digits / cut).unwrap(),
                false => number.into(),
            };
            let entry = BlacklistAddition {
                campaign: random.random_bool(0.5).then_some(campaign),
                patterns: vec![pattern],
                // Each entry stands for itself: naming it again would change the first.
                source: format!("step {step}"),
                until: random
                    .random_bool(0.5)
                    .then(|| fixture.clock.now() + Duration::from_secs(random.random_range(0..7_200))),
                ..BlacklistAddition::default()
            };
            fixture.store.add_blacklist(&entry).await.unwrap();
            entries.push(entry);
        }
        fixture.clock.advance(random.random_range(0..2 * MINUTE));
        if !dialled.insert(digits) {
            continue;
        }
        let mut request = fixture.request(None, number);
        request.campaign = campaign;
        let verdict = fixture.dial(&request).await;
        let right = expected(&entries, campaign, number, fixture.clock.now());
        assert_eq!(verdict, right, "seed {seed}, step {step}, {digits}");
        if right != DialVerdict::Opened {
            dialled.remove(&digits);
        }
    }
}

#[tokio::test]
async fn an_addition_closes_leads_without_another_number_and_tells_the_engine() {
    let mut fixture = Fixture::new().await;
    let autumn = define(&fixture.store, "autumn", &retry_rules()).await;
    let numbers = [row(2, &[1_100], None), row(3, &[1_200, 5_000], None), row(4, &[6_000], None)];
    fixture.list(&numbers, &[]).await;
    list(&fixture.store, autumn, &numbers, &[]).await;
    let mut changes = fixture.store.blacklist_changes();
    let entry = addition(Some(fixture.campaign), &["+8613800001*"]);
    let done = fixture.store.add_blacklist(&entry).await.unwrap();
    assert_eq!((done.added, done.leads_closed), (1, 1));
    let change =
        BlacklistChange { campaign: Some(fixture.campaign), patterns: vec![pattern("+8613800001*")] };
    assert_eq!(changes.try_recv().unwrap(), change);
    let (leads, _, open) = fixture.fetch(10).await;
    assert_eq!((leads.iter().map(|lead| lead.row).collect::<Vec<_>>(), open), (vec![3, 4], 2));
    assert_eq!(leads[0].phones.iter().map(|phone| phone.closed).collect::<Vec<_>>(), [true, false]);
    assert_eq!(fixture.store.lead_counts(autumn).await.unwrap().open, 3, "the other campaign goes on");
    let again = fixture.store.add_blacklist(&entry).await.unwrap();
    assert_eq!((again.added, again.leads_closed), (0, 0));
    drop(changes);
    fixture.store.add_blacklist(&addition(None, &["+86138*"])).await.unwrap();
    assert_eq!(fixture.store.lead_counts(autumn).await.unwrap().open, 0);
}

/// More leads than one transaction closes.
#[tokio::test]
async fn a_whole_area_is_closed_piece_by_piece() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(2_500), &[]).await;
    let done =
        fixture.store.add_blacklist(&addition(None, &["+8613800000*", "+86138000010*"])).await.unwrap();
    assert_eq!((done.added, done.leads_closed), (2, 1_100));
    assert_eq!(fixture.fetch(0).await.2, 1_400);
}

#[tokio::test]
async fn a_number_may_be_called_after_the_end_of_its_entry() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let until = fixture.clock.now() + Duration::from_secs(3_600);
    let entry = BlacklistAddition { until: Some(until), ..addition(None, &["+8613800000000"]) };
    assert_eq!(fixture.store.add_blacklist(&entry).await.unwrap().leads_closed, 0);
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), number(0));
    let waits = DialVerdict::NotBefore { until, reason: Reason::Blacklisted };
    assert_eq!(fixture.dial(&request).await, waits);
    fixture.clock.advance(60 * MINUTE - 1);
    let request = fixture.request(None, number(0));
    assert_eq!(fixture.dial(&request).await, waits);
    fixture.clock.advance(1);
    let request = fixture.request(Some(&lead), number(0));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    // An entry that is made permanent holds for ever.
    fixture.store.add_blacklist(&addition(None, &["+8613800000000"])).await.unwrap();
    let request = fixture.request(None, number(0));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Closed(Reason::Blacklisted));
}

#[tokio::test]
async fn entries_are_listed_by_page_scope_and_number_and_removed() {
    let mut fixture = Fixture::new().await;
    let campaign = Some(fixture.campaign);
    let store = &fixture.store;
    store.add_blacklist(&addition(None, &["+8613800000001", "+86755*"])).await.unwrap();
    store.add_blacklist(&addition(campaign, &["+861380*", "+8613800000001"])).await.unwrap();
    let mut reader = store.reader().await.unwrap();
    let all = reader.blacklist_entries(BlacklistFilter::default(), 100).await.unwrap();
    let texts: Vec<_> = all.iter().map(|entry| (entry.campaign, entry.pattern.to_string())).collect();
    let named = |campaign, text: &str| (campaign, text.to_string());
    assert_eq!(
        texts,
        [
            named(None, "+8613800000001"),
            named(None, "+86755*"),
            named(campaign, "+861380*"),
            named(campaign, "+8613800000001")
        ]
    );
    assert_eq!((all[0].reason.as_deref(), all[0].added_by.as_deref()), (Some("complained"), Some("mei")));
    let after = BlacklistFilter { after: all[1].id, ..BlacklistFilter::default() };
    assert_eq!(reader.blacklist_entries(after, 1).await.unwrap(), all[2..3]);
    let system = BlacklistFilter { scope: Some(None), ..BlacklistFilter::default() };
    assert_eq!(reader.blacklist_entries(system, 9).await.unwrap(), all[..2]);
    let of_number = BlacklistFilter { number: Some(number(1)), ..BlacklistFilter::default() };
    let found = reader.blacklist_entries(of_number, 9).await.unwrap();
    assert_eq!(found, [all[0].clone(), all[2].clone(), all[3].clone()]);
    assert_eq!(store.blacklisted(None).await.unwrap(), [pattern("+8613800000001"), pattern("+86755*")]);

    assert_eq!(store.remove_blacklist(None, &[pattern("+8613800000001"), pattern("+86*")]).await.unwrap(), 1);
    store.remove_blacklist_entry(all[2].id).await.unwrap();
    assert!(matches!(store.remove_blacklist_entry(all[2].id).await, Err(StoreError::Unknown { .. })));
    store.remove_blacklist(campaign, &[pattern("+8613800000001")]).await.unwrap();
    let request = fixture.request(None, number(1));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    assert_eq!(fixture.store.blacklisted(campaign).await.unwrap(), [pattern("+86755*")]);
}

/// A process killed while it reloads a file leaves the old numbers, the new ones, or both; never none.
#[tokio::test]
async fn a_reloaded_file_protects_at_every_moment() {
    let mut fixture = Fixture::new().await;
    let numbers: Vec<PhoneNumber> = (0..5_000).map(number).collect();
    fixture.store.replace_blacklist(None, "file.csv", &numbers).await.unwrap();
    let (store, both) = (&fixture.store, [&numbers[2_000..], &[number(7_000)]].concat());
    tokio::join!(
        async {
            for _ in 0..50 {
                let held = store.blacklisted(None).await.unwrap();
                assert!(held.contains(&number(2_500).into()) && held.contains(&number(4_999).into()));
            }
        },
        async { store.replace_blacklist(None, "file.csv", &both).await.unwrap() }
    );
    let held = fixture.store.blacklisted(None).await.unwrap();
    assert_eq!(held, both.into_iter().map(NumberPattern::from).collect::<Vec<_>>());
    let request = fixture.request(None, number(1));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
}
