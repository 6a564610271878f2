//! The day's page, the search, the schedule, the holidays and the version.

use super::enterprises::{second_enterprise, with_cookie};
use super::leads_table::opened;
use super::*;
use crate::store::number;
use paceline::engine::{CampaignBoard, TrunkBoard};
use paceline_core::dialer::View;
use paceline_core::pacing::Why;
use serde_json::json;

fn kinds(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap();
    items.iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_day_begins_with_what_is_most_urgent() {
    let app = opened().await;
    let empty = app.get("8003", "/today").await.is(200).json();
    assert_eq!(kinds(&empty), Vec::<String>::new());
    let mut board = Board::default();
    let view = View { why: Some(Why::NoAgents), leads_open: 30, ..View::default() };
    let mut open = CampaignBoard::default();
    (open.name, open.view, open.opened_at) = ("spring".into(), view, app.clock.now());
    board.campaigns.insert(CampaignId(1), open);
    board.trunks.push(TrunkBoard { name: "main".into(), up: false, ..TrunkBoard::default() });
    app.board.send_replace(Arc::new(board));
    let shown = app.get("8003", "/today").await.is(200).json();
    assert_eq!(kinds(&shown), ["line", "not_dialling"], "{shown}");
    assert_eq!(shown["items"][1]["campaign"], "spring");
    assert!(shown["items"][1]["words"]["en"].as_str().unwrap().contains("no agent"), "{shown}");
    assert_eq!(shown["items"][1]["href"], "/campaigns/spring/live");
    // Ten o'clock in Shanghai: the eleventh hour of the day.
    assert_eq!(shown["hours"].as_array().unwrap().len(), 11);
    // A lead of another group has nothing to do with it, and sees no trunks.
    assert_eq!(kinds(&app.get("8102", "/today").await.is(200).json()), Vec::<String>::new());
    assert_eq!(kinds(&app.get("8004", "/today").await.is(200).json()), ["not_dialling"]);
}

#[tokio::test]
async fn the_search_finds_by_right_and_scope() {
    let app = opened().await;
    let of = |answer: &Value| -> Vec<(String, String)> {
        let items = answer["items"].as_array().unwrap();
        let word = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
        items.iter().map(|item| (word(item, "kind"), word(item, "href"))).collect()
    };
    let found = of(&app.get("8003", "/search?q=spring").await.is(200).json());
    assert_eq!(found, [("campaign".to_owned(), "/campaigns/spring/live".to_owned())]);
    let found = of(&app.get("8003", "/search?q=N8001").await.is(200).json());
    assert_eq!(found, [("person".to_owned(), "/people/8001/edit".to_owned())]);
    let found = of(&app.get("8003", "/search?q=out-1").await.is(200).json());
    assert_eq!(found, [("call".to_owned(), "/results?call=out-1".to_owned())]);
    let path = format!("/search?q={}", number(4).national());
    let found = app.get("8004", &path).await.is(200).json();
    assert_eq!(kinds(&found), ["lead"]);
    assert!(!found.to_string().contains(&number(4).national()));
    let audit = app.get("8005", "/audit?action=campaigns.read").await.is(200).json();
    assert_eq!(audit["items"].as_array().unwrap().len(), 1, "a look-up by number is noted");
    let pages = kinds(&app.get("8003", "/search?q=%E9%BB%91%E5%90%8D%E5%8D%95").await.is(200).json());
    assert_eq!(pages, ["page"]);
    // An agent finds neither campaigns nor people.
    for q in ["spring", "N8002", "out-1"] {
        let found = app.get("8001", &format!("/search?q={q}")).await.is(200).json();
        assert_eq!(found["items"], json!([]), "{q}");
    }
    let li = second_enterprise(&app).await;
    for q in ["spring", "N8002", "out-1"] {
        let theirs = with_cookie(&app, &li, "get", &format!("/search?q={q}"), None).await.is(200).json();
        assert_eq!(theirs["items"], json!([]), "{q}");
    }
}

#[tokio::test]
async fn holidays_are_kept_in_order_and_cut_the_schedule() {
    let app = opened().await;
    let before = app.get("8003", "/holidays").await.is(200);
    assert_eq!(before.json()["days"], json!([]));
    let etag = before.headers[header::ETAG].clone();
    let days = json!({ "days": ["2026-03-04", "2026-02-05..2026-02-12"] });
    app.by("8003", "put", "/holidays", Some(days.clone())).await.is(428);
    let mut request = app.request("8003", "put", "/holidays", Some(days)).await;
    request.headers_mut().insert(header::IF_MATCH, etag.clone());
    let kept = app.send(request).await.is(200).json();
    assert_eq!(kept["days"], json!(["2026-02-05..2026-02-12", "2026-03-04"]));
    let mut again = app.request("8003", "put", "/holidays", Some(json!({ "days": [] }))).await;
    again.headers_mut().insert(header::IF_MATCH, etag);
    app.send(again).await.is(412);
    let mut faulty = app.request("8003", "put", "/holidays", Some(json!({ "days": ["2026-02-31"] }))).await;
    faulty.headers_mut().insert(header::IF_MATCH, "*".parse().unwrap());
    app.send(faulty).await.is(422);
    app.by("8002", "put", "/holidays", Some(json!({ "days": [] }))).await.is(403);
    let text = "name = \"autumn\"\nmode = \"announce\"\n[calling]\nconcurrency_max = 40\nwindows = [{ days = \"mon-sun\", from = \"09:00\", to = \"20:00\" }]\n";
    let made = app.post("8003", "/campaigns", json!({ "toml": text })).await;
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    let shown = app.get("8003", "/schedule?from=2026-03-02&until=2026-03-05").await.is(200).json();
    let autumn =
        shown["campaigns"].as_array().unwrap().iter().find(|it| it["name"] == "autumn").expect("autumn");
    let bars = autumn["bars"].as_array().unwrap();
    let of = |kind: &str| bars.iter().filter(|bar| bar["kind"] == kind).count();
    assert_eq!((of("window"), of("holiday")), (3, 1), "{autumn}");
    assert_eq!(shown["holidays"], kept["days"]);
    app.get("8003", "/schedule?from=2026-03-02&until=2026-05-05").await.is(422);
    app.get("8003", "/schedule?from=soon").await.is(422);
}

#[tokio::test]
async fn the_version_is_for_the_operator() {
    let app = opened().await;
    app.get("8003", "/version").await.is(403);
    let operator = app.state.local_service_token().to_owned();
    let mut request = bare("get", "/version", None);
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {operator}").parse().unwrap());
    let shown = app.send(request).await.is(200).json();
    assert_eq!(shown["version"], env!("CARGO_PKG_VERSION"));
    assert!(shown["schema"].as_i64().unwrap() >= 31);
}
