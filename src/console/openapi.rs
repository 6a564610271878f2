//! The OpenAPI document, generated from the table of routes: parameters and bodies with their bounds and
//! examples, and the answer of every status.

use super::action_schema;
use super::answers::{self, ProblemDocument};
use super::free_text;
use super::idempotency;
use super::rights::Right;
use super::route::{Answer, BodySchema, ROOT, Route};
use super::versions;
use serde_json::{Map, Value, json};

/// The given routes in OpenAPI 3.1.
pub fn document(routes: &[Route]) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for route in routes {
        let path = paths.entry(format!("{ROOT}{}", route.path)).or_insert_with(|| json!({}));
        path[route.method] = operation(route, &mut schemas);
    }
    schemas.insert("AgentAction".into(), action_schema::schema());
    add_schema("Problem", answers::schema::<ProblemDocument>().to_value(), &mut schemas);
    state_bounds(&paths, &mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Paceline",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "People sign in and get a session cookie; programs send a bearer token. Refusals are \
                            problem documents (RFC 9457). Unknown fields and query parameters are refused.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "cookie": { "type": "apiKey", "in": "cookie", "name": super::auth::SESSION_COOKIE },
                "token": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

fn operation(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Vec<Value> = in_path
        .map(|name| path_parameter(route, name))
        .chain(route.query.iter().map(|parameter| {
            json!({
                "name": parameter.name,
                "in": "query",
                "required": false,
                "description": parameter.description,
                "schema": parameter.form.schema(),
                "example": parameter.form.example(parameter.example),
            })
        }))
        .chain(header_parameters(route))
        .collect();
    let mut responses = success(route, schemas);
    for (status, description) in problems(route) {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let content = json!({ "application/problem+json": { "schema": schema } });
        responses.insert(status.to_string(), json!({ "description": description, "content": content }));
    }
    let roles: Vec<&str> = route.right.roles().iter().map(|role| role.word()).collect();
    let is_public = route.right == Right::Public;
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses,
        "x-right": match route.right {
            Right::Public => "anybody",
            Right::ThisMachine => "this machine",
            Right::SignedIn | Right::Visible(_) => "signed in",
            Right::Action(action) => action.word(),
        },
        "x-roles": match route.right {
            Right::Public => vec!["anybody"],
            Right::ThisMachine => vec!["commands on the machine of the service, with its key file"],
            _ => roles,
        },
        "security": if is_public { json!([]) } else { json!([{ "cookie": [] }, { "token": [] }]) },
    });
    let content = match route.body {
        BodySchema::Empty => return operation,
        BodySchema::File(example) => {
            let file =
                json!({ "schema": { "type": "string", "contentEncoding": "binary" }, "example": example });
            let content = json!({ "application/octet-stream": file });
            operation["requestBody"] = json!({ "required": true, "content": content });
            return operation;
        }
        BodySchema::AgentAction => json!({
            "schema": { "$ref": "#/components/schemas/AgentAction" },
            "examples": action_schema::examples(),
        }),
        BodySchema::Json(name, schema, example) | BodySchema::JsonOrFile(name, schema, example, _) => {
            add_schema(name, schema().to_value(), schemas);
            json!({
                "schema": { "$ref": format!("#/components/schemas/{name}") },
                "example": serde_json::from_str::<Value>(example).unwrap_or_default(),
            })
        }
    };
    operation["requestBody"] = json!({ "required": true, "content": { "application/json": content } });
    if let BodySchema::JsonOrFile(.., media_type) = route.body {
        operation["requestBody"]["content"][media_type] =
            json!({ "schema": { "type": "string", "contentEncoding": "binary" }, "example": "PK" });
    }
    operation
}

