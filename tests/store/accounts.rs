//! Accounts, groups, API tokens and console sessions; corrections of a lead; contact history of a household.

use super::floor::{ANA, again, leg, said};
use super::*;
use paceline::store::{AgentDetails, Correction, Put, Role, Secrets, StoreError};
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
    let desk = Desk::new().await;
    let store = &desk.store;
    let ana = store.add_agent("8001", &details("Ana"), &secrets()).await.unwrap();
    let team = store.group_named("vote-team").await.unwrap();
    assert_eq!(store.group_named("vote-team").await.unwrap(), team);
    let member = Membership { group: team, priority: 3, in_use: true };
    store.set_memberships(ana, &[member]).await.unwrap();
    let row = store.agent_by_login("ana").await.unwrap().expect("an active account");
    assert_eq!((row.details.clone(), row.secrets.clone()), (details("Ana"), secrets()));
    assert_eq!((row.active, row.created_at), (true, desk.hands.now()));
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
    assert_eq!(store.everybody().await.unwrap().len(), 1);
    let error = store.add_agent("8001", &details("Ana"), &secrets()).await.unwrap_err();
    assert!(taken(&error) && error.to_string().contains("8001"), "{error}");
    store.add_agent("8002", &details("Ana"), &secrets()).await.unwrap();
    for gone in [store.change_agent(ana, &changed).await, store.remove_agent(ana).await] {
        assert!(matches!(gone, Err(StoreError::Unknown { .. })));
    }
}

#[tokio::test]
async fn free_agent_numbers_are_drawn_until_the_pattern_is_used_up() {
    let desk = Desk::new().await;
    let mut drawn = BTreeSet::new();
    for n in 0..10_u64 {
        let number = desk.store.free_agent_number("80?", 3, n * 7919).await.unwrap().expect("one is free");
        let mut details = details(&number);
        details.sip_user = None;
        desk.store.add_agent(&number, &details, &secrets()).await.unwrap();
        assert!(number.len() == 3 && number.starts_with("80") && drawn.insert(number));
    }
    assert_eq!(desk.store.free_agent_number("80?", 3, 4).await.unwrap(), None);
}

#[tokio::test]
async fn groups_keep_their_flags() {
    let desk = Desk::new().await;
    let mut group = Group {
        id: GroupId(0),
        name: "night".into(),
        telephones: true,
        announce_number: false,
        idle_release: Some(Duration::from_secs(900)),
        work_mode: Some(WorkMode::Inbound),
        seats: Some(12),
    };
    group.id = desk.store.add_group(&group).await.unwrap();
    assert_eq!(desk.store.groups().await.unwrap(), [group.clone()]);
    assert!(taken(&desk.store.add_group(&group).await.unwrap_err()));
    (group.work_mode, group.seats) = (None, None);
    desk.store.change_group(&group).await.unwrap();
    assert_eq!(desk.store.groups().await.unwrap(), [group.clone()]);
    let ana = desk.store.add_agent("8001", &details("Ana"), &secrets()).await.unwrap();
    let member = Membership { group: group.id, priority: 1, in_use: false };
    desk.store.set_memberships(ana, &[member]).await.unwrap();
    desk.store.remove_group(group.id).await.unwrap();
    assert_eq!(desk.store.groups().await.unwrap(), []);
    assert_eq!(desk.store.agents().await.unwrap()[0].groups, []);
    assert_ne!(desk.store.group_named("night").await.unwrap(), group.id);
}

#[tokio::test]
async fn tokens_and_sessions_are_valid_until_they_expire() {
    let desk = Desk::new().await;
    let store = &desk.store;
    let soon = desk.hands.now() + Duration::from_secs(3600);
    let token = store.add_token("hash", Role::Analyst, "reports", Some(soon)).await.unwrap();
    assert!(taken(&store.add_token("hash", Role::Admin, "again", None).await.unwrap_err()));
    let ana = store.add_agent("8001", &details("Ana"), &secrets()).await.unwrap();
    for cookie in ["phone", "desk"] {
        store.admit(cookie, ana, soon).await.unwrap();
    }
    let row = store.token("hash").await.unwrap().expect("it is valid");
    assert_eq!((row.id, row.role, row.name.as_str()), (token, Role::Analyst, "reports"));
    assert_eq!(store.admitted("desk").await.unwrap().map(|agent| agent.id), Some(ana));
    assert_eq!(store.admitted("none").await.unwrap(), None);
    store.dismiss("phone", false).await.unwrap();
    assert_eq!(store.admitted("phone").await.unwrap(), None);
    desk.hands.go_on(60 * MINUTE);
    assert_eq!(store.token("hash").await.unwrap(), None);
    assert_eq!(store.admitted("desk").await.unwrap(), None);
    store.remove_token(token).await.unwrap();
    assert_eq!(store.tokens().await.unwrap(), []);
    let later = desk.hands.now() + Duration::from_secs(60);
    store.admit("desk", ana, later).await.unwrap();
    store.remove_agent(ana).await.unwrap();
    assert_eq!(store.admitted("desk").await.unwrap(), None);
}

/// Asserts that a future is `Send`: console tasks run on any thread.
fn on_any_thread<F: Future + Send>(work: F) -> F {
    work
}

