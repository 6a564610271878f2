//! Test calls over trunks, and traces of calls, through the API.

use super::records::scenario;
use super::*;
use paceline::engine::{TrunkBoard, TrunkTestRefusal};
use serde_json::json;

#[tokio::test]
async fn a_trace_is_shown_to_those_who_may_see_the_call() {
    let scene = scenario().await;
    let path = format!("/calls/{}/trace", scene.request.attempt);
    for (by, status) in
        [("8001", 200), ("8002", 200), ("8003", 200), ("8004", 200), ("8101", 404), ("8102", 404)]
    {
        scene.app.get(by, &path).await.is(status);
    }
    let trace = scene.app.get("8003", &path).await.is(200).json();
    assert_eq!(
        (trace["steps"].as_array().map(Vec::len), trace["outcome"].as_str()),
        (Some(0), Some("answered"))
    );
    assert!(trace["words"]["zh"].as_str().is_some_and(|zh| zh.contains("接通")), "{trace}");
    for path in ["/calls/99999/trace", "/calls/x/trace"] {
        scene.app.get("8003", path).await.is(404);
    }
}

#[tokio::test]
async fn a_test_call_names_its_attempt_or_why_it_is_not_placed() {
    let app = TestApp::new().await;
    app.staff().await;
    let act = |name: &'static str, body: Value| app.by("8003", "post", name, Some(body));
    let call = json!({ "action": "test_call", "number": "+442079460000", "caller_id": "+8695188" });
    let unknown = act("/trunks/main/actions", call.clone()).await.is(404);
    assert!(unknown.json()["detail"].as_str().is_some_and(|detail| detail.contains("no such trunk")));
    let trunk = TrunkBoard { name: "main".into(), up: true, ..TrunkBoard::default() };
    app.board.send_replace(Arc::new(Board { trunks: vec![trunk], ..Board::default() }));
    assert_eq!(act("/trunks/main/actions", call.clone()).await.is(202).json(), json!({ "attempt": 7 }));
    for (refusal, status, code) in [
        (TrunkTestRefusal::NotCarried, 422, "not_carried"),
        (TrunkTestRefusal::Full, 409, "trunk_full"),
        (TrunkTestRefusal::Blacklisted, 409, "blacklisted"),
        (TrunkTestRefusal::StoreStalled, 503, "store_stalled"),
    ] {
        app.engine.lock().unwrap().trunk_test = Some(Err(refusal));
        assert_eq!(act("/trunks/main/actions", call.clone()).await.is(status).code(), code);
    }
    for unfit in [
        json!({ "action": "test_call", "number": "110" }),
        json!({ "action": "test_call", "number": "+86110" }),
        json!({ "action": "test_call", "number": "13800138000", "caller_id": "x" }),
        json!({ "action": "test_call" }),
        json!({ "action": "disable" }),
    ] {
        act("/trunks/main/actions", unfit).await.is(422);
    }
    let campaigns = app.get("8003", "/campaigns").await.is(200).json();
    assert!(!campaigns.to_string().contains("_trunk_test"), "{campaigns}");
}
