//! Accounts, groups, API tokens and console sessions; corrections of a lead; contact history of a household.

use super::floor::{ANA, again, leg, said};
use super::*;
use paceline::store::{AgentDetails, Correction, LeadChange, Role, Secrets, StoreError};
use paceline_core::agent::{Group, Membership, WorkMode};
use paceline_core::dialer::output::LegKind;
use paceline_core::ids::{AgentId, CallId, GroupId};
use std::collections::BTreeSet;

pub fn details(name: &str) -> AgentDetails {
    AgentDetails {
        name: name.into(),
        login: name.to_lowercase(),
        role: Role::Agent,
        telephone: None,
        recorded: true,
        skills: BTreeSet::from(["cantonese".into()]),
        sip_user: Some(format!("sip-{name}")),
    }
}

fn secrets() -> Secrets {
    Secrets { password: "$argon2id$x".into(), ha1_md5: Some("aa".into()), ha1_sha256: Some("bb".into()) }
}

fn taken(error: &StoreError) -> bool {
    matches!(error, StoreError::Taken { .. })
}

#[tokio::test]
async fn an_account_is_read_back_unchanged_and_its_number_is_never_reused() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let ana = store.add_agent("8001", &details("Ana"), &secrets()).await.unwrap();
    let team = store.group_named("vote-team").await.unwrap();
    assert_eq!(store.group_named("vote-team").await.unwrap(), team);
    let member = Membership { group: team, priority: 3, in_use: true };
    store.set_memberships(ana, &[member]).await.unwrap();
    let row = store.agent_by_login("ana").await.unwrap().expect("an active account");
    assert_eq!((row.details.clone(), row.secrets.clone()), (details("Ana"), secrets()));
    assert_eq!((row.active, row.created_at), (true, fixture.clock.now()));
    let agent = row.agent();
    assert_eq!((agent.number.as_str(), agent.groups, agent.leads), ("8001", vec![member], false));
    assert!(!format!("{row:?}").contains("argon2id"), "no secret in a log");

    let mut changed = details("Ana");
    (changed.role, changed.telephone) = (Role::Lead, Some(number(5)));
    store.change_agent(ana, &changed).await.unwrap();
    store.set_secrets(ana, &Secrets::default()).await.unwrap();
    let row = store.agents().await.unwrap().remove(0);
    assert_eq!((row.number.as_str(), row.details.telephone), ("8001", Some(number(5))));
    assert!(row.agent().leads && row.secrets == Secrets::default());

    let mut namesake = details("Ana");
    namesake.sip_user = None;
    let error = store.add_agent("8002", &namesake, &secrets()).await.unwrap_err();
    assert!(taken(&error) && error.to_string().contains("login `ana`"), "{error}");
    let mut twin = details("Bo");
    twin.sip_user = Some("sip-Ana".into());
    assert!(taken(&store.add_agent("8002", &twin, &secrets()).await.unwrap_err()));
    store.remove_agent(ana).await.unwrap();
    assert_eq!(store.agents().await.unwrap(), []);
    assert_eq!(store.agent_by_login("ana").await.unwrap(), None);
    assert_eq!(store.all_agents().await.unwrap().len(), 1);
    let error = store.add_agent("8001", &details("Ana"), &secrets()).await.unwrap_err();
    assert!(taken(&error) && error.to_string().contains("8001"), "{error}");
    store.add_agent("8002", &details("Ana"), &secrets()).await.unwrap();
    for gone in [store.change_agent(ana, &changed).await, store.remove_agent(ana).await] {
        assert!(matches!(gone, Err(StoreError::Unknown { .. })));
    }
}

#[tokio::test]
async fn free_agent_numbers_are_drawn_until_the_pattern_is_used_up() {
    let fixture = Fixture::new().await;
    let mut drawn = BTreeSet::new();
    for n in 0..10_u64 {
        let number = fixture
            .store
            .free_agent_number("80?", 3, n * 7919, &BTreeSet::new())
            .await
            .unwrap()
            .expect("one is free");
        let mut details = details(&number);
        details.sip_user = None;
        fixture.store.add_agent(&number, &details, &secrets()).await.unwrap();
        assert!(number.len() == 3 && number.starts_with("80") && drawn.insert(number));
    }
    assert_eq!(fixture.store.free_agent_number("80?", 3, 4, &BTreeSet::new()).await.unwrap(), None);
}

