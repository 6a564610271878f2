//! The OpenAPI document against what the service answers: every answer of these tests is validated, and every
//! example is sent.

use super::records::scenario;
use super::*;
use jsonschema::Validator;
use paceline::console::routes::{BodySchema, ROOT, ROUTES};
use paceline::console::secrets::Hasher;
use paceline::engine::TrunkBoard;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Validators of the document's responses by method, path template and status.
struct Document {
    json: Value,
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

fn document() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| Document {
        json: paceline::console::routes::document(),
        validators: Mutex::default(),
    })
}

impl Document {
    /// A schema somewhere in the document, with references into its components.
    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let made = validators.entry(schema.to_string()).or_insert_with(|| {
            let whole = json!({ "allOf": [schema], "components": self.json["components"] });
            let options = jsonschema::options().should_validate_formats(true);
            Arc::new(options.build(&whole).unwrap_or_else(|error| panic!("{schema}: {error}")))
        });
        made.clone()
    }

    #[track_caller]
    fn check(&self, schema: &Value, value: &Value, what: &str) {
        let faults: Vec<String> = self
            .validator(schema)
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{what}: {}\n{value}", faults.join("\n"));
    }
}

/// The route of a request: its parts are equal, or a parameter.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next()?.strip_prefix(ROOT)?;
    let fits = |template: &str| {
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template.zip(path).all(|(part, given)| part.starts_with('{') || part == given)
    };
    let route = ROUTES.iter().find(|route| route.method == method && fits(route.path))?;
    Some(&document().json["paths"][format!("{ROOT}{}", route.path)][route.method])
}

/// Checks an answer against the document: its status is named, its type and its body are as described.
#[track_caller]
pub fn check_answer(method: &str, path: &str, answer: &Answer) {
    let Some(operation) = operation(&method.to_lowercase(), path) else { return };
    let what = format!("{method} {path}: {}", answer.status);
    let response = &operation["responses"][answer.status.as_str()];
    assert!(response.is_object(), "{what} is not in the document");
    let Some(content) = response["content"].as_object() else {
        assert!(answer.body.is_empty(), "{what}: a body that is not in the document");
        return;
    };
    let kind = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
    let described = content.get(kind).unwrap_or_else(|| panic!("{what}: {kind} is not in the document"));
    if kind.ends_with("json") {
        document().check(&described["schema"], &answer.json(), &what);
    }
}

fn examples(content: &Value) -> Vec<&Value> {
    match content["examples"].as_object() {
        Some(many) => many.values().map(|example| &example["value"]).collect(),
        None => vec![&content["example"]],
    }
}

