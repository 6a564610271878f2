//! Shapes of the answers about campaigns as rows.

use super::answers::{CampaignFigures, Moment, Share, Words, Workplace, answers, by_hand};
use crate::config::CampaignFile;
use crate::config::campaign::diff::DiffKind;
use crate::store::campaign_rows::{CampaignState, DesiredState};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;
use std::borrow::Cow;

by_hand! {
    CampaignStateWord = json!({ "type": "string", "enum": CampaignState::WORDS });
    DesiredStateWord = json!({ "type": "string", "enum": DesiredState::WORDS });
    TextSource = json!({ "type": "string", "enum": ["file", "api"] });
    WaitingKind = json!({ "type": "string", "enum": ["list", "audio", "caller_id"] });
    FaultLevel = json!({ "type": "string", "enum": ["error", "warning"] });
    DiffWord = json!({ "type": "string", "enum": DiffKind::WORDS });
    EffectWord = json!({ "type": "string", "enum": ["now", "next_start", "after_approval"] });
    ChecklistCode = json!({ "type": "string", "enum": super::checklist::CODES });
    ChecklistLevel = json!({ "type": "string", "enum": ["stop", "advice"] });
}

answers! {
    /// Bytes that wait for an approval, and who may decide.
    WaitingFor { kind: WaitingKind, id: i64, title: String, href: String, who: Words, }
    CampaignRow {
        name: String,
        title: String,
        mode: String,
        state: CampaignStateWord,
        waiting_for: Vec<WaitingFor>,
        /// Why it could not be opened.
        trouble: Option<Words>,
        group: Option<String>,
        leads: u64,
        leads_open: u64,
        /// Answered share of the calls so far.
        answer_rate: Option<Share>,
        /// Of an open campaign with agents.
        abandon_rate: Option<f64>,
        placed: u64,
        /// Of the text.
        version: i64,
        changed_at: Moment,
        changed_by: Option<String>,
        is_open: bool,
    }
    CampaignsForManagers {
        /// The open ones.
        campaigns: Vec<CampaignFigures>,
        workplaces: Vec<Workplace>,
        items: Vec<CampaignRow>,
        next: Option<String>,
    }
    CampaignsForAgents { campaigns: Vec<Workplace>, }
    CampaignMade {
        /// As `name`.
        campaign: String,
        name: String,
        state: CampaignStateWord,
        version: i64,
        etag: String,
    }
    /// A campaign that a task takes in.
    CampaignImport {
        task: i64,
        /// Its name.
        campaign: String,
    }
    CampaignFileView {
        name: String,
        /// The sound that it is.
        audio: Option<i64>,
        list: Option<i64>,
        bytes: u64,
        state: String,
    }
    Campaign {
        name: String,
        title: String,
        state: CampaignStateWord,
        desired_state: DesiredStateWord,
        waiting_for: Vec<WaitingFor>,
        /// Why it could not be opened.
        trouble: Option<Words>,
        toml: String,
        /// The text as JSON, with the defaults of what it leaves out; `null` = the text has faults.
        fields: Option<CampaignFile>,
        version: i64,
        etag: String,
        changed_at: Moment,
        changed_by: Option<String>,
        source: TextSource,
        files: Vec<CampaignFileView>,
        /// The sample campaign, which rings no phone.
        sample: bool,
        /// It calls over the simulated carrier: no phone rings.
        simulated: bool,
    }
    SampleBegun { task: i64, campaign: String, }
    CampaignProblem {
        /// `pacing.call_ratio`
        key: Option<String>,
        line: Option<u64>,
        found: Words,
        /// What to do; empty for a warning that says it itself.
        advice: Words,
        level: FaultLevel,
    }
    DiffLineView { kind: DiffWord, line_before: Option<u64>, line_after: Option<u64>, text: String, }
    CampaignEffect { field: String, when: EffectWord, words: Words, }
    CampaignChange {
        etag: String,
        version: i64,
        toml: String,
        problems: Vec<CampaignProblem>,
        diff: Vec<DiffLineView>,
        effects: Vec<CampaignEffect>,
    }
    CampaignVersionRow {
        number: i64,
        at: Moment,
        by: Option<String>,
        source: TextSource,
        note: Option<String>,
    }
    CampaignVersions { items: Vec<CampaignVersionRow>, }
    CampaignVersion { number: i64, at: Moment, by: Option<String>, note: Option<String>, toml: String, }
    ChecklistItem {
        code: ChecklistCode,
        level: ChecklistLevel,
        ok: bool,
        words: Words,
        href: Option<String>,
        who: Option<Words>,
    }
    Checklist {
        /// Nothing stops a start.
        ready: bool,
        items: Vec<ChecklistItem>,
    }
    /// The version that somebody else has made.
    PresentVersion { etag: String, version: i64, changed_by: Option<String>, changed_at: Moment, }
}
