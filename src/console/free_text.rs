//! Texts in the bodies of requests: one rule for all of them, asked before a handler sees the body. A text has a length
//! bound, its schema's own or [`TEXT_MAX`], and no control characters; the refusal names the field and the place.

use super::action_schema;
use super::problem::Problem;
use super::route::{BodySchema, Route};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Characters of a text whose schema states no other bound.
pub(super) const TEXT_MAX: u64 = 1_000;

/// Fields that hold lines: breaks and tabs are no fault there.
const LINES: &[&str] = &["toml", "note"];

/// States the bound in every text of a schema that has none of its own.
pub(super) fn state_bounds(schema: &mut Value) {
    let is_bare = is_text(schema)
        && !["maxLength", "enum", "const", "format"].iter().any(|key| schema.get(key).is_some());
    if is_bare {
        schema["maxLength"] = TEXT_MAX.into();
    }
    match schema {
        Value::Object(fields) => {
            let inner =
                fields.iter_mut().filter(|(key, _)| !matches!(key.as_str(), "enum" | "const" | "examples"));
            inner.for_each(|(_, inner)| state_bounds(inner));
        }
        Value::Array(items) => items.iter_mut().for_each(state_bounds),
        _ => {}
    }
}

fn is_text(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(word)) => word == "string",
        Some(Value::Array(words)) => words.iter().any(|word| word == "string"),
        _ => false,
    }
}

/// Checks every text of a body. What is no JSON is refused by the parser, with its place.
///
/// # Errors
/// 422 with a JSON pointer to the first text that does not fit.
pub(super) fn check(route: Option<&'static Route>, bytes: &[u8]) -> Result<(), Problem> {
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else { return Ok(()) };
    let schema = route.map(schema_of);
    let texts = Texts { root: schema.as_deref() };
    texts.check(&body, &texts.root.into_iter().collect::<Vec<_>>(), &mut String::new(), false)
}

/// The schema of a route's body, made once.
fn schema_of(route: &'static Route) -> Arc<Value> {
    static MADE: Mutex<BTreeMap<(&str, &str), Arc<Value>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || {
        let mut schema = match route.body {
            BodySchema::Json(_, schema, _) | BodySchema::JsonOrFile(_, schema, ..) => schema().to_value(),
            BodySchema::AgentAction => action_schema::schema(),
            BodySchema::Empty | BodySchema::File(_) => Value::Null,
        };
        state_bounds(&mut schema);
        Arc::new(schema)
    };
    made.entry((route.method, route.path)).or_insert_with(make).clone()
}

struct Texts<'a> {
    root: Option<&'a Value>,
}

impl<'a> Texts<'a> {
    /// `schemas` = all that may describe the value: the members of a choice, too.
    fn check(
        &self,
        value: &Value,
        schemas: &[&'a Value],
        at: &mut String,
        takes_lines: bool,
    ) -> Result<(), Problem> {
        let end = at.len();
        match value {
            Value::String(text) => {
                let bound = schemas.iter().filter_map(|schema| schema.get("maxLength")?.as_u64()).max();
                check_text(text, bound.unwrap_or(TEXT_MAX), at, takes_lines)?;
            }
            Value::Array(items) => {
                let inner: Vec<&Value> = schemas.iter().filter_map(|schema| schema.get("items")).collect();
                let inner = self.members(&inner);
                for (place, item) in items.iter().enumerate() {
                    at.push_str(&format!("/{place}"));
                    self.check(item, &inner, at, takes_lines)?;
                    at.truncate(end);
                }
            }
            Value::Object(fields) => {
                let schemas = self.members(schemas);
                for (key, field) in fields {
                    check_text(key, TEXT_MAX, at, false)?;
                    let inner: Vec<&Value> = schemas
                        .iter()
                        .filter_map(|schema| {
                            let named = schema.get("properties").and_then(|named| named.get(key));
                            named.or_else(|| schema.get("additionalProperties"))
                        })
                        .collect();
                    at.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1")));
                    self.check(field, &self.members(&inner), at, LINES.contains(&key.as_str()))?;
                    at.truncate(end);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Ok(())
    }

    /// The schemas with what they refer to and choose from.
    fn members(&self, schemas: &[&'a Value]) -> Vec<&'a Value> {
        let mut all: Vec<&Value> = schemas.to_vec();
        let mut next = 0;
        while let Some(schema) = all.get(next).copied() {
            next += 1;
            let referred = schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|name| self.root?.pointer(name.strip_prefix('#')?));
            let choices = ["anyOf", "oneOf", "allOf"].iter().filter_map(|word| schema.get(word)?.as_array());
            for found in referred.into_iter().chain(choices.flatten()) {
                // A schema may refer to itself.
                if !all.iter().any(|known| std::ptr::eq(*known, found)) {
                    all.push(found);
                }
            }
        }
        all
    }
}

fn check_text(text: &str, bound: u64, at: &str, takes_lines: bool) -> Result<(), Problem> {
    let unfit = |letter: char| letter.is_control() && !(takes_lines && matches!(letter, '\n' | '\r' | '\t'));
    if let Some((place, letter)) = text.chars().enumerate().find(|(_, letter)| unfit(*letter)) {
        let (place, code) = (place + 1, u32::from(letter));
        let en = format!("character {place} is a control character (U+{code:04X}): take it out");
        let zh = format!("第 {place} 个字符是控制字符(U+{code:04X}),请去掉");
        return Err(Problem::of_field(at, &en, &zh));
    }
    let length = text.chars().count() as u64;
    if length > bound {
        let en = format!("at most {bound} characters, and {length} were sent");
        let zh = format!("最多 {bound} 个字,收到了 {length} 个");
        return Err(Problem::of_field(at, &en, &zh));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_has_the_bound_of_its_schema_and_of_a_choice_the_widest() {
        let mut schema = json!({
            "properties": {
                "name": { "type": "string", "maxLength": 4 },
                "title": { "type": ["string", "null"] },
                "groups": { "items": { "$ref": "#/$defs/Group" } },
            },
            "$defs": { "Group": { "anyOf": [
                { "type": "string", "maxLength": 2 },
                { "properties": { "group": { "type": "string", "maxLength": 3 } } },
            ] } },
        });
        state_bounds(&mut schema);
        assert_eq!(schema["properties"]["title"]["maxLength"], TEXT_MAX);
        let texts = Texts { root: Some(&schema) };
        let fault = |body: Value| {
            let checked = texts.check(&body, &[&schema], &mut String::new(), false);
            checked.err().map(|problem| problem.document()["errors"][0]["at"].as_str().unwrap().to_owned())
        };
        let long = "x".repeat(TEXT_MAX as usize + 1);
        for (body, at) in [
            (json!({ "name": "四个汉字", "groups": ["ab", { "group": "abc" }], "title": null }), None),
            (json!({ "name": "five!" }), Some("/name")),
            (json!({ "title": long }), Some("/title")),
            (json!({ "groups": ["ab", "abc"] }), Some("/groups/1")),
            (json!({ "groups": [{ "group": "abcd" }] }), Some("/groups/0/group")),
            (json!({ "other": { "a/b": "x\u{0}" } }), Some("/other/a~1b")),
            (json!({ "note": "a\nb\tc" }), None),
            (json!({ "title": "a\nb" }), Some("/title")),
            (json!({ "k\u{1f}": 1 }), Some("")),
        ] {
            assert_eq!(fault(body.clone()).as_deref(), at, "{body}");
        }
    }
}
