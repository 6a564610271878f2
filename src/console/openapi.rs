//! The OpenAPI document, generated from the table of routes.

use super::actions::ACTIONS;
use super::auth::Access;
use super::route::{BodySchema, ROOT, Route};
use serde_json::{Map, Value, json};

/// The given routes in OpenAPI 3.1.
pub fn document(routes: &[Route]) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for route in routes {
        let path = paths.entry(format!("{ROOT}{}", route.path)).or_insert_with(|| json!({}));
        path[route.method] = operation(route, &mut schemas);
    }
    schemas.insert("AgentAction".into(), action_schema());
    schemas.insert("Problem".into(), problem_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Paceline",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "People sign in and get a session cookie; programs send a bearer token. Refusals are \
                            problem documents (RFC 9457).",
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
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .chain(route.query.iter().map(
            |name| json!({ "name": name, "in": "query", "required": false, "schema": { "type": "string" } }),
        ))
        .collect();
    let refused = json!({
        "description": "Refused, in words",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    let mut responses = Map::new();
    responses.insert(route.status.to_string(), json!({ "description": "Done" }));
    responses.insert("default".into(), refused);
    let roles: Vec<&str> = route.access.roles().iter().map(|role| role.word()).collect();
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses,
        "x-roles": if route.access == Access::Public { vec!["anybody"] } else { roles },
        "security": if route.access == Access::Public { json!([]) } else { json!([{ "cookie": [] }, { "token": [] }]) },
    });
    let body = match route.body {
        BodySchema::Empty => None,
        BodySchema::AgentAction => Some("AgentAction"),
        BodySchema::Json(name, schema) => {
            add_schema(name, schema().to_value(), schemas);
            Some(name)
        }
    };
    if let Some(name) = body {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    operation
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

/// Adds a schema and its `$defs` to the components.
fn add_schema(name: &str, mut schema: Value, schemas: &mut Map<String, Value>) {
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        if let Some(Value::Object(definitions)) = object.remove("$defs") {
            for (name, schema) in definitions {
                add_schema(&name, schema, schemas);
            }
        }
    }
    let text = schema.to_string().replace("#/$defs/", "#/components/schemas/");
    schemas.insert(name.to_owned(), serde_json::from_str(&text).unwrap_or(schema));
}

fn action_schema() -> Value {
    let actions: Vec<Value> = ACTIONS
        .iter()
        .map(|(word, fields)| {
            json!({
                "type": "object",
                "required": ["action"],
                "properties": { "action": { "const": word } },
                "description": if fields.is_empty() { "No other fields" } else { *fields },
            })
        })
        .collect();
    json!({
        "description": "What an agent does. Agents, groups and campaigns are named as people name them.",
        "oneOf": actions,
    })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "code": { "type": "string", "description": "One word a program can act on" },
        },
    })
}