#[test]
fn every_route_has_an_answer_with_bounds_and_examples() {
    for (path, operations) in document().json["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let what = format!("{method} {path}");
            for parameter in operation["parameters"].as_array().unwrap() {
                let schema = &parameter["schema"];
                let is_bounded = ["enum", "pattern", "format", "maximum", "maxLength"]
                    .iter()
                    .any(|bound| !schema[bound].is_null());
                assert!(is_bounded, "{what}: {parameter} has no bound");
                assert!(!parameter["example"].is_null(), "{what}: {parameter} has no example");
                assert!(parameter["description"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
                document().check(schema, &parameter["example"], &what);
            }
            let responses = operation["responses"].as_object().unwrap();
            assert!(!responses.contains_key("default"), "{what}: every status is named");
            for (status, response) in responses {
                let schema = response["content"].as_object().and_then(|it| it.values().next());
                assert!(status == "204" || schema.is_some() || response["content"].is_null(), "{what}");
            }
            let body = &operation["requestBody"]["content"]["application/json"];
            if !body.is_null() {
                for example in examples(body) {
                    assert!(example.is_object(), "{what}: no example");
                    document().check(&body["schema"], example, &what);
                }
            }
        }
    }
}

/// Sends every example, those that remove something last. Most succeed; the others are refused as described.
#[tokio::test]
async fn every_example_gets_an_answer_of_the_document() {
    let scene = scenario().await;
    let app = scene.app;
    assert_eq!((scene.lead.id.0, scene.request.attempt.0), (1, 1), "the examples name them");
    let hash = Hasher::default().hash("correct horse").await.unwrap();
    let details = AgentDetails {
        name: "Ana".into(),
        login: "ana".into(),
        role: Role::Admin,
        telephone: None,
        recorded: false,
        skills: BTreeSet::new(),
        sip_user: None,
    };
    let secrets = Secrets { password: hash, ..Secrets::default() };
    let ana = app.store.add_agent("8200", &details, &secrets).await.unwrap();
    let actor = paceline::store::Actor {
        kind: paceline::store::ActorKind::System,
        id: None,
        name: "test".into(),
        address: String::new(),
        enterprise: 1,
        key: None,
    };
    let subject = paceline::store::Subject::of("agent", "8200");
    let mut change = app.store.begin_change(&actor, "test", subject).await.unwrap();
    change.set_operator(ana, true).await.unwrap();
    change.commit().await.unwrap();
    let mut board = Board::default();
    let since = app.clock.now();
    let id = app.id("8200").await;
    let seat = crate::store::floor::seat(
        id,
        paceline_core::agent::Availability::Available,
        paceline_core::agent::Activity::Idle,
        since,
    );
    board.seats.insert(id, Arc::new(seat));
    board.trunks.push(TrunkBoard { name: "main".into(), up: true, ..TrunkBoard::default() });
    app.board.send_replace(Arc::new(board));
    app.store.add_token("hash", Role::Analyst, "a token", None).await.unwrap();

    let mut routes: Vec<_> = ROUTES.iter().filter(|route| route.path != "/live").collect();
    routes.sort_by_key(|route| (route.method == "delete", route.path == "/sign-out"));
    let (mut sent, mut refused) = (0, Vec::new());
    for route in routes {
        let path = format!("{ROOT}{}", route.path);
        let operation = &document().json["paths"][&path][route.method];
        let example = |parameter: &Value| match &parameter["example"] {
            Value::String(text) => text.replace('+', "%2B").replace(':', "%3A"),
            other => other.to_string(),
        };
        let mut filled = route.path.to_owned();
        let (mut queries, mut headers) = (vec![String::new()], Vec::new());
        for parameter in operation["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            match parameter["in"].as_str() {
                Some("path") => filled = filled.replace(&format!("{{{name}}}"), &example(parameter)),
                Some("header") if parameter["required"] == true => {
                    headers.push((name, parameter["example"].as_str().unwrap()));
                }
                Some("header") => {}
                _ => queries.push(format!("?{name}={}", example(parameter))),
            }
        }
        let body = &operation["requestBody"]["content"]["application/json"];
        let bodies: Vec<Option<Value>> = match route.body {
            BodySchema::Empty | BodySchema::File(_) => vec![None],
            _ => examples(body).into_iter().map(|example| Some(example.clone())).collect(),
        };
        for (query, body) in queries.iter().flat_map(|query| bodies.iter().map(move |body| (query, body))) {
            let path = format!("{filled}{query}");
            let by = if route.path == "/sign-in" { "" } else { "8200" };
            // No faster than one caller may ask. `send` validates the answer.
            app.clock.advance(20);
            let mut request = app.request(by, route.method, &path, body.clone()).await;
            for (name, value) in &headers {
                let name: axum::http::HeaderName = name.parse().unwrap();
                request.headers_mut().insert(name, value.parse().unwrap());
            }
            // A key is of one request: the next query is another one.
            if paceline::console::idempotency::needs_key(route) {
                request.headers_mut().insert("idempotency-key", format!("key-{sent}").parse().unwrap());
            }
            if let BodySchema::File(example) = route.body {
                request
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, "application/octet-stream".parse().unwrap());
                *request.body_mut() = Body::from(example);
            }
            let answer = app.send(request).await;
            sent += 1;
            if !answer.status.is_success() {
                refused.push(format!("{} {path} {body:?}: {}", route.method, answer.code()));
            }
        }
    }
    // The first account is there, no folder of campaigns, no device to check, no inbound call, an agent forces nobody, the agent and
    // the entry of the blacklist are removed before; `/leads` is asked by number or by row, and the examples are not in the list.
    let expected = [
        "post /setup ",
        // It has calls.
        "delete /campaigns/spring None: in_use",
        "device-check",
        "/calls/in/",
        "/campaigns/spring/leads",
        ": not_allowed",
        "delete /agents/8001/groups",
        "delete /blacklist/1",
        " /local/",
        // The list is not checked and the sound not measured yet; nothing waits for an approval.
        "patch /lists/1",
        "/lists/1/r",
        "/lists/1/fix",
        "post /lists/1/actions",
        "get /audio/1/",
        "/approvals/1/",
        // The campaign names no list, and its lead is done.
        "/campaigns/spring/forecasts",
        "post /leads/1/actions",
        // No export is whole within a request, no blacklist was sent before, and the trunk has no row.
        "get /exports/1/",
        "post /blacklist/imports None: unfit",
        "post /blacklist/imports?",
        "/blacklist/imports/1",
        "post /blacklist/sources/removals",
        "/trunks/main",
        // The manager is in no group.
        "post /me/leads/fetch",
        // It counts no vote.
        "get /campaigns/spring/vote",
        // Sent once without its name.
        "/campaigns/spring/lists None: unfit",
        "post /audio None: unfit",
        // The campaign is made by the first of them; the names are those of folders.
        "post /campaigns?name=",
        "post /campaigns?title=",
    ];
    refused.retain(|line| !expected.iter().any(|known| line.contains(known)));
    assert!(refused.is_empty(), "of {sent}:\n{}", refused.join("\n"));
    assert!(sent > 80, "{sent} examples");
}