/// Headers that a route asks for.
fn header_parameters(route: &Route) -> Vec<Value> {
    let header = |name: &str, required: bool, description: &str, example: &str| {
        json!({
            "name": name,
            "in": "header",
            "required": required,
            "description": description,
            "schema": { "type": "string", "minLength": 1, "maxLength": 64 },
            "example": example,
        })
    };
    let mut headers = Vec::new();
    if idempotency::takes_key(route) {
        let description = "A word of the sender's own: sent again with it, the request has its effect once";
        headers.push(header("Idempotency-Key", idempotency::needs_key(route), description, "b7c6d0"));
    }
    if versions::needs_version(route) {
        let description = "The ETag of the row that was read";
        headers.push(header("If-Match", true, description, "*"));
    }
    headers
}

/// Form and example of a parameter in the path.
fn path_parameter(route: &Route, name: &str) -> Value {
    let (schema, example) = match name {
        "number" => (json!({ "type": "string", "pattern": "^[0-9]{2,8}$" }), json!("8001")),
        "caller_id" => (json!({ "type": "string", "maxLength": 32 }), json!("075512345678")),
        "group" => (json!({ "type": "string", "minLength": 1, "maxLength": 64 }), json!("vote")),
        "name" => {
            let example = if route.path.starts_with("/trunks") { "main" } else { "spring" };
            (json!({ "type": "string", "minLength": 1, "maxLength": 128 }), json!(example))
        }
        "slug" => (json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,31}$" }), json!("main")),
        // The other parameters are row ids; the bound is the largest that JavaScript holds exactly.
        _ => (json!({ "type": "integer", "minimum": 1, "maximum": (1_i64 << 53) - 1 }), json!(1)),
    };
    let description = match name {
        "number" => "The agent's number",
        "caller_id" => "The number that calls show, as it is dialled at home",
        "group" => "The group's name",
        "name" if route.path.starts_with("/trunks") => "The trunk's name",
        "name" => "The campaign's name",
        "slug" => "The organisation's word",
        "attempt" => "The id of an outbound call",
        "call" => "The id of an inbound call",
        "lead" => "The lead's id",
        "n" => "The number of a version",
        _ if route.path.starts_with("/tokens") => "The token's id",
        _ if route.path.starts_with("/blacklist") => "The entry's id",
        _ if route.path.starts_with("/local/list-changes") => "The change, as its request was answered",
        _ if route.path.starts_with("/lists") => "The list's id",
        _ if route.path.starts_with("/audio") => "The sound's id",
        _ if route.path.starts_with("/approvals") => "The approval's id",
        _ if route.path.starts_with("/tasks") => "The task's id",
        _ => "The lead's id",
    };
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": description,
        "schema": schema,
        "example": example,
    })
}

/// The responses of a success.
fn success(route: &Route, schemas: &mut Map<String, Value>) -> Map<String, Value> {
    let sound = || json!({ "schema": { "type": "string", "contentEncoding": "binary" } });
    let content = match route.answer {
        Answer::Empty => Value::Null,
        Answer::Document => json!({ "application/json": { "schema": { "type": "object" } } }),
        Answer::Events => json!({ "text/event-stream": { "schema": { "type": "string" } } }),
        Answer::Sound => {
            json!({ "audio/wav": sound(), "audio/mpeg": sound(), "audio/ogg": sound(), "application/octet-stream": sound() })
        }
        Answer::File(types) => {
            types.iter().map(|name| ((*name).to_owned(), sound())).collect::<Map<_, _>>().into()
        }
        Answer::JsonOrFile(name, schema, types) => {
            add_schema(name, schema().to_value(), schemas);
            let mut content: Map<String, Value> =
                types.iter().map(|name| ((*name).to_owned(), sound())).collect();
            let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
            content.insert("application/json".into(), json!({ "schema": schema }));
            content.into()
        }
        Answer::Json(name, schema) | Answer::JsonOr((name, schema), _) => {
            add_schema(name, schema().to_value(), schemas);
            json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } })
        }
    };
    let mut done = json!({ "description": "Done" });
    if !content.is_null() {
        done["content"] = content;
    }
    let mut responses = Map::new();
    if let Answer::JsonOr(_, (status, name, schema)) = route.answer {
        add_schema(name, schema().to_value(), schemas);
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        let content = json!({ "application/json": { "schema": schema } });
        let description =
            if status == 202 { "It was begun: the task says how far it is" } else { "Nothing was done" };
        responses.insert(status.to_string(), json!({ "description": description, "content": content }));
    }
    if matches!(route.answer, Answer::Sound | Answer::File(_)) {
        let mut part = done.clone();
        part["description"] = "The part that `Range` asked for".into();
        responses.insert("206".into(), part);
    }
    responses.insert(route.status.to_string(), done);
    responses
}

