//! Limits of connections, requests and live streams, also behind a proxy; timeouts; what strangers learn.

use super::*;
use paceline::console::server::Timeouts;
use paceline::console::source::Peer;
use paceline::console::{self, routes::ROUTES};
use serde_json::json;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const OFFICE: &str = "198.51.100.9";

async fn app_with(http: HttpConfig) -> TestApp {
    TestApp::with_http(Arc::new(tempfile::tempdir().unwrap()), ManualClock::at(MORNING), http).await
}

fn behind_proxy() -> HttpConfig {
    HttpConfig { behind_proxy: vec!["127.0.0.1".into()], ..HttpConfig::default() }
}

/// The request as a proxy on this machine passes it on.
fn forwarded(mut request: Request<Body>, client: &str) -> Request<Body> {
    request.extensions_mut().insert(Peer("127.0.0.1:4711".parse().unwrap()));
    request.headers_mut().insert("x-forwarded-for", client.parse().unwrap());
    request
}

fn plain(path: &str) -> Request<Body> {
    Request::builder().uri(path).header(header::HOST, HOST).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn five_hundred_screens_behind_one_office_address_are_open() {
    let app = app_with(behind_proxy()).await;
    app.group("vote").await;
    let mut screens = Vec::new();
    for n in 8_000..8_063 {
        let number = n.to_string();
        app.hire(&number, Role::Agent, &["vote"]).await;
        let cookie = format!("paceline={}", app.key(&number).await);
        for _ in 0..8 {
            let mut request = bare("get", "/live", None);
            request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
            screens.push(app.ask(forwarded(request, OFFICE)));
        }
    }
    let open = futures_util::future::join_all(screens).await;
    assert!(open.len() > 500 && open.iter().all(|response| response.status() == 200));
    let me = app.ask(forwarded(app.request("8001", "get", "/me", None).await, OFFICE)).await;
    assert_eq!(me.status(), 200);
    for response in open {
        let frame = response.into_body().frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(frame.starts_with(b"event: snapshot"));
    }
}

/// 500 agents ask twice each at once, from one address at which somebody else is asking without end.
#[tokio::test]
async fn callers_are_limited_each_alone_and_strangers_by_address() {
    let app = app_with(behind_proxy()).await;
    app.group("vote").await;
    let mut cookies = Vec::new();
    for n in 8_000..8_500 {
        app.hire(&n.to_string(), Role::Agent, &["vote"]).await;
        cookies.push(format!("paceline={}", app.key(&n.to_string()).await));
    }
    let me = async |cookie: &str, client: &str| {
        let mut request = bare("get", "/me", None);
        request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        app.ask(forwarded(request, client)).await
    };
    let strangers = async |count: usize, cookie: &str, client: &str| {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(me(cookie, client).await.status().as_u16());
        }
        statuses.iter().filter(|status| **status == 429).count()
    };
    assert_eq!(strangers(150, "paceline=guess", OFFICE).await, 50);
    for cookie in &cookies {
        for _ in 0..2 {
            assert_eq!(me(cookie, OFFICE).await.status(), 200, "an agent pays for nobody else");
        }
    }
    assert_eq!(strangers(100, "a=b", "198.51.100.10").await, 0, "another address has its own");
    // One agent's own bound; the next second holds 50 more.
    assert_eq!(strangers(108, &cookies[7], OFFICE).await, 10);
    let refused = me(&cookies[7], "203.0.113.5").await;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()[header::RETRY_AFTER]),
        (429, &"1".parse().unwrap())
    );
    app.clock.advance(1_000);
    assert_eq!(strangers(60, &cookies[7], OFFICE).await, 10);
    // Sign-ins have a bucket of their own, and health is not counted.
    let sign_in = bare("post", "/sign-in", Some(json!({ "login": "x", "password": "y" })));
    assert_eq!(app.ask(forwarded(sign_in, OFFICE)).await.status(), 401);
    strangers(150, "a=b", OFFICE).await;
    for _ in 0..300 {
        assert_eq!(app.ask(forwarded(plain("/healthz"), OFFICE)).await.status(), 200);
    }
    let unknown = app.ask(forwarded(bare("get", "/no-such-path", None), OFFICE)).await;
    assert_eq!(unknown.status(), 429);
}

