//! Shapes of the answers about exports and imports of the blacklist.

use super::answers::{Moment, TaskView, Words, answers, by_hand};
use crate::tasks::{BlacklistImportReport, ExportWhat};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};
use std::borrow::Cow;

by_hand! {
    ExportWhatWord = json!({ "type": "string", "enum": ExportWhat::WORDS });
    ExportFormatWord = json!({ "type": "string", "enum": ["csv", "xlsx", "parquet", "zip"] });
    ExportStateWord = json!({ "type": "string", "enum": ["queued", "running", "done", "failed", "cancelled"] });
    BlacklistImportStateWord = json!({ "type": "string",
        "enum": ["checking", "unreadable", "checked", "loading", "loaded", "replaced", "discarded"] });
}

answers! {
    ExportView {
        id: i64,
        what: ExportWhatWord,
        format: ExportFormatWord,
        /// As they were asked for.
        filters: Value,
        /// Empty = all.
        columns: Vec<String>,
        /// Telephone numbers are masked in it.
        masked: bool,
        state: ExportStateWord,
        rows: Option<u64>,
        bytes: Option<u64>,
        file_name: Option<String>,
        may_download: bool,
        /// Whether the caller has asked for it.
        is_own: bool,
        /// The number of the account.
        made_by: Option<String>,
        made_at: Moment,
        expires_at: Moment,
        task: Option<TaskView>,
    }
    Exports { items: Vec<ExportView>, next: Option<i64>, }
    ExportBegun { export: ExportView, task: i64, }
    ExportForeseen {
        /// `null` = known only once they are written.
        rows: Option<u64>,
        columns: Vec<String>,
        masked: bool,
        /// Sheets that a workbook needs.
        sheets: u64,
    }
    SigningKeyView {
        algorithm: String,
        /// 64 hex digits.
        public_key: String,
        /// The first 16 bytes of its SHA-256, to be compared by eye.
        fingerprint: String,
    }

    BlacklistImportView {
        id: i64,
        /// `null` = every campaign.
        campaign: Option<String>,
        source: String,
        file_name: String,
        state: BlacklistImportStateWord,
        error: Option<Words>,
        report: Option<BlacklistImportReport>,
        /// Different numbers and ranges of the file.
        entries: u64,
        /// Entries of the source that loading it removes.
        gone: u64,
        may_load: bool,
        made_at: Moment,
        made_by: Option<String>,
        task: Option<TaskView>,
    }
    BlacklistImports { items: Vec<BlacklistImportView>, next: Option<i64>, }
    BlacklistSourceView { source: String, campaign: Option<String>, entries: u64, }
    BlacklistSources { items: Vec<BlacklistSourceView>, }
}
