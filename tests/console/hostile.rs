//! Hostile requests: injection texts in every parameter, endless bodies and heads, silent connections. No
//! response is a 5xx or leaks internals.

use super::*;
use paceline::console;
use paceline::console::routes::{BodySchema, ROUTES};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Injection texts, percent-encoded where a URI needs it.
const TEXTS: &[&str] = &[
    "'%20or%20'1'='1",
    "1;drop%20table%20agent--",
    "%22%20union%20select%20password%20from%20agent--",
    "..%2F..%2F..%2Fetc%2Fpasswd",
    "%2e%2e%2f",
    "%00",
    "%ff%fe",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "$%7Bjndi:ldap:%2F%2Fx%7D",
    "%0d%0aSet-Cookie:%20paceline=x",
    "-1",
    "9223372036854775808",
    "1e999",
    "NaN",
    "%F0%9F%92%A3",
    "%E2%80%AE",
];

#[tokio::test]
async fn hostile_texts_in_every_path_and_query_get_problem_documents() {
    let app = TestApp::new().await;
    app.staff().await;
    for route in ROUTES.iter().filter(|route| route.path != "/live") {
        for text in TEXTS {
            let mut path: String = route
                .path
                .split('/')
                .map(|part| if part.starts_with('{') { *text } else { part })
                .collect::<Vec<_>>()
                .join("/");
            for (n, parameter) in route.query.iter().enumerate() {
                let name = parameter.name;
                path.push_str(&format!("{}{name}={text}", if n == 0 { '?' } else { '&' }));
            }
            let body = match route.body {
                BodySchema::Empty | BodySchema::File(_) => None,
                BodySchema::AgentAction => {
                    Some(json!({ "action": "force", "agent": text, "what": "release" }))
                }
                BodySchema::Json(..) | BodySchema::JsonOrFile(..) => {
                    Some(json!({ "name": text, "login": text, "password": text }))
                }
            };
            let answer = app.by("8003", route.method, &path, body).await;
            sound(&answer, &format!("{} {path}", route.method));
        }
    }
    // A name may be any text; no account was lost.
    let staff: Vec<_> = app.store.agents().await.unwrap().into_iter().map(|row| row.number).collect();
    for number in ["8001", "8002", "8003", "8004", "8005", "8101", "8102"] {
        assert!(staff.iter().any(|known| known == number), "{number}");
    }
}

/// Each query parameter alone, so that the refusal of one does not hide another.
#[tokio::test]
async fn hostile_texts_in_each_parameter_alone_get_problem_documents() {
    let app = TestApp::new().await;
    app.staff().await;
    for route in ROUTES {
        for name in route.query.iter().map(|parameter| parameter.name) {
            for text in TEXTS {
                let path = format!("{}?{name}={text}", route.path.replace("{attempt}", "1"));
                let answer = app.by("8003", route.method, &path, None).await;
                sound(&answer, &path);
            }
        }
    }
}

#[track_caller]
fn sound(answer: &Answer, what: &str) {
    assert!(!answer.status.is_server_error(), "{what}: {}", answer.status);
    let text = String::from_utf8_lossy(&answer.body).to_lowercase();
    for inside in ["sqlite", "select ", "panicked", "src/", "root:"] {
        assert!(!text.contains(inside), "{what}: {text}");
    }
    assert!(!answer.headers.contains_key("set-cookie") || answer.status.is_success(), "{what}");
    if answer.status.is_client_error() {
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{what}");
        assert_eq!(answer.json()["status"].as_u64(), Some(u64::from(answer.status.as_u16())), "{what}");
    }
}

#[tokio::test]
async fn hostile_bodies_get_problem_documents() {
    let app = TestApp::new().await;
    app.staff().await;
    let deep = "[".repeat(20_000);
    let nested = format!("{{\"action\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("null", 422),
        ("{\"action\":\"ready\"}{}", 400),
        ("\u{feff}{}", 400),
        (deep.as_str(), 400),
        (nested.as_str(), 400),
        (long.as_str(), 413),
        ("{\"action\":\"call_lead\",\"campaign\":1,\"lead\":1e400}", 400),
        ("{\"action\":\"call_lead\",\"campaign\":1,\"lead\":99999999999999999999}", 422),
    ] {
        let mut request = app.request("8001", "post", "/me/actions", Some(json!({}))).await;
        *request.body_mut() = Body::from(body.to_owned());
        let answer = app.send(request).await.is(status);
        sound(&answer, body.get(..30).unwrap_or(body));
    }
    let mut request = app.request("8001", "post", "/me/actions", Some(json!({}))).await;
    *request.body_mut() = Body::from(&b"{\"action\":\"\xff\xfe\"}"[..]);
    sound(&app.send(request).await, "bytes that are no text");
    assert!(app.engine.lock().unwrap().actions.is_empty());
}