#[tokio::test]
async fn one_account_has_eight_streams_and_takes_none_from_others() {
    let app = TestApp::new().await;
    app.staff().await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(app.ask(app.request("8001", "get", "/live", None).await).await);
    }
    assert!(open.iter().all(|response| response.status() == 200));
    let ninth = app.get("8001", "/live").await.is(429);
    assert!(ninth.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(app.ask(app.request("8002", "get", "/live", None).await).await.status(), 200);
    open.pop();
    assert_eq!(app.ask(app.request("8001", "get", "/live", None).await).await.status(), 200);
}

#[tokio::test]
async fn streams_have_a_limit_in_all() {
    let app = app_with(HttpConfig { streams_max: 2, ..HttpConfig::default() }).await;
    app.staff().await;
    let mut open = Vec::new();
    for number in ["8001", "8002"] {
        open.push(app.ask(app.request(number, "get", "/live", None).await).await);
    }
    assert_eq!(app.get("8003", "/live").await.is(503).code(), "full");
    drop(open);
    assert_eq!(app.ask(app.request("8003", "get", "/live", None).await).await.status(), 200);
}

#[tokio::test]
async fn a_proxys_clients_are_limited_each_by_its_own_address() {
    let app = app_with(HttpConfig { connections_per_address_max: 3, ..behind_proxy() }).await;
    app.staff().await;
    let mut open = Vec::new();
    for number in ["8001", "8002", "8003"] {
        open.push(app.ask(forwarded(app.request(number, "get", "/live", None).await, OFFICE)).await);
    }
    let me = async |client: &str| {
        app.ask(forwarded(app.request("8004", "get", "/me", None).await, client)).await.status().as_u16()
    };
    assert_eq!((me(OFFICE).await, me("203.0.113.1").await), (429, 200));
    // A client that names further addresses itself still counts as the one that the proxy saw.
    assert_eq!(me(&format!("203.0.113.7, {OFFICE}")).await, 429);
    assert_eq!(app.ask(forwarded(plain("/healthz"), OFFICE)).await.status(), 200);
    open.pop();
    assert_eq!(me(OFFICE).await, 200);
}

async fn exchange(address: SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    read_to_end(&mut stream).await
}

/// All that the server sends until it ends the connection.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = stream.read_to_end(&mut text);
    // A reset after the last byte is an end too.
    let _ = tokio::time::timeout(Duration::from_secs(40), read).await.expect("the server ends it");
    String::from_utf8_lossy(&text).into_owned()
}

fn ask_once(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn health_and_metrics_are_served_when_every_connection_is_taken() {
    let app = app_with(HttpConfig { connections_max: 3, ..HttpConfig::default() }).await;
    let console = console::start("127.0.0.1:0".parse().unwrap(), app.state.clone()).await.unwrap();
    let mut idle = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(console.address).await.unwrap();
        // A whole exchange, so that the connection is known to be taken.
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        idle.push(stream);
    }
    for path in ["/healthz", "/metrics"] {
        assert!(exchange(console.address, &ask_once(path)).await.starts_with("HTTP/1.1 200"), "{path}");
    }
    assert!(exchange(console.address, &ask_once("/readyz")).await.contains("\"ready\":false"));
    let refused = exchange(console.address, &ask_once("/api/v1/openapi.json")).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("\"code\":\"full\""), "{refused}");
    drop(idle);
    while exchange(console.address, &ask_once("/api/v1/openapi.json")).await.starts_with("HTTP/1.1 503") {}
    console.stop().await;
}

#[tokio::test]
async fn idle_and_half_sent_connections_are_ended() {
    let app = TestApp::new().await;
    let short = Duration::from_millis(50);
    let timeouts = Timeouts { head: short, answer: short, write: short };
    let listen = "127.0.0.1:0".parse().unwrap();
    let console = console::server::start_with(listen, app.state.clone(), timeouts).await.unwrap();
    assert_eq!(exchange(console.address, "").await, "");
    let head = exchange(console.address, "POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\n").await;
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 408"), "{head}");
    let answered = exchange(console.address, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answered.starts_with("HTTP/1.1 200"), "then the kept connection ends: {answered}");
    let half = "POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Content-Length: 40\r\n\r\n{\"login\":";
    let half = exchange(console.address, half).await;
    assert!(half.starts_with("HTTP/1.1 408") && half.contains("x-content-type-options: nosniff"), "{half}");
    console.stop().await;
}