#[tokio::test]
async fn accounts_are_written_during_calls() {
    let mut desk = Desk::new().await;
    desk.list(&rows(20), &[]).await;
    let campaign = desk.campaign;
    assert!(desk.writer.send(Command::FetchLeads { campaign, count: 20 }).await);
    for n in 0..20 {
        let request = desk.request(None, number(500 + n));
        assert!(desk.writer.send(opening(&request)).await);
        let mut details = details(&format!("agent{n}"));
        details.sip_user = None;
        let number = (8000 + n).to_string();
        on_any_thread(desk.store.add_agent(&number, &details, &Secrets::default())).await.unwrap();
    }
    assert_eq!(on_any_thread(desk.store.agents()).await.unwrap().len(), 20);
    for _ in 0..21 {
        assert!(!matches!(desk.reply().await, Reply::Refused { .. }));
    }
    on_any_thread(desk.store.group_named("team")).await.unwrap();
    on_any_thread(desk.store.set_memberships(ANA, &[])).await.unwrap();
    on_any_thread(desk.store.remove_agent(ANA)).await.unwrap();
}

#[tokio::test]
async fn a_corrected_phone_replaces_the_wrong_one() {
    let mut desk = Desk::new().await;
    desk.list(&rows(1), &[]).await;
    let (lead, request) = desk.talk(ANA).await;
    let put = Put::Phone { was: number(0), now: number(50) };
    let correction = Correction { lead: lead.id, agent: ANA, attempt: Some(request.attempt), put };
    desk.store.correct_lead(&correction).await.unwrap();
    let name = Correction { put: Put::Name("陈业主".into()), ..correction.clone() };
    desk.store.correct_lead(&name).await.unwrap();
    // The summary comes after the correction, from a screen that does not show the new phone.
    let mut wrong = update(desk.campaign, &lead, LeadState::Failed);
    wrong.phones[0].closed = true;
    desk.summarise(&said(&request, "wrong_number", desk.hands.now(), Some(wrong))).await;
    let lead = desk.fetch(1).await.0.remove(0);
    let phones: Vec<_> = lead.phones.iter().map(|phone| (phone.number, phone.closed)).collect();
    assert_eq!(phones, [(number(0), true), (number(50), false)]);
    let mut reader = desk.store.reader().await.unwrap();
    let row = reader.attempts(desk.campaign, 0, 1).await.unwrap().remove(0);
    assert_eq!((row.number as u64, row.name.as_deref()), (number(0).as_u64(), Some("陈业主")));
    assert_eq!(row.disposition.as_deref(), Some("wrong_number"));
    let kept = reader.corrections(lead.id).await.unwrap();
    let fields: Vec<_> = kept.iter().map(|row| (row.field.as_str(), row.was.as_deref())).collect();
    assert_eq!(fields, [("phone", Some("13800000000")), ("name", Some("业主2"))]);
    let request = desk.request(Some(&lead), number(50));
    assert_eq!(desk.dial(&request).await, DialVerdict::Opened);
}

#[tokio::test]
async fn an_added_phone_reopens_a_failed_lead_but_not_a_done_one() {
    let mut desk = Desk::new().await;
    desk.list(&rows(2), &[]).await;
    let (done, _) = desk.talk(ANA).await;
    let (failed, _) = desk.call(Outcome::Vacant).await;
    assert_eq!(desk.fetch(0).await.2, 0);
    for (lead, open) in [(&done, 0), (&failed, 1)] {
        let put = Put::AddPhone(number(60 + lead.id.0 as u64));
        let correction = Correction { lead: lead.id, agent: ANA, attempt: None, put };
        desk.store.correct_lead(&correction).await.unwrap();
        desk.store.correct_lead(&correction).await.unwrap();
        assert_eq!(desk.fetch(0).await.2, open);
    }
    assert_eq!(desk.fetch(1).await.0[0].phones.len(), 2);
    let unknown_lead = Correction { lead: LeadId(99), agent: ANA, attempt: None, put: Put::Name("x".into()) };
    assert!(desk.store.correct_lead(&unknown_lead).await.is_err());
    let put = Put::Phone { was: number(9), now: number(10) };
    let foreign_phone = Correction { lead: done.id, agent: ANA, attempt: None, put };
    assert!(desk.store.correct_lead(&foreign_phone).await.is_err());
}

#[tokio::test]
async fn a_household_has_one_contact_history_for_all_agents() {
    let mut desk = Desk::new().await;
    let leads = [row(2, &[0], Some("3-101")), row(3, &[1], Some("3-101")), row(4, &[2], None)];
    desk.list(&leads, &[]).await;
    let ana = desk.store.add_agent("8001", &details("Ana"), &secrets()).await.unwrap();
    assert_eq!(ana, ANA);
    let (first, _) = desk.call(Outcome::NoAnswer).await;
    desk.hands.go_on(MINUTE);
    let (second, request) = desk.talk(ANA).await;
    let later = desk.hands.now() + Duration::from_secs(600);
    let again = again(&request, &second, LeadState::FollowUp, later);
    desk.summarise(&said(&request, "callback", desk.hands.now(), Some(again))).await;
    desk.talk(AgentId(7)).await;
    desk.hands.go_on(MINUTE);
    let mut caller = leg(CallId::side_leg(4), LegKind::Inbound, desk.hands.now());
    (caller.lead, caller.campaign) = (Some(first.id), Some(desk.campaign));
    caller.began_at = desk.hands.now();
    desk.tell(Command::SaveLeg(Box::new(caller))).await;
    let mut reader = desk.store.reader().await.unwrap();
    let history = reader.history(first.id).await.unwrap();
    assert_eq!(history, reader.history(second.id).await.unwrap());
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
