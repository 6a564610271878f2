//! What people do to leads: the transaction that opens an attempt refuses copies from before a change, a lead in a call is
//! not changed, and each action can be undone by its inverse.

use super::floor::{again, said};
use super::*;
use paceline::store::lead_actions::{ChangedLead, LeadAction, LeadRefusal};
use paceline::store::{Actor, ActorKind, LeadKey, Scope, Secrets, Subject};
use paceline_core::ids::AgentId;
use rand::{RngExt, SeedableRng};

async fn agent(store: &Store, number: &str) -> AgentId {
    let details = crate::store::accounts::details(number);
    store.add_agent(number, &details, &Secrets::default()).await.unwrap()
}

impl Fixture {
    async fn change(&self, lead: LeadId, action: &LeadAction) -> Result<ChangedLead, LeadRefusal> {
        let actor = Actor {
            kind: ActorKind::System,
            id: None,
            name: "test".into(),
            address: String::new(),
            enterprise: 1,
            key: None,
        };
        let mut change =
            self.store.begin_change(&actor, "leads.edit", Subject::of("lead", lead)).await.unwrap();
        let changed = change.change_lead(&Scope::first(), self.campaign, lead, action).await.unwrap();
        if changed.is_ok() {
            change.commit().await.unwrap();
        }
        changed
    }

    fn later(&self, minutes: i64) -> i64 {
        self.clock.now().as_millis() + minutes * MINUTE
    }
}

fn book(at: i64) -> LeadAction {
    LeadAction::Book { at, agent: None, skill: None }
}

#[tokio::test]
async fn an_attempt_on_a_copy_from_before_a_change_is_not_opened() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(8), &[]).await;
    let agent = agent(&fixture.store, "8001").await;
    let leads = fixture.fetch(8).await.0;
    let at = fixture.later(60);
    let actions = [
        LeadAction::Close,
        LeadAction::First,
        LeadAction::Assign { agent: agent.0 },
        book(at),
        LeadAction::Blacklist,
    ];
    for (lead, action) in leads.iter().zip(&actions) {
        fixture.change(lead.id, action).await.unwrap();
        let request = fixture.request(Some(lead), lead.phones[0].number);
        assert_eq!(fixture.dial(&request).await, DialVerdict::Gone, "{action:?}");
    }
    // The others are as they were.
    for lead in &leads[actions.len()..] {
        let request = fixture.request(Some(lead), lead.phones[0].number);
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    }
    // The new copies may be called as far as their state admits.
    let (again, next_due, _) = fixture.fetch(8).await;
    let fetched: Vec<i64> = again.iter().map(|lead| lead.id.0).collect();
    assert_eq!(fetched, [leads[1].id.0, leads[2].id.0], "moved to the front, and assigned");
    assert!(again[0].is_first && again[1].assigned == Some(agent));
    assert_eq!(next_due, Some(Utc::from_millis(at)));
    for lead in &again {
        let request = fixture.request(Some(lead), lead.phones[0].number);
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    }
}

#[tokio::test]
async fn a_lead_in_a_call_is_not_changed_and_one_that_an_agent_asked_for_is() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(2), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    for action in [LeadAction::Close, LeadAction::First, LeadAction::Blacklist, LeadAction::Unassign] {
        assert_eq!(fixture.change(lead.id, &action).await, Err(LeadRefusal::Busy), "{action:?}");
    }
    fixture.end(&request, Some(&lead), Outcome::NoAnswer).await;
    fixture.change(lead.id, &LeadAction::Close).await.unwrap();
    // An agent asked for the closed lead and holds it; it is changed once more.
    let asked = fixture.fetch_lead(lead.id).await.unwrap();
    fixture.change(lead.id, &LeadAction::Reopen).await.unwrap();
    let request = fixture.request(Some(&asked), asked.phones[0].number);
    assert_eq!(fixture.dial(&request).await, DialVerdict::Gone);
}