#[tokio::test]
async fn groups_keep_their_flags() {
    let fixture = Fixture::new().await;
    let mut group = Group {
        id: GroupId(0),
        name: "night".into(),
        telephones: true,
        announce_number: false,
        idle_release: Some(Duration::from_secs(900)),
        work_mode: Some(WorkMode::Inbound),
        seats: Some(12),
    };
    group.id = fixture.store.add_group(&group).await.unwrap();
    assert_eq!(fixture.store.groups().await.unwrap(), [group.clone()]);
    assert!(taken(&fixture.store.add_group(&group).await.unwrap_err()));
    (group.work_mode, group.seats) = (None, None);
    fixture.store.change_group(&group).await.unwrap();
    assert_eq!(fixture.store.groups().await.unwrap(), [group.clone()]);
    let ana = fixture.store.add_agent("8001", &details("Ana"), &secrets()).await.unwrap();
    let member = Membership { group: group.id, priority: 1, in_use: false };
    fixture.store.set_memberships(ana, &[member]).await.unwrap();
    fixture.store.remove_group(group.id).await.unwrap();
    assert_eq!(fixture.store.groups().await.unwrap(), []);
    assert_eq!(fixture.store.agents().await.unwrap()[0].groups, []);
    assert_ne!(fixture.store.group_named("night").await.unwrap(), group.id);
}

#[tokio::test]
async fn tokens_and_sessions_are_valid_until_they_expire() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let soon = fixture.clock.now() + Duration::from_secs(3600);
    let token = store.add_token("hash", Role::Analyst, "reports", Some(soon)).await.unwrap();
    assert!(taken(&store.add_token("hash", Role::Admin, "again", None).await.unwrap_err()));
    let ana = store.add_agent("8001", &details("Ana"), &secrets()).await.unwrap();
    for cookie in ["phone", "desk"] {
        store.add_session(cookie, ana, soon).await.unwrap();
    }
    let row = store.token("hash").await.unwrap().expect("it is valid");
    assert_eq!((row.id, row.role, row.name.as_str()), (token, Role::Analyst, "reports"));
    assert_eq!(store.session_account("desk").await.unwrap().map(|agent| agent.id), Some(ana));
    assert_eq!(store.session_account("none").await.unwrap(), None);
    store.end_session("phone", false).await.unwrap();
    assert_eq!(store.session_account("phone").await.unwrap(), None);
    fixture.clock.advance(60 * MINUTE);
    assert_eq!(store.token("hash").await.unwrap(), None);
    assert_eq!(store.session_account("desk").await.unwrap(), None);
    store.remove_token(token).await.unwrap();
    assert_eq!(store.tokens().await.unwrap(), []);
    let later = fixture.clock.now() + Duration::from_secs(60);
    store.add_session("desk", ana, later).await.unwrap();
    store.remove_agent(ana).await.unwrap();
    assert_eq!(store.session_account("desk").await.unwrap(), None);
}

/// Asserts that a future is `Send`: console tasks run on any thread.
fn on_any_thread<F: Future + Send>(work: F) -> F {
    work
}

#[tokio::test]
async fn accounts_are_written_during_calls() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(20), &[]).await;
    let campaign = fixture.campaign;
    assert!(fixture.writer.send(Command::FetchLeads { campaign, count: 20, untried: true }).await);
    for n in 0..20 {
        let request = fixture.request(None, number(500 + n));
        assert!(fixture.writer.send(opening(&request)).await);
        let mut details = details(&format!("agent{n}"));
        details.sip_user = None;
        let number = (8000 + n).to_string();
        on_any_thread(fixture.store.add_agent(&number, &details, &Secrets::default())).await.unwrap();
    }
    assert_eq!(on_any_thread(fixture.store.agents()).await.unwrap().len(), 20);
    for _ in 0..21 {
        assert!(!matches!(fixture.reply().await, Reply::Refused { .. }));
    }
    on_any_thread(fixture.store.group_named("team")).await.unwrap();
    on_any_thread(fixture.store.set_memberships(ANA, &[])).await.unwrap();
    on_any_thread(fixture.store.remove_agent(ANA)).await.unwrap();
}

