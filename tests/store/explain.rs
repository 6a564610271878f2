//! Queries behind "why is this lead not dialled?".

use super::{Fixture, MINUTE, define, number, refused, retry_rules, row, rows};
use paceline::store::{LeadSelector, Reader, Scope};
use paceline_core::explain::LeadFacts;
use paceline_core::ids::LeadId;
use paceline_core::outcome::{LeadState, Outcome, Reason};

pub async fn facts(reader: &mut Reader, fixture: &Fixture, lead: LeadId) -> LeadFacts {
    let now = fixture.clock.now();
    let day = (
        now - paceline_core::time::Duration::from_secs(36_000),
        now + paceline_core::time::Duration::from_secs(36_000),
    );
    reader.refresh().await.unwrap();
    reader.lead_facts(fixture.campaign, lead, now, day).await.unwrap().expect("a lead")
}

async fn one(reader: &mut Reader, fixture: &Fixture, selector: LeadSelector) -> LeadId {
    reader.refresh().await.unwrap();
    reader.find_leads(fixture.campaign, selector).await.unwrap()[0]
}

#[tokio::test]
async fn a_lead_is_found_by_number_row_and_id_with_its_place_in_the_queue() {
    let fixture = Fixture::new().await;
    fixture.list(&rows(5), &[]).await;
    let mut reader = fixture.store.reader().await.unwrap();
    let third = one(&mut reader, &fixture, LeadSelector::Row(4)).await;
    assert_eq!(one(&mut reader, &fixture, LeadSelector::Number(number(2))).await, third);
    assert_eq!(one(&mut reader, &fixture, LeadSelector::Lead(third)).await, third);
    assert!(reader.find_leads(fixture.campaign, LeadSelector::Row(99)).await.unwrap().is_empty());
    let found = facts(&mut reader, &fixture, third).await;
    assert_eq!((found.ahead, found.state, found.lead.row), (2, LeadState::Open, 4));
    let due = reader.due_now(fixture.campaign, fixture.clock.now()).await.unwrap();
    assert_eq!((due.leads_open, due.due, due.next_due), (5, 5, None));
}

#[tokio::test]
async fn explain_counts_attempts_like_the_dial_check() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(2, &[1], Some("home")), row(3, &[2], Some("home"))], &[]).await;
    let mut reader = fixture.store.reader().await.unwrap();
    let (first, second) = (
        one(&mut reader, &fixture, LeadSelector::Row(2)).await,
        one(&mut reader, &fixture, LeadSelector::Row(3)).await,
    );
    let (leads, ..) = fixture.fetch(1).await;
    let request = fixture.request(leads.first(), number(1));
    fixture.dial(&request).await;
    let called = facts(&mut reader, &fixture, first).await;
    assert!(called.numbers[0].open && !called.household_open, "{called:?}");
    assert!(facts(&mut reader, &fixture, second).await.household_open);
    fixture.end(&request, leads.first(), Outcome::Busy).await;
    let over = facts(&mut reader, &fixture, first).await;
    assert_eq!((over.numbers[0].open, over.numbers[0].in_campaign, over.numbers[0].in_day), (false, 1, 1));
    assert_eq!(over.numbers[0].last_placed, Some(request.placed_at));
    assert_eq!(over.last_outcome, Some(Outcome::Busy));
    // The first lead is due later, so no lead is ahead of the second.
    assert_eq!(facts(&mut reader, &fixture, second).await.ahead, 0);
    fixture.clock.advance(MINUTE);
    fixture.store.replace_blacklist(None, "a person", &[number(2)]).await.unwrap();
    assert!(facts(&mut reader, &fixture, second).await.numbers[0].blacklisted);
}

#[tokio::test]
async fn a_refused_row_and_a_similar_number_are_found() {
    let fixture = Fixture::new().await;
    fixture.list(&rows(3), &[refused(5, Reason::InvalidNumber)]).await;
    let mut reader = fixture.store.reader().await.unwrap();
    let found = reader.refused_row(fixture.campaign, Some(5), None).await.unwrap().expect("a refused row");
    assert_eq!((found.list_row, found.reason.as_str()), (5, "invalid_number"));
    assert!(reader.refused_row(fixture.campaign, Some(6), None).await.unwrap().is_none());
    let near = reader.numbers_in_lists(fixture.campaign, &[number(1), number(77)]).await.unwrap();
    assert_eq!(near, [number(1)]);
    assert_eq!(reader.last_list_row(fixture.campaign).await.unwrap(), 4);
    assert_eq!(reader.other_campaign_with(&Scope::first(), fixture.campaign, number(1)).await.unwrap(), None);
    // Another campaign has the number: it is named to those who see it.
    let other = define(&fixture.store, "autumn", &retry_rules()).await;
    let found = reader.other_campaign_with(&Scope::first(), other, number(1)).await.unwrap();
    assert_eq!(found.as_deref(), Some("spring"));
    for unseen in
        [Scope { enterprise: 1, organisations: vec![2] }, Scope { enterprise: 2, organisations: vec![2] }]
    {
        assert_eq!(reader.other_campaign_with(&unseen, other, number(1)).await.unwrap(), None);
    }
}
