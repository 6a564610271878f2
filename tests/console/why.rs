//! `why` over the API: what limits a campaign, why a lead is not dialled, and which caller may see it.

use super::*;
use crate::store::{Fixture, number, rows};
use paceline::engine::{CampaignBoard, TrunkBoard};
use paceline_core::dialer::{LineView, View};
use paceline_core::ids::TrunkId;
use paceline_core::line_guard::{Fault, LineTrouble, Scope};
use paceline_core::pacing::Why;
use paceline_core::time::Utc;

async fn opened() -> TestApp {
    let fixture = Fixture::new().await;
    fixture.list(&rows(3), &[]).await;
    let (dir, clock, campaign) = (fixture.dir.clone(), fixture.clock.clone(), fixture.campaign);
    fixture.close().await;
    let app = TestApp::open(dir, clock).await;
    app.staff().await;
    app.open_campaign(campaign, "spring", "vote").await;
    let mut view = View { why: Some(Why::NoAgents), leads_open: 3, ..View::default() };
    view.numbers.hopper = 2;
    let mut board = CampaignBoard::default();
    (board.name, board.view) = ("spring".into(), view);
    app.board.send_replace(Arc::new(Board { campaigns: [(campaign, board)].into(), ..Board::default() }));
    app
}

#[tokio::test]
async fn a_campaign_says_what_limits_it_and_what_to_do() {
    let app = opened().await;
    let answer = app.get("8002", "/campaigns/spring/why").await.is(200).json();
    assert_eq!((answer["why"].as_str(), answer["open"].as_bool()), (Some("no_agents"), Some(true)));
    assert_eq!(
        (answer["leads_open"].as_u64(), answer["view"]["numbers"]["hopper"].as_u64()),
        (Some(3), Some(2))
    );
    assert!(answer["words"]["en"].as_str().unwrap().contains("no agent is signed in"), "{answer}");
    assert!(answer["advice"]["zh"].as_str().unwrap().contains("签入"), "{answer}");
    // The campaign's view has the same sentence.
    let shown = app.get("8003", "/campaigns").await.is(200).json();
    assert_eq!(shown["campaigns"][0]["words"]["en"], answer["words"]["en"]);
    app.get("8101", "/campaigns/spring/why").await.is(404);
    app.get("8003", "/campaigns/autumn/why").await.is(404);
}

#[tokio::test]
async fn a_lead_is_looked_up_and_explained() {
    let app = opened().await;
    let by_row = app.get("8001", "/campaigns/spring/leads?row=3").await.is(200).json();
    let national = number(1).national();
    let by_number = app.get("8001", &format!("/campaigns/spring/leads?number={national}")).await.is(200);
    assert_eq!(by_number.json(), by_row);
    let lead = &by_row["leads"][0]["id"];
    let answer = app.get("8001", &format!("/campaigns/spring/leads/{lead}/why")).await.is(200).json();
    assert!(matches!(answer["because"].as_str(), Some("due" | "outside_hours")), "{answer}");
    assert_eq!((answer["row"].as_u64(), answer["numbers"][0].as_str()), (Some(3), Some(national.as_str())));
    assert_eq!(answer["turn"]["why"], "no_agents", "the campaign's own why stands beside it");
    let strange = app.get("8001", "/campaigns/spring/leads?row=99").await.is(404);
    assert_eq!(strange.code(), "not_listed");
    assert!(strange.json()["detail"].as_str().unwrap().contains("its last lead is row 4"));
    app.get("8001", "/campaigns/spring/leads").await.is(403);
    app.get("8001", "/campaigns/spring/leads?number=none").await.is(422);
    app.get("8001", "/campaigns/spring/leads/99999/why").await.is(404);
    for path in ["leads?row=3".to_owned(), format!("leads/{lead}/why")] {
        app.get("8101", &format!("/campaigns/spring/{path}")).await.is(404);
    }
}

fn trunk(name: &str, rest: Option<LineView>) -> TrunkBoard {
    TrunkBoard { name: name.into(), up: true, rest, ..TrunkBoard::default() }
}

#[tokio::test]
async fn a_line_that_rests_is_named_with_its_reason_and_what_to_do() {
    let app = opened().await;
    let trouble =
        LineTrouble { scope: Scope::Trunk, fault: Fault::HangsUp, sip_code: None, calls: 5, probes: 1 };
    let mut rest = LineView { trunk: TrunkId(0), trouble, all: true, until: Some(Utc::from_millis(MORNING)) };
    let mut board = (**app.board.borrow()).clone();
    for open in board.campaigns.values_mut() {
        (open.view.line, open.line_trunk) = (Some(rest), "main".into());
    }
    board.trunks = vec![trunk("main", Some(rest))];
    app.board.send_replace(Arc::new(board.clone()));
    let answer = app.get("8002", "/campaigns/spring/why").await.is(200).json();
    let line = &answer["line"];
    assert_eq!((line["trunk"].as_str(), line["all"].as_bool()), (Some("main"), Some(true)), "{answer}");
    assert!(line["until"].is_string() && line["fault"] == "hangs_up", "{line}");
    for (lang, words, advice) in
        [("en", "paused by the line: trunk main", "listen"), ("zh", "因线路故障暂停", "试听")]
    {
        assert!(answer["words"][lang].as_str().unwrap().contains(words), "{answer}");
        assert!(answer["advice"][lang].as_str().unwrap().contains(advice), "{answer}");
    }
    let shown = app.get("8003", "/campaigns").await.is(200).json();
    assert_eq!(shown["campaigns"][0]["words"], answer["words"]);
    assert_eq!(shown["campaigns"][0]["line"]["trunk"], "main");
    // Another trunk is left: the campaign has its own why, and the line stands beside it.
    rest.all = false;
    for open in board.campaigns.values_mut() {
        open.view.line = Some(rest);
    }
    app.board.send_replace(Arc::new(board));
    let answer = app.get("8002", "/campaigns/spring/why").await.is(200).json();
    assert!(answer["words"]["en"].as_str().unwrap().contains("no agent is signed in"), "{answer}");
    assert!(answer["line"]["words"]["en"].as_str().unwrap().starts_with("trunk main rests"), "{answer}");
}