/// Every text in a schema, by its path, that says how long it may be in no way.
fn unbounded(schema: &Value, at: &str, found: &mut Vec<String>) {
    let is_text =
        |kind: &Value| kind == "string" || kind.as_array().is_some_and(|all| all.contains(&json!("string")));
    if is_text(&schema["type"]) {
        let pattern = schema["pattern"].as_str();
        // A pattern without a repeat that has no end bounds the length itself.
        let is_pattern_bounded =
            pattern.is_some_and(|it| !it.contains('*') && !it.contains('+') && !it.contains(",}"));
        let reasons = ["maxLength", "enum", "const", "format"];
        if !is_pattern_bounded && !reasons.iter().any(|reason| schema.get(reason).is_some()) {
            found.push(at.to_owned());
        }
    }
    match schema {
        Value::Object(fields) => {
            let inner =
                fields.iter().filter(|(key, _)| !matches!(key.as_str(), "enum" | "const" | "examples"));
            inner.for_each(|(key, inner)| unbounded(inner, &format!("{at}/{key}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, inner)| unbounded(inner, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}

/// The schemas that the body of a request is made of, with those that they refer to.
fn body_schemas() -> BTreeMap<String, Value> {
    let names = |schema: &Value| -> Vec<String> {
        let text = schema.to_string();
        let parts = text.split("#/components/schemas/").skip(1);
        parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
    };
    let mut wanted: Vec<String> = Vec::new();
    for path in document().json["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            wanted.extend(names(&operation["requestBody"]));
        }
    }
    let mut all = BTreeMap::new();
    while let Some(name) = wanted.pop() {
        let schema = &document().json["components"]["schemas"][&name];
        if all.insert(name, schema.clone()).is_none() {
            wanted.extend(names(schema));
        }
    }
    all
}

#[test]
fn every_text_of_a_request_states_its_length() {
    let mut found = Vec::new();
    let schemas = body_schemas();
    assert!(schemas.len() > 30, "{} schemas", schemas.len());
    for (name, schema) in &schemas {
        unbounded(schema, name, &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Pointers to the texts of a body.
fn texts(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, it)| texts(it, &format!("{at}/{n}"), found))
        }
        Value::Object(fields) => fields.iter().for_each(|(key, it)| texts(it, &format!("{at}/{key}"), found)),
        _ => {}
    }
}

/// A control character and an endless text are refused in every field of every request, by its name.
#[tokio::test]
async fn a_text_that_does_not_fit_is_refused_by_the_name_of_its_field() {
    let app = TestApp::new().await;
    app.staff().await;
    let operator = app.state.local_service_token().to_owned();
    let mut sent = 0;
    for route in ROUTES.iter() {
        let path = format!("{ROOT}{}", route.path);
        let body =
            &document().json["paths"][&path][route.method]["requestBody"]["content"]["application/json"];
        for example in examples(body) {
            let mut fields = Vec::new();
            texts(example, "", &mut fields);
            for (field, unfit) in
                fields.iter().flat_map(|it| [(it, "a\u{0}b".to_owned()), (it, "x".repeat(65_537 - 4_000))])
            {
                // A text of 64 KiB is what a campaign's text may be.
                if field == "/toml" && unfit.len() > 100 {
                    continue;
                }
                let mut body = example.clone();
                *body.pointer_mut(field).unwrap() = unfit.clone().into();
                let filled = route.path.replace("{number}", "8001").replace("{name}", "spring");
                let filled: String = filled.replace("{slug}", "main").replace("{group}", "vote");
                let filled = filled.replace("{id}", "1").replace("{lead}", "1");
                // A program has no seat and approves nothing.
                let of_person = ["/me", "/sign-in", "/approvals"];
                let is_own = of_person.iter().any(|start| route.path.starts_with(start));
                let mut request = match is_own {
                    true => app.request("8005", route.method, &filled, Some(body)).await,
                    false => bare(route.method, &filled, Some(body)),
                };
                if !is_own {
                    let token = format!("Bearer {operator}");
                    request.headers_mut().insert(header::AUTHORIZATION, token.parse().unwrap());
                    let here = paceline::console::source::Peer("127.0.0.1:4711".parse().unwrap());
                    request.extensions_mut().insert(here);
                }
                request.headers_mut().insert("idempotency-key", format!("k{sent}").parse().unwrap());
                app.clock.advance(1_000);
                let answer = app.send(request).await;
                let what = format!("{} {} {field}: {}", route.method, route.path, answer.status);
                assert_eq!(answer.status, 422, "{what}");
                assert_eq!(answer.json()["errors"][0]["at"], *field, "{what}");
                sent += 1;
            }
        }
    }
    assert!(sent > 150, "{sent} texts");
}
