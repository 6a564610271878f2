//! Actions: names become the core's ids, the engine's refusal a problem document; who may act for whom.

use super::*;
use paceline_core::agent::{
    CallSummary, CallbackRequest, ConsultTarget, Endpoint, Force, Holding, Supervision, WorkMode,
};
use paceline_core::call::Digit;
use paceline_core::ids::{CallId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;
use serde_json::json;

fn phone(digits: &str) -> PhoneNumber {
    PhoneNumber::chinese(digits.as_bytes()).unwrap()
}

#[tokio::test]
async fn names_in_actions_are_resolved_to_ids() {
    let app = TestApp::new().await;
    app.staff().await;
    app.open_campaign(CampaignId(7), "spring", "vote").await;
    let (ana, lead, vote) = (app.id("8001").await, app.id("8002").await, app.group("vote").await);
    let campaign = CampaignId(7);
    let sign_in = |groups, endpoint| AgentAction::SignIn {
        groups,
        endpoint,
        holding: Holding::NailedUp,
        work_mode: WorkMode::Both,
    };
    let digits = |keys: &str| keys.chars().map(|key| Digit::from_char(key).unwrap()).collect();
    for (asked, act) in [
        (json!({ "action": "sign_in" }), sign_in(vec![], Endpoint::Phone)),
        (
            json!({ "action": "sign_in", "groups": ["vote"], "endpoint": { "telephone": "13800138000" } }),
            sign_in(vec![vote], Endpoint::Telephone(phone("13800138000"))),
        ),
        (
            json!({ "action": "change_endpoint", "endpoint": "phone", "holding": "per_call" }),
            AgentAction::ChangeEndpoint { endpoint: Endpoint::Phone, holding: Holding::PerCall },
        ),
        (json!({ "action": "pause", "reason": "午餐" }), AgentAction::Pause { reason: "午餐".into() }),
        (
            json!({ "action": "call", "campaign": "spring", "number": "0571-8888 8888" }),
            AgentAction::Call { campaign, number: phone("057188888888") },
        ),
        (
            json!({ "action": "call_lead", "campaign": "spring", "lead": 12 }),
            AgentAction::CallLead { campaign, lead: LeadId(12) },
        ),
        (
            json!({ "action": "hang_up", "leg": "4611686018427387905" }),
            AgentAction::HangUp { leg: Some(CallId::side_leg(1)) },
        ),
        (json!({ "action": "hang_up" }), AgentAction::HangUp { leg: None }),
        (json!({ "action": "send_digits", "keys": "12#" }), AgentAction::SendDigits { keys: digits("12#") }),
        (
            json!({ "action": "consult", "target": { "agent": "8002" } }),
            AgentAction::Consult { target: ConsultTarget::Agent(lead) },
        ),
        (
            json!({ "action": "consult", "target": { "group": "vote" } }),
            AgentAction::Consult { target: ConsultTarget::Group(vote) },
        ),
        (
            json!({ "action": "consult", "target": { "number": "13800138000" } }),
            AgentAction::Consult { target: ConsultTarget::Number(phone("13800138000")) },
        ),
        (
            json!({ "action": "summarise", "disposition": "voted", "callback": { "at": "2030-01-31T09:30:00+08:00", "own": true } }),
            AgentAction::Summarise(CallSummary {
                disposition: "voted".into(),
                note: String::new(),
                callback: Some(CallbackRequest {
                    at: Utc::from_millis(1_896_053_400_000),
                    own: true,
                    skill: None,
                }),
            }),
        ),
    ] {
        app.post("8001", "/me/actions", asked.clone()).await.is(200);
        let (who, done) = app.engine.lock().unwrap().actions.pop().unwrap();
        assert_eq!((who, done), (ana, act), "{asked}");
    }
    let force = json!({ "action": "force", "agent": "8001", "what": { "pause": { "reason": "meeting" } } });
    app.post("8002", "/me/actions", force).await.is(200);
    let barge = json!({ "action": "supervise", "agent": "8001", "how": "whisper" });
    app.post("8002", "/me/actions", barge).await.is(200);
    let actions = app.engine.lock().unwrap().actions.split_off(0);
    let what = Force::Pause { reason: "meeting".into() };
    assert_eq!(
        actions,
        [
            (lead, AgentAction::Force { agent: ana, what }),
            (lead, AgentAction::Supervise { agent: ana, how: Supervision::Whisper })
        ]
    );
}

#[tokio::test]
async fn a_refusal_of_the_engine_is_a_problem_document_with_its_code() {
    let app = TestApp::new().await;
    app.staff().await;
    for (refusal, status) in [
        (Refusal::Busy, 409),
        (Refusal::NotSignedIn, 409),
        (Refusal::SeatsTaken, 409),
        (Refusal::ReasonMissing, 422),
        (Refusal::UnknownDisposition, 422),
        (Refusal::NotAllowed, 403),
        (Refusal::UnknownAgent, 404),
        (Refusal::StoreStalled, 503),
    ] {
        app.engine.lock().unwrap().refusal = Some(refusal);
        let problem = app.post("8001", "/me/actions", json!({ "action": "ready" })).await.is(status).json();
        assert_eq!(
            (problem["code"].as_str(), problem["status"].as_u64()),
            (Some(refusal.word()), Some(u64::from(status)))
        );
        assert_eq!(problem["detail"], refusal.to_string());
    }
}

#[tokio::test]
async fn an_agent_acts_in_its_own_name_and_a_lead_forces_agents_of_its_groups() {
    let app = TestApp::new().await;
    app.staff().await;
    app.open_campaign(CampaignId(7), "spring", "vote").await;
    let ready = json!({ "action": "ready" });
    app.post("8001", "/agents/8001/actions", ready.clone()).await.is(200);
    app.post("8001", "/agents/8101/actions", ready.clone()).await.is(404);
    app.post("8002", "/agents/8001/actions", ready.clone()).await.is(403);
    app.post("8003", "/agents/8001/actions", ready).await.is(200);
    assert_eq!(app.engine.lock().unwrap().actions.len(), 2);
    for (by, agent, status) in
        [("8001", "8101", 403), ("8002", "8101", 404), ("8002", "9999", 404), ("8002", "8001", 200)]
    {
        let force = json!({ "action": "force", "agent": agent, "what": "release" });
        app.post(by, "/me/actions", force).await.is(status);
    }
    let night = app.id("8101").await.0;
    let force = json!({ "action": "force", "agent": night, "what": "release" });
    // An id names no agent: it might be another enterprise's.
    app.post("8002", "/me/actions", force).await.is(422);
    // A campaign of another group is closed to an agent.
    let call = json!({ "action": "call", "campaign": "spring", "number": "13800138000" });
    assert_eq!(app.post("8101", "/me/actions", call.clone()).await.is(409).code(), "campaign_closed");
    app.post("8001", "/me/actions", call).await.is(200);
}

#[tokio::test]
async fn an_invalid_action_never_reaches_the_engine() {
    let app = TestApp::new().await;
    app.staff().await;
    let long = "x".repeat(5_000);
    for asked in [
        json!([]),
        json!("ready"),
        json!({}),
        json!({ "action": "fly" }),
        json!({ "action": 7 }),
        json!({ "action": "pause" }),
        json!({ "action": "pause", "reason": long }),
        json!({ "action": "send_digits", "keys": "12x" }),
        json!({ "action": "send_digits", "keys": "" }),
        json!({ "action": "send_digits", "keys": "1".repeat(65) }),
        json!({ "action": "hang_up", "leg": "-1" }),
        json!({ "action": "summarise", "note": "no code" }),
        json!({ "action": "summarise", "disposition": "voted", "note": long }),
        json!({ "action": "summarise", "disposition": "voted", "callback": { "at": "tomorrow" } }),
        json!({ "action": "sign_in", "endpoint": "telephone" }),
        json!({ "action": "sign_in", "endpoint": { "telephone": "not a number" } }),
        json!({ "action": "sign_in", "holding": "both" }),
        json!({ "action": "consult", "target": { "number": "110" } }),
    ] {
        app.post("8001", "/me/actions", asked).await.is(422);
    }
    assert!(app.engine.lock().unwrap().actions.is_empty());
}

#[tokio::test]
async fn a_manager_acts_on_open_campaigns_only() {
    let app = TestApp::new().await;
    app.staff().await;
    app.open_campaign(CampaignId(7), "spring", "vote").await;
    for (asked, word) in [
        (json!({ "action": "pause" }), "Pause"),
        (json!({ "action": "resume" }), "Resume"),
        (json!({ "action": "drain" }), "Drain"),
        (json!({ "action": "hang_up_all" }), "HangUpAll"),
        (json!({ "action": "test_call", "number": "13800138000" }), "TestCall"),
    ] {
        app.post("8003", "/campaigns/spring/actions", asked).await.is(202);
        app.settled().await;
        let heard = app.engine.lock().unwrap().others.pop().expect("the engine is asked");
        assert!(heard.contains(word) && heard.contains("CampaignId(7)"), "{heard}");
    }
    let test = json!({ "action": "test_call", "number": "13800138000" });
    let answer = app.post("8003", "/campaigns/spring/actions", test.clone()).await.is(202).json();
    assert_eq!(answer["attempt"], 5);
    app.engine.lock().unwrap().test_refusal = Some("blacklisted".into());
    let refused = app.post("8003", "/campaigns/spring/actions", test).await.is(409).json();
    assert_eq!(refused["code"], "not_called");
    assert!(refused["detail"].as_str().is_some_and(|says| says.contains("blacklisted")), "{refused}");
    app.post("8003", "/campaigns/autumn/actions", json!({ "action": "pause" })).await.is(404);
    app.post("8003", "/campaigns/spring/actions", json!({ "action": "test_call", "number": "119" }))
        .await
        .is(422);
    app.post("8003", "/campaigns/spring/actions", json!({ "action": "explode" })).await.is(422);
    let closed = app.post("8003", "/campaigns", json!({ "file": "a/campaign.toml" })).await;
    assert_eq!(closed.is(409).code(), "no_folder");
}

#[tokio::test]
async fn a_refused_device_check_names_its_reason() {
    let app = TestApp::new().await;
    app.staff().await;
    let answer = app.by("8001", "post", "/me/device-check", None).await;
    assert_eq!(answer.is(409).code(), "not_signed_in");
}
