//! Shapes of the answers about trunks.

use super::answers::{LineRest, Moment, Words, answers, by_hand};
use crate::config::TrunkConfig;
use crate::store::trunks::TrunkSource;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;
use std::borrow::Cow;

/// States of a trunk.
pub(super) const STATES: [&str; 5] = ["up", "down", "registering", "resting", "disabled"];

by_hand! {
    TrunkStateWord = json!({ "type": "string", "enum": STATES });
    TrunkSourceWord = json!({ "type": "string", "enum": TrunkSource::WORDS });
}

/// The settings of `[trunks.NAME]`; `password` is always empty.
pub struct TrunkSettings;

impl JsonSchema for TrunkSettings {
    fn schema_name() -> Cow<'static, str> {
        "TrunkSettings".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        TrunkConfig::json_schema(generator)
    }
}

answers! {
    CodeCount {
        /// SIP code of the end; answered calls count as 200.
        code: u16,
        calls: u64,
        words: Words,
    }
    TrunkView {
        name: String,
        up: bool,
        state: TrunkStateWord,
        calls: u64,
        calls_max: u64,
        calls_per_sec: f64,
        /// Why it is not in use, and what to do.
        words: Option<Words>,
        /// The line guard's rest.
        line: Option<LineRest>,
        /// When it is tried or used again.
        until: Option<Moment>,
        /// Since when its guard lets it rest, and the attempts that count no more against their leads.
        rests_since: Option<Moment>,
        put_back: u32,
        /// From the last OPTIONS to its answer.
        options_ms: Option<u64>,
        /// The most frequent first.
        codes_today: Vec<CodeCount>,
    }
    TrunkPlace {
        /// The file, or the environment variable.
        file: String,
        line: Option<u64>,
    }
    TrunkItem {
        name: String,
        id: u32,
        source: TrunkSourceWord,
        /// Where its settings stand, if they cannot be changed here.
        set_in: Option<TrunkPlace>,
        enabled: bool,
        has_password: bool,
        settings: TrunkSettings,
        /// Open campaigns that name it, and those that use every trunk.
        campaigns: Vec<String>,
        /// `null` = it is not in the engine: its settings could not be applied.
        live: Option<TrunkView>,
        version: i64,
        etag: String,
    }
    TrunkActed {
        /// Of a test call.
        attempt: Option<i64>,
    }
    Trunks {
        items: Vec<TrunkItem>,
    }
}