#[tokio::test]
async fn a_corrected_phone_replaces_the_wrong_one() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let (lead, request) = fixture.talk(ANA).await;
    let change = LeadChange::Phone { was: number(0), now: number(50) };
    let correction = Correction { lead: lead.id, agent: ANA, attempt: Some(request.attempt), change };
    fixture.store.correct_lead(&correction).await.unwrap();
    let name = Correction { change: LeadChange::Name("陈业主".into()), ..correction.clone() };
    fixture.store.correct_lead(&name).await.unwrap();
    // The summary comes after the correction, from a screen that does not show the new phone.
    let mut wrong = update(fixture.campaign, &lead, LeadState::Failed);
    wrong.phones[0].closed = true;
    fixture.summarise(&said(&request, "wrong_number", fixture.clock.now(), Some(wrong))).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let phones: Vec<_> = lead.phones.iter().map(|phone| (phone.number, phone.closed)).collect();
    assert_eq!(phones, [(number(0), true), (number(50), false)]);
    let mut reader = fixture.store.reader().await.unwrap();
    let row = reader.attempts(fixture.campaign, 0, 1).await.unwrap().remove(0);
    assert_eq!((row.number as u64, row.name.as_deref()), (number(0).as_u64(), Some("陈业主")));
    assert_eq!(row.disposition.as_deref(), Some("wrong_number"));
    let kept = reader.corrections(lead.id).await.unwrap();
    let fields: Vec<_> = kept.iter().map(|row| (row.field.as_str(), row.was.as_deref())).collect();
    assert_eq!(fields, [("phone", Some("13800000000")), ("name", Some("业主2"))]);
    let request = fixture.request(Some(&lead), number(50));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
}

#[tokio::test]
async fn an_added_phone_reopens_a_failed_lead_but_not_a_done_one() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(2), &[]).await;
    let (done, _) = fixture.talk(ANA).await;
    let (failed, _) = fixture.call(Outcome::Vacant).await;
    assert_eq!(fixture.fetch(0).await.2, 0);
    for (lead, open) in [(&done, 0), (&failed, 1)] {
        let change = LeadChange::AddPhone(number(60 + lead.id.0 as u64));
        let correction = Correction { lead: lead.id, agent: ANA, attempt: None, change };
        fixture.store.correct_lead(&correction).await.unwrap();
        fixture.store.correct_lead(&correction).await.unwrap();
        assert_eq!(fixture.fetch(0).await.2, open);
    }
    assert_eq!(fixture.fetch(1).await.0[0].phones.len(), 2);
    let unknown_lead =
        Correction { lead: LeadId(99), agent: ANA, attempt: None, change: LeadChange::Name("x".into()) };
    assert!(fixture.store.correct_lead(&unknown_lead).await.is_err());
    let change = LeadChange::Phone { was: number(9), now: number(10) };
    let foreign_phone = Correction { lead: done.id, agent: ANA, attempt: None, change };
    assert!(fixture.store.correct_lead(&foreign_phone).await.is_err());
}

#[tokio::test]
async fn a_household_has_one_contact_history_for_all_agents() {
    let mut fixture = Fixture::new().await;
    let leads = [row(2, &[0], Some("3-101")), row(3, &[1], Some("3-101")), row(4, &[2], None)];
    fixture.list(&leads, &[]).await;
    let ana = fixture.store.add_agent("8001", &details("Ana"), &secrets()).await.unwrap();
    assert_eq!(ana, ANA);
    let (first, _) = fixture.call(Outcome::NoAnswer).await;
    fixture.clock.advance(MINUTE);
    let (second, request) = fixture.talk(ANA).await;
    let later = fixture.clock.now() + Duration::from_secs(600);
    let again = again(&request, &second, LeadState::FollowUp, later);
    fixture.summarise(&said(&request, "callback", fixture.clock.now(), Some(again))).await;
    fixture.talk(AgentId(7)).await;
    fixture.clock.advance(MINUTE);
    let mut caller = leg(CallId::side_leg(4), LegKind::Inbound, fixture.clock.now());
    (caller.lead, caller.campaign) = (Some(first.id), Some(fixture.campaign));
    caller.began_at = fixture.clock.now();
    fixture.tell(Command::SaveLeg(Box::new(caller))).await;
    let mut reader = fixture.store.reader().await.unwrap();
    let history = reader.household_history(first.id).await.unwrap();
    assert_eq!(history, reader.household_history(second.id).await.unwrap());
    let seen: Vec<_> = history
        .iter()
        .map(|contact| (contact.lead_id, contact.agent.as_deref(), contact.disposition.as_deref()))
        .collect();
    let (first, second) = (first.id.0, second.id.0);
    assert_eq!(
        seen,
        [(first, Some("8001"), None), (second, Some("8001"), Some("callback")), (first, None, None)]
    );
    assert!(history[0].attempt_id.is_none() && history[0].leg_id.is_some());
}