#[tokio::test]
async fn an_inverse_brings_the_lead_back() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(3), &[]).await;
    let [ana, ben] = [agent(&fixture.store, "8001").await, agent(&fixture.store, "8002").await];
    let lead = fixture.fetch(1).await.0.remove(0).id;
    fixture.give_back(lead).await;
    let at = fixture.later(30);
    let assign = |agent: AgentId| LeadAction::Assign { agent: agent.0 };
    for (first, action) in [
        (None, LeadAction::Close),
        (Some(book(at)), LeadAction::Close),
        (Some(book(at)), book(at + MINUTE)),
        (Some(LeadAction::Reopen), book(at)),
        (None, assign(ana)),
        (Some(assign(ana)), assign(ben)),
        (None, LeadAction::Unassign),
    ] {
        if let Some(first) = first {
            fixture.change(lead, &first).await.unwrap();
        }
        let changed = fixture.change(lead, &action).await.unwrap();
        assert_ne!(changed.before, changed.after, "{action:?}");
        let inverse = changed.inverse.clone().expect("an inverse");
        let undone = fixture.change(lead, &inverse).await.unwrap();
        let shown = (&undone.after.state, undone.after.next_at, undone.after.assigned);
        assert_eq!(
            shown,
            (&changed.before.state, changed.before.next_at, changed.before.assigned),
            "{action:?}"
        );
    }
}

#[tokio::test]
async fn an_action_that_does_not_fit_is_refused_in_one_word() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(4), &[]).await;
    let leads: Vec<LeadId> = (1..=4).map(LeadId).collect();
    let refused = [
        (leads[0], LeadAction::Reopen, LeadRefusal::NotClosed),
        (leads[0], LeadAction::Unassign, LeadRefusal::NotAssigned),
        (leads[0], book(fixture.later(0)), LeadRefusal::Past),
        (LeadId(99), LeadAction::Close, LeadRefusal::Unknown),
    ];
    for (lead, action, refusal) in refused {
        assert_eq!(fixture.change(lead, &action).await, Err(refusal), "{action:?}");
    }
    fixture.change(leads[1], &LeadAction::Close).await.unwrap();
    assert_eq!(fixture.change(leads[1], &LeadAction::Close).await, Err(LeadRefusal::NotOpen));
    assert_eq!(fixture.change(leads[1], &LeadAction::First).await, Err(LeadRefusal::NotOpen));
    fixture.change(leads[2], &book(fixture.later(5))).await.unwrap();
    assert_eq!(fixture.change(leads[2], &LeadAction::First).await, Err(LeadRefusal::Booked));
    // The lead of a number that is blacklisted stays closed.
    fixture.store.blacklist(None, number(3), "a person").await.unwrap();
    assert_eq!(fixture.change(leads[3], &LeadAction::Reopen).await, Err(LeadRefusal::Blacklisted));
    assert_eq!(fixture.change(leads[3], &book(fixture.later(5))).await, Err(LeadRefusal::Blacklisted));
    fixture.change(leads[2], &LeadAction::Close).await.unwrap();
    // One whose attempts are used too, but a callback may be booked with it.
    let (mut lead, mut last) = (None, None);
    for _ in 0..3 {
        let (called, request) = fixture.call(Outcome::NoAnswer).await;
        (lead, last) = (Some(called.id), Some(request));
        fixture.clock.advance(3 * 60 * MINUTE);
    }
    assert_eq!(last.unwrap().attempt.0, 3);
    let lead = lead.unwrap();
    fixture.clock.advance(DAY);
    assert_eq!(fixture.change(lead, &LeadAction::Reopen).await, Err(LeadRefusal::AttemptsUsed));
    fixture.change(lead, &book(fixture.later(5))).await.unwrap();
}

#[tokio::test]
async fn an_update_without_a_call_does_not_undo_a_persons_change() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(2), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let at = fixture.later(60);
    fixture.change(lead.id, &book(at)).await.unwrap();
    // The dialer put the lead off before it learned of the booking.
    let mut stale = update(fixture.campaign, &lead, LeadState::Open);
    stale.next_at = Some(Utc::from_millis(fixture.later(5)));
    let saved = fixture.ask(Command::SaveLead(Box::new(stale))).await;
    assert_eq!(saved, Reply::LeadSaved { lead: lead.id });
    let mut reader = fixture.store.reader().await.unwrap();
    let row = reader.lead_rows(&[LeadKey { row: 2, lead: lead.id.0 }]).await.unwrap().remove(0);
    assert_eq!((row.state.as_str(), row.next_at), ("follow_up", at));
    drop(reader);
    // The lease has ended all the same: the callback is fetched at its moment, and no earlier.
    assert!(fixture.fetch(5).await.0.iter().all(|other| other.id != lead.id));
    fixture.clock.advance(60 * MINUTE);
    assert!(fixture.fetch(5).await.0.iter().any(|other| other.id == lead.id && other.callback.is_some()));
}

