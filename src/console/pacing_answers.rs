//! Shapes of the answers about a campaign's pacing: minutes, decisions, forecasts.

use super::answers::{Moment, Share, Words, answers, by_hand};
use paceline_core::pacing::Why;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

by_hand! {
    WhyWord = json!({ "type": "string", "enum": Why::WORDS });
    /// What held dialling down, coarsely.
    LimitWord = json!({ "type": "string", "enum": Why::LIMITS });
}

answers! {
    MinuteView {
        /// Begin of the step.
        at: Moment,
        placed: u64,
        answered: u64,
        /// Conversations at once, as the mean over the step.
        talking: f64,
        /// Of the abandon rule that brakes, at the end of the step.
        abandoned: f64,
        divisor: f64,
        /// Upper bound of the rate; `null` = a campaign without agents.
        upper: Option<f64>,
        /// Agents at work by what they did at the end of the step.
        agents: BTreeMap<String, u32>,
        /// Seconds by what held dialling down.
        limits: BTreeMap<String, f64>,
    }
    Series { step_secs: u64, items: Vec<MinuteView>, }

    DecisionView {
        id: u64,
        at: Moment,
        /// Calls placed by it.
        place: u32,
        why: WhyWord,
        limit: LimitWord,
        words: Words,
        /// Every number from which it was made.
        view: BTreeMap<String, Value>,
    }
    Decisions {
        items: Vec<DecisionView>,
        /// From this moment on none is missing.
        kept_since: Moment,
        /// `before` of the next page.
        next: Option<u64>,
    }

    ForecastBegun { task: i64, }
    /// What `GET /tasks/{id}` shows as the result of a forecast.
    ForecastResult {
        leads: u64,
        agents: u32,
        answer_rate: Share,
        talk_secs: f64,
        wrap_secs: f64,
        ring_secs: f64,
        abandon_rate_max: f64,
        forecasts: Vec<Value>,
    }
}
