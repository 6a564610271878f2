//! Shapes of the answers about one call; a part of [`answers`](super::answers).

use super::answers::{Direction, Moment, Share, Words, answers, by_hand};
use crate::text::NoRecording;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;
use std::borrow::Cow;

by_hand! {
    CallMomentKind = json!({ "type": "string", "enum":
        ["written", "arrived", "left", "ringing", "answered", "connected", "key", "ended", "summary"] });
    CallLegKind = json!({ "type": "string", "enum": ["agent", "consulted"] });
    CallMarkKind = json!({ "type": "string", "enum": ["hold", "key"] });
    NoRecordingWord = json!({ "type": "string", "enum": NoRecording::WORDS });
}

answers! {
    CallMoment {
        at: Moment,
        kind: CallMomentKind,
        agent: Option<String>,
        agent_name: Option<String>,
        /// Of `left` the trunk, of `key` the key, of `ended` who ended it, of `summary` the disposition.
        detail: Option<String>,
    }
    CallLeg {
        kind: CallLegKind,
        agent: Option<String>,
        agent_name: Option<String>,
        number: Option<String>,
        began_at: Option<Moment>,
        answered_at: Option<Moment>,
        connected_at: Option<Moment>,
        ended_at: Option<Moment>,
        ended_by: Option<String>,
        cause_words: Words,
    }
    /// What an agent's seat did in the call, and until when.
    CallParty {
        agent: String,
        agent_name: String,
        activity: String,
        at: Moment,
        until: Option<Moment>,
    }
    CallSummary {
        agent: Option<String>,
        agent_name: Option<String>,
        disposition: String,
        note: String,
        callback_at: Option<Moment>,
        /// The wrap-up timed out, and the campaign's default was written.
        defaulted: bool,
        at: Moment,
        /// From the beginning of the wrap-up; empty where the seat log does not have it.
        wrap_millis: Option<i64>,
    }
    CallCorrection {
        agent: Option<String>,
        at: Moment,
        field: String,
        was: Option<String>,
        now: String,
    }
    /// In milliseconds of the recording's part.
    CallMark { kind: CallMarkKind, at_ms: i64, until_ms: Option<i64>, key: Option<String>, }
    CallRecording {
        part: u32,
        /// Paths of the sound and of its peaks.
        source: String,
        peaks: String,
        millis: i64,
        began_at: Moment,
        /// A crash cut it off; it was repaired as far as it was written.
        recovered: bool,
        lost_frames: i64,
        marks: Vec<CallMark>,
    }
    NoRecordingView { code: NoRecordingWord, words: Words, }
    /// An agent of the call's group who was signed in at the answer.
    AgentAtAnswer {
        agent: String,
        agent_name: String,
        availability: String,
        activity: String,
        /// Of a pause.
        reason: Option<String>,
        since: Moment,
        is_free: bool,
        /// When a call could be taken next; empty = not within ten minutes.
        free_at: Option<Moment>,
    }
    CallDetail {
        id: i64,
        direction: Direction,
        campaign: Option<String>,
        lead: Option<i64>,
        name: Option<String>,
        number: Option<String>,
        /// Which attempt of its lead it was, and how many there were until now.
        ordinal: Option<i64>,
        lead_attempts: Option<i64>,
        trunk: Option<String>,
        caller_id: Option<String>,
        at: Moment,
        ringing_at: Option<Moment>,
        answered_at: Option<Moment>,
        connected_at: Option<Moment>,
        /// Empty while the call is live.
        ended_at: Option<Moment>,
        outcome: Option<String>,
        sip_code: Option<i64>,
        ended_by: Option<String>,
        cause: String,
        cause_words: Words,
        keys: String,
        result: Option<String>,
        agent: Option<String>,
        agent_name: Option<String>,
        disposition: Option<String>,
        note: Option<String>,
        /// In order of time.
        timeline: Vec<CallMoment>,
        legs: Vec<CallLeg>,
        parties: Vec<CallParty>,
        summaries: Vec<CallSummary>,
        corrections: Vec<CallCorrection>,
        recordings: Vec<CallRecording>,
        /// Why there is nothing to hear; empty where there is.
        no_recording: Option<NoRecordingView>,
        agents_at_answer: Vec<AgentAtAnswer>,
    }
    /// The loudest sample of each part: of the callee, and of what the callee was sent.
    CallPeaks { millis: u64, lanes: Vec<Vec<Share>>, }
    StoryBegun { task: i64, }
}
