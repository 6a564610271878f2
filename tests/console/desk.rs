//! The agents' desk: colleagues, own leads and callbacks, what a seat may do, the lock, the card beside the seat.

use super::records::{Scenario, scenario};
use super::*;
use paceline_core::agent::{Activity, Availability, Party, PartyKind, SeatView, Work};
use paceline_core::ids::{CallId, LeadId};
use serde_json::json;

fn seat(id: AgentId, number: &str, availability: Availability, activity: Activity) -> SeatView {
    let since = paceline_core::time::Utc::from_millis(1_772_000_000_000);
    SeatView { number: number.into(), ..crate::store::floor::seat(id, availability, activity, since) }
}

fn show(app: &TestApp, seats: Vec<SeatView>) {
    let seats = seats.into_iter().map(|seat| (seat.agent, Arc::new(seat))).collect();
    let board = Board { seats, ..Board::default() };
    app.board.send_replace(Arc::new(board));
}

fn talk(agent: AgentId, lead: Option<LeadId>, others: Vec<Party>) -> Work {
    let party =
        |leg, kind, agent| Party { leg: CallId(leg), kind, agent, number: None, up: true, held: false };
    let mut parties = vec![party(1, PartyKind::Callee, None), party(2, PartyKind::Agent, Some(agent))];
    parties.extend(others);
    Work {
        campaign: CampaignId(7),
        lead,
        number: None,
        attempt: None,
        inbound: false,
        answered_at: None,
        connected_at: None,
        parties,
        recording: false,
        summary: None,
    }
}