/// Statuses of refusals, each with a problem document.
pub fn problems(route: &Route) -> Vec<(u16, &'static str)> {
    let has_body = !matches!(route.body, BodySchema::Empty);
    let is_public = route.right == Right::Public;
    let mut all = vec![
        (400, "The request cannot be parsed"),
        (408, "The request took too long"),
        (422, "A value or a parameter is not allowed"),
        (429, "Too many requests or guesses; `Retry-After` says when to try again"),
        (503, "The service cannot do this now"),
    ];
    if !is_public || has_body {
        all.push((401, "Not signed in, or the password or token is wrong"));
        all.push((403, "Not for this role, or sent by another page"));
    }
    if !is_public {
        all.push((404, "Not there, or not the caller's to see"));
    }
    if route.method != "get" {
        all.push((409, "This does not fit the present state"));
        all.push((412, "Somebody changed it meanwhile"));
        all.push((428, "`If-Match` is missing"));
    }
    if !is_public {
        all.push((423, "The screen is locked: the password must be typed again"));
    }
    if has_body {
        all.push((
            413,
            "The body is larger than this route takes: 64 KiB of JSON, a file as large as its kind may be",
        ));
        all.push((415, "The body is no JSON, or no file"));
    }
    if matches!(route.body, BodySchema::File(_) | BodySchema::JsonOrFile(..)) {
        all.push((507, "The disk has no room for files, or the enterprise keeps as many as it may"));
    }
    if matches!(route.answer, Answer::Sound | Answer::File(_)) {
        all.push((416, "That part is not there"));
    }
    all
}

/// `post /agents/{number}/actions` is `postAgentsNumberActions`.
fn operation_id(route: &Route) -> String {
    let words = route.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(route.method.to_owned(), |mut id, word| {
        id.push_str(&word[..1].to_uppercase());
        id.push_str(&word[1..]);
        id
    })
}

/// States the bound of each text in the schemas of bodies, those that answers have too included.
fn state_bounds(paths: &Map<String, Value>, schemas: &mut Map<String, Value>) {
    let operations = paths.values().filter_map(Value::as_object).flat_map(|path| path.values());
    let mut names: Vec<String> =
        operations.flat_map(|operation| references(&operation["requestBody"])).collect();
    let mut next = 0;
    while let Some(name) = names.get(next).cloned() {
        next += 1;
        let Some(schema) = schemas.get_mut(&name) else { continue };
        free_text::state_bounds(schema);
        let new = references(schema).into_iter().filter(|name| !names.contains(name));
        names.extend(new.collect::<Vec<_>>());
    }
}

/// The names of the components that a schema refers to.
fn references(schema: &Value) -> Vec<String> {
    let prefix = "#/components/schemas/";
    match schema {
        Value::String(text) => text.strip_prefix(prefix).map(str::to_owned).into_iter().collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(fields) => fields.values().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Adds a schema and its `$defs` to the components.
fn add_schema(name: &str, mut schema: Value, schemas: &mut Map<String, Value>) {
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        object.remove("title");
        if let Some(Value::Object(definitions)) = object.remove("$defs") {
            for (name, schema) in definitions {
                add_schema(&name, schema, schemas);
            }
        }
    }
    let text = schema.to_string().replace("#/$defs/", "#/components/schemas/");
    schemas.insert(name.to_owned(), serde_json::from_str(&text).unwrap_or(schema));
}