#[tokio::test]
async fn a_summary_that_nobody_gave_does_not_undo_a_persons_change() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(2), &[]).await;
    let agent = agent(&fixture.store, "8001").await;
    let (lead, request) = fixture.talk(agent).await;
    let at = fixture.later(60);
    fixture.change(lead.id, &book(at)).await.unwrap();
    let now = fixture.clock.now();
    let update = again(&request, &lead, LeadState::Open, now);
    let mut record = said(&request, "unsaid", now, Some(update.clone()));
    record.defaulted = true;
    fixture.summarise(&record).await;
    let key = LeadKey { row: 2, lead: lead.id.0 };
    let mut reader = fixture.store.reader().await.unwrap();
    assert_eq!(reader.lead_rows(&[key]).await.unwrap()[0].state, "follow_up");
    // An agent's own word counts.
    record.defaulted = false;
    fixture.summarise(&record).await;
    reader.refresh().await.unwrap();
    assert_eq!(reader.lead_rows(&[key]).await.unwrap()[0].state, "open");
}

#[tokio::test]
async fn assigned_leads_come_few_at_a_time_and_beside_the_others() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(30), &[]).await;
    let agent = agent(&fixture.store, "8001").await;
    for lead in 1..=10 {
        fixture.change(LeadId(lead), &LeadAction::Assign { agent: agent.0 }).await.unwrap();
    }
    let first: Vec<i64> = fixture.fetch(5).await.0.iter().map(|lead| lead.id.0).collect();
    assert_eq!(first, [11, 12, 13, 14, 15, 1, 2, 3]);
    let second: Vec<i64> = fixture.fetch(5).await.0.iter().map(|lead| lead.id.0).collect();
    assert_eq!(second, [16, 17, 18, 19, 20], "the agent's three are held");
    fixture.give_back(LeadId(2)).await;
    fixture.change(LeadId(9), &LeadAction::First).await.unwrap();
    let third: Vec<i64> = fixture.fetch(1).await.0.iter().map(|lead| lead.id.0).collect();
    assert_eq!(third, [21, 9, 2], "moved to the front of the agent's own");
    let shown = fixture.store.lead_counts(fixture.campaign).await.unwrap();
    assert_eq!((shown.all, shown.open), (30, 30));
}

/// Leads of the live figures: however often a lead is called, closed and opened again, it is there once, and those left
/// and those that ended are all.
#[tokio::test]
async fn open_and_ended_leads_are_all_whatever_happens_to_them() {
    for seed in 0..6_u64 {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut fixture = Fixture::new().await;
        fixture.list(&rows(12), &[]).await;
        let mut known: BTreeMap<LeadId, bool> =
            fixture.fetch(12).await.0.iter().map(|lead| (lead.id, true)).collect();
        let leads = known.keys().copied().collect();
        fixture.tell(Command::ReturnLeads { leads }).await;
        for step in 0..30 {
            match random.random_range(0..4) {
                0 | 1 => {
                    let outcome = [Outcome::Answered, Outcome::NoAnswer][random.random_range(0..2)];
                    let Some(lead) = fixture.fetch(1).await.0.pop() else { continue };
                    let request = fixture.request(Some(&lead), lead.phones[0].number);
                    match fixture.dial(&request).await {
                        DialVerdict::Opened => {
                            fixture.end(&request, Some(&lead), outcome).await;
                            let may_retry = lead.phones[0].attempts + 1 < retry_rules().attempts_max;
                            known.insert(lead.id, outcome != Outcome::Answered && may_retry);
                        }
                        DialVerdict::Closed(_) => drop(known.insert(lead.id, false)),
                        DialVerdict::NotBefore { .. } | DialVerdict::Gone => {}
                    }
                }
                2 => {
                    let open = known.iter().find(|(_, is_open)| **is_open).map(|(id, _)| *id);
                    let Some(id) = open else { continue };
                    if fixture.change(id, &LeadAction::Close).await.is_ok() {
                        known.insert(id, false);
                    }
                }
                _ => {
                    let ended = known.iter().find(|(_, is_open)| !**is_open).map(|(id, _)| *id);
                    let Some(id) = ended else { continue };
                    if fixture.change(id, &LeadAction::Reopen).await.is_ok() {
                        known.insert(id, true);
                    }
                }
            }
            fixture.clock.advance(3 * 3_600_000);
            let fetch = Command::FetchLeads { campaign: fixture.campaign, count: 1, untried: false };
            let Reply::Leads { leads, leads_open, leads_all, .. } = fixture.ask(fetch).await else {
                panic!("no leads")
            };
            let leads = leads.iter().map(|lead| lead.id).collect();
            fixture.tell(Command::ReturnLeads { leads }).await;
            let open = known.values().filter(|is_open| **is_open).count() as u64;
            assert_eq!((leads_open, leads_all), (open, 12), "seed {seed}, step {step}");
        }
    }
}
