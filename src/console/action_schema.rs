//! Schema and example of every agent's action, for the OpenAPI document.

use super::actions::ACTIONS;
use super::parameters::TELEPHONE;
use serde_json::{Map, Value, json};

/// Text of a pause's reason and of a note, as the handlers bound them.
const REASON_MAX: usize = 200;
const NOTE_MAX: usize = 4_000;

/// One schema for each action of [`ACTIONS`].
pub(super) fn schema() -> Value {
    let actions: Vec<Value> = ACTIONS
        .iter()
        .map(|(word, words)| {
            let (mut properties, required) = fields(word);
            properties["action"] = json!({ "const": word });
            let required: Vec<&str> = ["action"].into_iter().chain(required.iter().copied()).collect();
            json!({
                "type": "object",
                "required": required,
                "properties": properties,
                "additionalProperties": false,
                "description": if words.is_empty() { "No other fields" } else { *words },
            })
        })
        .collect();
    json!({
        "description": "What an agent does. Agents, groups and campaigns are named as people name them.",
        "oneOf": actions,
    })
}

/// An example of every action, by its word.
pub fn examples() -> Map<String, Value> {
    let example = |word: &str| {
        let mut fields = match word {
            "sign_in" => json!({ "groups": ["vote"], "endpoint": "phone", "holding": "nailed_up" }),
            "change_endpoint" => json!({ "endpoint": { "telephone": "13800138000" } }),
            "pause" => json!({ "reason": "lunch" }),
            "call" => json!({ "campaign": "spring", "number": "13800138000" }),
            "call_lead" => json!({ "campaign": "spring", "lead": 1 }),
            "send_digits" => json!({ "keys": "12#" }),
            "consult" => json!({ "target": { "agent": "8001" } }),
            "mute" | "record" => json!({ "on": true }),
            "summarise" => json!({
                "disposition": "voted",
                "note": "votes by post",
                "callback": { "at": "2036-01-31T09:30:00+08:00", "own": true },
            }),
            "supervise" => json!({ "agent": "8001", "how": "listen" }),
            "force" => json!({ "agent": "8001", "what": { "pause": { "reason": "briefing" } } }),
            _ => json!({}),
        };
        fields["action"] = word.into();
        fields
    };
    ACTIONS.iter().map(|(word, _)| ((*word).to_owned(), json!({ "value": example(word) }))).collect()
}

/// The fields of an action with their schemas, and those that must be there.
fn fields(action: &str) -> (Value, &'static [&'static str]) {
    let text = |max: usize| json!({ "type": "string", "minLength": 1, "maxLength": max });
    let name = || text(64);
    let agent = || json!({ "type": "string", "pattern": "^[0-9]{2,8}$" });
    let telephone = || json!({ "type": "string", "pattern": TELEPHONE });
    let one_of = |words: &[&str]| json!({ "type": "string", "enum": words });
    let object = |field: &str, schema: Value| {
        let properties = json!({ field: schema });
        json!({
            "type": "object", "required": [field], "properties": properties, "additionalProperties": false,
        })
    };
    let flag = || json!({ "type": "boolean" });
    let endpoint = || json!({ "oneOf": [one_of(&["phone", "telephone"]), object("telephone", telephone())] });
    let holding = || one_of(&["nailed_up", "per_call"]);
    match action {
        "sign_in" => (
            json!({
                "groups": { "type": "array", "items": name(), "maxItems": 64 },
                "endpoint": endpoint(),
                "holding": holding(),
                "work_mode": one_of(&["inbound", "outbound", "both"]),
            }),
            &[],
        ),
        "change_endpoint" => (json!({ "endpoint": endpoint(), "holding": holding() }), &["endpoint"]),
        "pause" => (json!({ "reason": { "type": "string", "maxLength": REASON_MAX } }), &["reason"]),
        "call" => (json!({ "campaign": name(), "number": telephone() }), &["campaign", "number"]),
        "call_lead" => (
            json!({ "campaign": name(), "lead": { "type": "integer", "minimum": 1, "maximum": (1_i64 << 53) - 1 } }),
            &["campaign", "lead"],
        ),
        "hang_up" => (json!({ "leg": { "type": "string", "pattern": "^[0-9]{1,18}$" } }), &[]),
        "mute" | "record" => (json!({ "on": flag() }), &["on"]),
        "send_digits" => (json!({ "keys": { "type": "string", "pattern": "^[0-9*#]{1,64}$" } }), &["keys"]),
        "consult" => {
            let targets = [object("agent", agent()), object("group", name()), object("number", telephone())];
            (json!({ "target": { "oneOf": targets } }), &["target"])
        }
        "summarise" => (
            json!({
                "disposition": name(),
                "note": { "type": "string", "maxLength": NOTE_MAX },
                "callback": {
                    "type": ["object", "null"],
                    "required": ["at"],
                    "properties": {
                        "at": { "type": "string", "format": "date-time" },
                        "own": flag(),
                        "skill": { "type": ["string", "null"], "maxLength": 64 },
                    },
                    "additionalProperties": false,
                },
            }),
            &["disposition"],
        ),
        "supervise" => (
            json!({ "agent": agent(), "how": one_of(&["listen", "whisper", "barge", "take_over"]) }),
            &["agent", "how"],
        ),
        "force" => {
            let reason = json!({ "type": "string", "maxLength": REASON_MAX });
            let what = [one_of(&["release", "ready", "sign_out"]), object("pause", object("reason", reason))];
            (json!({ "agent": agent(), "what": { "oneOf": what } }), &["agent", "what"])
        }
        _ => (json!({}), &[]),
    }
}
