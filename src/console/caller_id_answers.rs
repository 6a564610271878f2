//! Shapes of the answers about caller IDs.

use super::answers::{Moment, Words, answers, by_hand};
use super::caller_id_approvals::ApprovalStanding;
use super::caller_id_proofs::MEDIA_TYPES;
use crate::text::CallerIdVerdict;
use paceline_core::caller_id_life::{CallerIdAct, CallerIdState};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;
use std::borrow::Cow;

/// Why a number's state changed, beside the acts of people.
const OF_SERVICE: [&str; 9] = [
    "warmed_up",
    "rest_over",
    "answered_less",
    "refused_more",
    "recovered",
    "marked_again",
    "approved",
    "refused",
    "kept",
];

by_hand! {
    CallerIdStateWord = json!({ "type": "string", "enum": CallerIdState::ALL.map(CallerIdState::word) });
    CallerIdActWord = json!({ "type": "string", "enum": CallerIdAct::ALL.map(CallerIdAct::word) });
    CallerIdVerdictWord = json!({ "type": "string", "enum": CallerIdVerdict::WORDS });
    CallerIdCapWord = json!({ "type": "string", "enum": ["own", "warm_up", "campaign"] });
    CallerIdApprovalWord = json!({ "type": "string", "enum": ApprovalStanding::WORDS });
    CallerIdProofWord = json!({ "type": "string", "enum": MEDIA_TYPES });
    CallerIdWhyWord = json!({
        "type": "string",
        "enum": CallerIdAct::ALL.map(CallerIdAct::word).into_iter().chain(OF_SERVICE).collect::<Vec<_>>(),
    });
}

answers! {
    CallerIdDay {
        calls: u64,
        answered: u64,
        /// Refused for the caller's sake: SIP 403, 603, 607, 608 without ringing, or blocked by the carrier.
        refused: u64,
        code_403: u64,
        /// Ended without ringing within two seconds.
        fast_fail: u64,
        /// Calls that have a control, and their answers.
        compared: u64,
        compared_answered: u64,
        /// Answers that those calls would have as the control's calls do.
        expected: f64,
        control_calls: u64,
    }
    CallerIdHealthDay {
        day: Moment,
        calls: u64,
        answered: u64,
        refused: u64,
        code_403: u64,
        fast_fail: u64,
        compared: u64,
        compared_answered: u64,
        expected: f64,
        control_calls: u64,
    }
    /// The paper that shows who holds it.
    CallerIdProof {
        media_type: CallerIdProofWord,
        bytes: u64,
        at: Moment,
        /// The number of the account.
        by: Option<String>,
    }
    CallerIdView {
        number: String,
        holder: String,
        /// The last four characters of the holder's identity number.
        holder_id_end: String,
        region: String,
        carrier: String,
        note: String,
        state: CallerIdStateWord,
        state_since: Moment,
        rest_until: Option<Moment>,
        /// A flag was raised and not cleared.
        suspected: bool,
        /// 1 to 7.
        warm_up_day: Option<u64>,
        /// The number of the agent whose calls alone show it.
        bound_agent: Option<String>,
        /// 0 = as its campaigns say.
        per_hour_max: u32,
        per_day_max: u32,
        /// 0 = never.
        idle_days: u32,
        /// When the carrier takes it back unless a call shows it before.
        idle_at: Option<Moment>,
        /// A call showed it before anybody entered it.
        found: bool,
        first_used_at: Option<Moment>,
        last_used_at: Option<Moment>,
        /// The enterprise's calls since midnight, and of the last 24 hours.
        today: u64,
        last_day: u64,
        /// How many calls of 24 hours may show it now; `null` = as many as wanted.
        cap: Option<u32>,
        /// Its own cap, its warm-up, or the campaign that lets it be shown most often.
        cap_by: Option<CallerIdCapWord>,
        approval: CallerIdApprovalWord,
        /// The approval that is asked for.
        approval_id: Option<i64>,
        proof: Option<CallerIdProof>,
        /// Seven days, oldest first; the last is today as far as its hours are judged.
        days: Vec<CallerIdDay>,
        verdict: CallerIdVerdictWord,
        words: Words,
        /// Campaigns whose texts name it.
        campaigns: Vec<String>,
        /// What is possible now.
        actions: Vec<CallerIdActWord>,
        version: i64,
        etag: String,
    }
    CallerIds {
        items: Vec<CallerIdView>,
        /// Calls up to then are judged.
        judged_until: Option<Moment>,
    }
    CallerIdLogEntry {
        at: Moment,
        was: CallerIdStateWord,
        now: CallerIdStateWord,
        why: CallerIdWhyWord,
        note: String,
        /// The number of the account; `null` = the service.
        by: Option<String>,
    }
    CallerIdDetail {
        number: String,
        holder: String,
        holder_id_end: String,
        region: String,
        carrier: String,
        note: String,
        state: CallerIdStateWord,
        state_since: Moment,
        rest_until: Option<Moment>,
        suspected: bool,
        warm_up_day: Option<u64>,
        bound_agent: Option<String>,
        per_hour_max: u32,
        per_day_max: u32,
        idle_days: u32,
        idle_at: Option<Moment>,
        found: bool,
        first_used_at: Option<Moment>,
        last_used_at: Option<Moment>,
        today: u64,
        last_day: u64,
        cap: Option<u32>,
        cap_by: Option<CallerIdCapWord>,
        approval: CallerIdApprovalWord,
        approval_id: Option<i64>,
        proof: Option<CallerIdProof>,
        days: Vec<CallerIdDay>,
        verdict: CallerIdVerdictWord,
        words: Words,
        campaigns: Vec<String>,
        actions: Vec<CallerIdActWord>,
        version: i64,
        etag: String,
        /// Newest first, at most 100.
        log: Vec<CallerIdLogEntry>,
    }
    CallerIdHealth {
        /// Oldest first.
        days: Vec<CallerIdHealthDay>,
        verdict: CallerIdVerdictWord,
        words: Words,
    }
}