#[tokio::test]
async fn colleagues_are_those_of_the_own_groups_the_idle_ones_first() {
    let app = TestApp::new().await;
    app.staff().await;
    let busy = app.hire("8010", Role::Agent, &["vote"]).await;
    let idle = app.hire("8011", Role::Agent, &["vote"]).await;
    app.hire("8012", Role::Agent, &["vote"]).await;
    let available = || Availability::Available;
    show(
        &app,
        vec![
            seat(busy, "8010", available(), Activity::Talking),
            seat(idle, "8011", available(), Activity::Idle),
        ],
    );
    let shown = app.get("8001", "/colleagues").await.is(200).json();
    let items: Vec<(&str, &str)> = shown["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["number"].as_str().unwrap(), it["activity"].as_str().unwrap()))
        .collect();
    assert_eq!(
        items,
        [("8011", "idle"), ("8010", "talking"), ("8002", "signed_out"), ("8012", "signed_out")]
    );
    let night = app.get("8001", "/colleagues?group=night").await.is(200).json();
    assert_eq!(night["items"][0]["number"], "8101");
    app.get("8001", "/colleagues?group=nobody").await.is(404);
    app.get("8004", "/colleagues").await.is(403);
}

#[tokio::test]
async fn a_seat_says_what_the_agent_may_do() {
    let app = TestApp::new().await;
    app.staff().await;
    app.open_campaign(CampaignId(7), "spring", "vote").await;
    let ana = app.id("8001").await;
    let consulted =
        |up| Party { leg: CallId(3), kind: PartyKind::Consulted, agent: None, number: None, up, held: false };
    let in_call = |activity, work| SeatView {
        work: Some(work),
        ..seat(ana, "8001", Availability::Available, activity)
    };
    let preview = Work { parties: vec![], lead: Some(LeadId(1)), ..talk(ana, None, vec![]) };
    let mut listener = talk(ana, None, vec![consulted(true)]);
    listener.parties.remove(1);
    for (seat, can, cannot) in [
        (seat(ana, "8001", Availability::SignedOut, Activity::Idle), "sign_in", "pause ready call hang_up"),
        (
            seat(ana, "8001", Availability::Available, Activity::Idle),
            "pause call call_lead sign_out",
            "ready hold",
        ),
        (
            seat(ana, "8001", Availability::Paused { reason: "meal".into() }, Activity::Idle),
            "ready call",
            "hold",
        ),
        (in_call(Activity::Reserved, preview.clone()), "dial skip extend", "hang_up hold summarise"),
        (
            in_call(Activity::Talking, talk(ana, None, vec![])),
            "hang_up hold mute consult summarise",
            "retrieve transfer conference record",
        ),
        (
            in_call(Activity::Consulting, talk(ana, None, vec![consulted(false)])),
            "cancel_consult hang_up",
            "hold transfer conference consult",
        ),
        (
            in_call(Activity::Consulting, talk(ana, None, vec![consulted(true)])),
            "cancel_consult transfer conference",
            "hold consult",
        ),
        (
            in_call(Activity::Talking, talk(ana, None, vec![consulted(true)])),
            "transfer cancel_consult",
            "conference hold consult",
        ),
        (in_call(Activity::Consulting, listener), "hang_up", "hold mute transfer"),
        (in_call(Activity::WrapUp, talk(ana, None, vec![])), "summarise extend next", "hang_up hold dial"),
    ] {
        let what = format!("{:?} {:?}", seat.availability, seat.activity);
        show(&app, vec![seat]);
        let shown = app.get("8001", "/me/seat").await.is(200).json();
        let words: Vec<&str> =
            shown["can"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert!(can.split(' ').all(|word| words.contains(&word)), "{what}: {words:?} without {can}");
        assert!(
            cannot.split(' ').all(|word| !words.contains(&word)),
            "{what}: {words:?} with one of {cannot}"
        );
    }
}

#[tokio::test]
async fn an_agent_has_the_leads_that_it_called_and_no_others() {
    let Scenario { app, lead, .. } = scenario().await;
    let states = async |by: &str| {
        let mut found = Vec::new();
        for state in ["open", "follow_up", "done", "failed"] {
            let shown = app.get(by, &format!("/me/leads?campaign=spring&state={state}")).await.is(200).json();
            let items = shown["items"].as_array().unwrap().clone();
            found.extend(items.iter().map(|it| it["lead"].as_i64().unwrap()));
        }
        found
    };
    assert_eq!(states("8001").await, [lead.id.0]);
    assert!(states("8002").await.is_empty());
    app.get("8101", "/me/leads?campaign=spring").await.is(404);
    let all = app.get("8101", "/me/leads").await.is(200).json();
    assert_eq!(all, json!({ "items": [], "next": null, "counts": {} }));
    // The campaign dials by itself: nobody takes its leads away from the others.
    let fetch = json!({ "campaign": "spring", "count": 5 });
    assert_eq!(app.post("8001", "/me/leads/fetch", fetch.clone()).await.is(409).code(), "not_preview");
    app.post("8101", "/me/leads/fetch", fetch.clone()).await.is(404);
    assert_eq!(app.post("8003", "/me/leads/fetch", fetch).await.is(409).code(), "not_in_group");
    app.post("8001", "/me/leads/fetch", json!({ "campaign": "spring", "count": 51 })).await.is(422);
    assert_eq!(app.get("8001", "/me/callbacks").await.is(200).json(), json!({ "items": [] }));
}

#[tokio::test]
async fn a_locked_screen_stays_locked_until_the_password_and_keeps_the_call() {
    let app = TestApp::new().await;
    app.staff().await;
    let ana = app.id("8001").await;
    let key = app.key("8001").await;
    let send = async |method: &str, path: &str, body: Option<Value>| {
        let mut request = bare(method, path, body);
        request.headers_mut().insert(header::COOKIE, format!("paceline={key}").parse().unwrap());
        request.headers_mut().insert(header::ORIGIN, format!("http://{HOST}").parse().unwrap());
        app.send(request).await
    };
    show(&app, vec![seat(ana, "8001", Availability::Available, Activity::Talking)]);
    assert_eq!(send("get", "/me", None).await.is(200).json()["locked"], false);
    send("post", "/me/lock", Some(json!({ "reason": "meal" }))).await.is(204);
    let paused = app.engine.lock().unwrap().actions.pop();
    assert_eq!(paused, Some((ana, AgentAction::Pause { reason: "meal".into() })));
    // However often the page is loaded.
    for _ in 0..2 {
        assert_eq!(send("get", "/me", None).await.is(200).json()["locked"], true);
        send("get", "/me/seat", None).await.is(200);
        for path in ["/me/callbacks", "/colleagues", "/calls", "/campaigns", "/live"] {
            assert_eq!(send("get", path, None).await.is(423).code(), "locked", "{path}");
        }
    }
    for action in ["hold", "retrieve", "hang_up"] {
        send("post", "/me/actions", Some(json!({ "action": action }))).await.is(200);
    }
    for action in [json!({ "action": "ready" }), json!({ "action": "next" })] {
        send("post", "/me/actions", Some(action)).await.is(423);
    }
    send("post", "/me/lock", Some(json!({ "reason": "meal" }))).await.is(423);
}

#[tokio::test]
async fn a_program_locks_no_screen() {
    let app = TestApp::new().await;
    app.staff().await;
    // Without a seat at work there is none to pause.
    app.post("8001", "/me/lock", json!({ "reason": "meal" })).await.is(204);
    assert!(app.engine.lock().unwrap().actions.is_empty());
    app.post("8002", "/me/lock", json!({})).await.is(422);
}

#[tokio::test]
async fn the_card_comes_beside_the_seat_to_its_own_agent_alone() {
    let Scenario { app, lead, .. } = scenario().await;
    let ana = app.id("8001").await;
    show(&app, vec![seat(ana, "8001", Availability::Available, Activity::Idle)]);
    let mut own = super::live::Reader::of(&app, "8001").await;
    let mut leads = super::live::Reader::of(&app, "8002").await;
    let talking = SeatView {
        work: Some(talk(ana, Some(lead.id), vec![])),
        ..seat(ana, "8001", Availability::Available, Activity::Talking)
    };
    let idle = seat(ana, "8001", Availability::Available, Activity::Idle);
    for seat in [talking.clone(), talking, idle] {
        app.live.send(LiveEvent::Seat(Arc::new(seat))).unwrap();
    }
    let mut kinds = Vec::new();
    while kinds.iter().filter(|kind| *kind == "seat").count() < 3 {
        let (kind, data) = own.next().await.unwrap();
        if kind == "card" {
            assert_eq!(data["id"].as_i64(), Some(lead.id.0));
            assert_eq!(data, app.get("8001", &format!("/leads/{}", lead.id)).await.is(200).json());
        }
        kinds.push(kind);
    }
    kinds.retain(|kind| kind == "seat" || kind == "card");
    assert_eq!(kinds, ["seat", "card", "seat", "seat"]);
    for _ in 0..3 {
        let (kind, _) = leads.next().await.unwrap();
        assert!(kind == "snapshot" || kind == "seat", "{kind}");
    }
}