#[tokio::test]
async fn unknown_paths_and_methods_get_problem_documents() {
    let app = TestApp::new().await;
    app.staff().await;
    assert_eq!(app.get("8001", "/nothing").await.is(404).code(), "not_found");
    let method = app.by("8001", "delete", "/me", None).await.is(405);
    assert_eq!(
        (method.code().as_str(), method.headers.contains_key(header::ALLOW)),
        ("method_not_allowed", true)
    );
}

/// One exchange over a real socket; empty = the server closed without a response.
async fn exchange(address: std::net::SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may close before everything is written.
    let _ = stream.write_all(sent).await;
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(40), async {
        let mut chunk = [0; 4096];
        while let Ok(read) = stream.read(&mut chunk).await {
            text.extend_from_slice(&chunk[..read]);
            if read == 0 || text.len() > 12 {
                break;
            }
        }
    });
    read.await.expect("an answer or an end");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn endless_heads_and_idle_connections_do_not_block_the_health_check() {
    let app = TestApp::new().await;
    let console = console::start("127.0.0.1:0".parse().unwrap(), app.state.clone()).await.unwrap();
    let address = console.address;
    let mut idle = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        idle.push(stream);
    }
    let health = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(exchange(address, health).await.starts_with("HTTP/1.1 200"));
    let mut head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ".to_vec();
    head.resize(1_000_000, b'x');
    let answer = exchange(address, &head).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    let many: String = (0..500).map(|n| format!("X-{n}: 1\r\n")).collect();
    let answer =
        exchange(address, format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    // A Content-Length of a gigabyte is refused before the body comes.
    let huge = b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n{";
    assert!(exchange(address, huge).await.starts_with("HTTP/1.1 413"));
    assert!(
        exchange(address, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 400")
    );
    assert!(exchange(address, health).await.starts_with("HTTP/1.1 200"));
    drop(idle);
    console.stop().await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn sixty_four_sign_ins_at_once_are_answered_or_throttled() {
    let app = TestApp::new().await;
    app.staff().await;
    let console = console::start("127.0.0.1:0".parse().unwrap(), app.state.clone()).await.unwrap();
    let address = console.address;
    let tries: Vec<_> = (0..64)
        .map(|n| {
            let body = format!("{{\"login\":\"nobody{n}\",\"password\":\"guess\"}}");
            let head = "POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json";
            let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            tokio::spawn(async move { exchange(address, text.as_bytes()).await })
        })
        .collect();
    let health = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(exchange(address, health).await.starts_with("HTTP/1.1 200"));
    let (mut judged, mut slowed) = (0, 0);
    for answer in tries {
        let answer = answer.await.unwrap();
        judged += usize::from(answer.starts_with("HTTP/1.1 401"));
        slowed += usize::from(answer.starts_with("HTTP/1.1 429"));
    }
    assert_eq!((judged, slowed), (20, 44), "one address tries so many accounts and no more");
    console.stop().await;
}

#[tokio::test]
async fn the_openapi_document_names_every_route_and_the_client_can_call_them() {
    let app = TestApp::new().await;
    app.staff().await;
    let served = app.by("", "get", "/openapi.json", None).await.is(200).json();
    let count: usize =
        served["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(count, ROUTES.len());
    for route in ROUTES {
        let named = &served["paths"][format!("{}{}", console::routes::ROOT, route.path)][route.method];
        assert_eq!(named["summary"], route.summary, "{} {}", route.method, route.path);
        if let Some(body) = named["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str() {
            assert!(served.pointer(body.trim_start_matches('#')).is_some(), "{body} is described");
        }
    }
    let text = served.to_string();
    for (at, _) in text.match_indices("\"$ref\":\"#") {
        let pointer: String = text[at + 9..].chars().take_while(|letter| *letter != '"').collect();
        assert!(served.pointer(&pointer).is_some(), "{pointer} leads nowhere");
    }
    let ids: BTreeSet<&str> = served["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), ROUTES.len(), "every operation has a name of its own");

    use console::client::{Client, Method};
    let console = console::start("127.0.0.1:0".parse().unwrap(), app.state.clone()).await.unwrap();
    let outside = Client::new(&format!("http://{}", console.address), app.state.local_service_token());
    for client in [outside.clone(), Client::in_process(app.state.clone())] {
        let agents = client.ask(Method::GET, "/api/v1/agents", None).await.unwrap();
        assert_eq!(agents["agents"].as_array().unwrap().len(), 8);
        let refused = client.ask(Method::POST, "/api/v1/groups", Some(&json!({ "name": "" }))).await;
        assert!(refused.unwrap_err().contains("name"));
    }
    let mut events = outside.live().await.unwrap();
    assert_eq!(events.next().await.unwrap().0, "snapshot");
    let stranger = Client::new(&outside.url, "guess");
    assert!(stranger.live().await.unwrap_err().contains("sign in"));
    console.stop().await;
}