#[tokio::test]
async fn every_answer_has_security_headers() {
    let app = TestApp::new().await;
    app.staff().await;
    let mut answers = Vec::new();
    for route in ROUTES.iter().filter(|route| route.path != "/live") {
        for number in ["", "8003"] {
            answers.push(app.by(number, route.method, route.path, Some(json!({}))).await);
        }
    }
    for path in ["/", "/metrics", "/healthz", "/readyz", "/nothing", "/api/v1/nothing", "/api/v1/live"] {
        answers.push(app.send(plain(path)).await);
    }
    answers.push(app.by("8003", "delete", "/me", None).await.is(405));
    let live = app.ask(app.request("8001", "get", "/live", None).await).await;
    let live = Answer { status: live.status(), headers: live.headers().clone(), body: Vec::new() };
    answers.push(live.is(200));
    for answer in answers {
        let header = |name: &str| answer.headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!(header("x-content-type-options"), "nosniff", "{:?}", answer.headers);
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(header("cache-control").contains("no-store"), "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn strangers_learn_only_whether_the_service_is_ready() {
    for http in [HttpConfig::default(), behind_proxy()] {
        let is_behind_proxy = !http.behind_proxy.is_empty();
        let app = app_with(http).await;
        let board = Board { store_stalled: Some("the disk is full".into()), ..Board::default() };
        app.board.send_replace(Arc::new(board));
        let token = app.state.local_service_token().to_owned();
        for (peer, client, token, sees) in [
            ("192.0.2.9:1", None, None, false),
            ("192.0.2.9:1", None, Some("guess"), false),
            ("192.0.2.9:1", None, Some(token.as_str()), true),
            ("192.0.2.9:1", Some("127.0.0.1"), None, false),
            ("127.0.0.1:1", Some("192.0.2.9"), None, false),
            ("127.0.0.1:1", Some("127.0.0.1"), None, false),
            ("127.0.0.1:1", None, None, !is_behind_proxy),
            ("[::1]:1", None, None, true),
        ] {
            let request = |path| {
                let mut request = plain(path);
                request.extensions_mut().insert(Peer(peer.parse().unwrap()));
                let headers = request.headers_mut();
                if let Some(client) = client {
                    headers.insert("x-forwarded-for", client.parse().unwrap());
                }
                if let Some(token) = token {
                    headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
                }
                request
            };
            let ready = app.send(request("/readyz")).await.is(503).json();
            assert_eq!(ready["ready"], false);
            assert_eq!(ready.as_object().unwrap().len() > 1, sees, "{peer} {client:?}: {ready}");
            let metrics = app.send(request("/metrics")).await.status.as_u16();
            assert_eq!(metrics, if sees { 200 } else { 401 }, "{peer} {client:?}");
        }
    }
}

#[tokio::test]
async fn the_service_is_ready_while_one_trunk_may_dial() {
    use paceline::engine::TrunkBoard;
    use paceline_core::dialer::LineView;
    use paceline_core::line_guard::{Fault, LineTrouble, Scope};
    let app = app_with(HttpConfig::default()).await;
    let trouble = LineTrouble {
        scope: Scope::Trunk,
        fault: Fault::Forbidden,
        sip_code: Some(403),
        calls: 5,
        probes: 2,
    };
    let rest = LineView { trunk: paceline_core::ids::TrunkId(0), trouble, all: false, until: None };
    let trunk = |name: &str, up, rest| TrunkBoard { name: name.into(), up, rest, ..TrunkBoard::default() };
    for (other, code) in
        [(trunk("b", true, None), 200), (trunk("b", true, Some(rest)), 503), (trunk("b", false, None), 503)]
    {
        let trunks = vec![trunk("a", true, Some(rest)), other];
        app.board.send_replace(Arc::new(Board { trunks, ..Board::default() }));
        let ask = |peer: &str| {
            let mut request = plain("/readyz");
            request.extensions_mut().insert(Peer(peer.parse().unwrap()));
            request
        };
        let stranger = app.send(ask("192.0.2.9:1")).await.is(code).json();
        assert_eq!(stranger, serde_json::json!({ "ready": code == 200 }));
        let seen = app.send(ask("127.0.0.1:1")).await.is(code).json();
        let words = &seen["trunks"][0]["line"]["words"];
        assert!(words["en"].as_str().unwrap().contains("trunk a rests: 5 calls"), "{seen}");
        assert!(words["zh"].as_str().unwrap().contains("中继 a"), "{seen}");
    }
}
