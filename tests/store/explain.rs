//! Queries behind "why is this lead not dialled?".

use super::{Desk, MINUTE, number, refused, row, rows};
use paceline::store::{Meant, Reader};
use paceline_core::explain::LeadFacts;
use paceline_core::ids::LeadId;
use paceline_core::outcome::{LeadState, Outcome, Reason};

async fn facts(reader: &mut Reader, desk: &Desk, lead: LeadId) -> LeadFacts {
    let now = desk.hands.now();
    let day = (
        now - paceline_core::time::Duration::from_secs(36_000),
        now + paceline_core::time::Duration::from_secs(36_000),
    );
    reader.refresh().await.unwrap();
    reader.lead_facts(desk.campaign, lead, now, day).await.unwrap().expect("a lead")
}

async fn one(reader: &mut Reader, desk: &Desk, meant: Meant) -> LeadId {
    reader.refresh().await.unwrap();
    reader.meant(desk.campaign, meant).await.unwrap()[0]
}

#[tokio::test]
async fn a_lead_is_found_by_number_row_and_id_with_its_place_in_the_queue() {
    let desk = Desk::new().await;
    desk.list(&rows(5), &[]).await;
    let mut reader = desk.store.reader().await.unwrap();
    let third = one(&mut reader, &desk, Meant::Row(4)).await;
    assert_eq!(one(&mut reader, &desk, Meant::Number(number(2))).await, third);
    assert_eq!(one(&mut reader, &desk, Meant::Lead(third)).await, third);
    assert!(reader.meant(desk.campaign, Meant::Row(99)).await.unwrap().is_empty());
    let found = facts(&mut reader, &desk, third).await;
    assert_eq!((found.ahead, found.state, found.lead.row), (2, LeadState::Open, 4));
    let due = reader.due_now(desk.campaign, desk.hands.now()).await.unwrap();
    assert_eq!((due.leads_open, due.due, due.next_due), (5, 5, None));
}

#[tokio::test]
async fn explain_counts_attempts_like_the_dial_check() {
    let mut desk = Desk::new().await;
    desk.list(&[row(2, &[1], Some("home")), row(3, &[2], Some("home"))], &[]).await;
    let mut reader = desk.store.reader().await.unwrap();
    let (first, second) =
        (one(&mut reader, &desk, Meant::Row(2)).await, one(&mut reader, &desk, Meant::Row(3)).await);
    let (leads, ..) = desk.fetch(1).await;
    let request = desk.request(leads.first(), number(1));
    desk.dial(&request).await;
    let called = facts(&mut reader, &desk, first).await;
    assert!(called.numbers[0].open && !called.household_open, "{called:?}");
    assert!(facts(&mut reader, &desk, second).await.household_open);
    desk.end(&request, leads.first(), Outcome::Busy).await;
    let over = facts(&mut reader, &desk, first).await;
    assert_eq!((over.numbers[0].open, over.numbers[0].in_campaign, over.numbers[0].in_day), (false, 1, 1));
    assert_eq!(over.numbers[0].last_placed, Some(request.placed_at));
    assert_eq!(over.last_outcome, Some(Outcome::Busy));
    // The first lead is due later, so no lead is ahead of the second.
    assert_eq!(facts(&mut reader, &desk, second).await.ahead, 0);
    desk.hands.go_on(MINUTE);
    desk.store.replace_blacklist(None, "a person", &[number(2)]).await.unwrap();
    assert!(facts(&mut reader, &desk, second).await.numbers[0].blacklisted);
}

#[tokio::test]
async fn a_refused_row_and_a_similar_number_are_found() {
    let desk = Desk::new().await;
    desk.list(&rows(3), &[refused(5, Reason::InvalidNumber)]).await;
    let mut reader = desk.store.reader().await.unwrap();
    let found = reader.refused(desk.campaign, Some(5), None).await.unwrap().expect("a refused row");
    assert_eq!((found.list_row, found.reason.as_str()), (5, "invalid_number"));
    assert!(reader.refused(desk.campaign, Some(6), None).await.unwrap().is_none());
    let near = reader.listed(desk.campaign, &[number(1), number(77)]).await.unwrap();
    assert_eq!(near, [number(1)]);
    assert_eq!(reader.last_row(desk.campaign).await.unwrap(), 4);
    assert_eq!(reader.listed_elsewhere(desk.campaign, number(1)).await.unwrap(), None);
}
