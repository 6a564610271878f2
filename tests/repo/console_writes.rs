//! The console writes through `AppState::change` alone, so that each change has its right, its row in the audit and
//! its place in one transaction: every function of the store that it calls is on one of two lists.

use super::{files, read};
use std::collections::BTreeSet;

/// Functions that only read.
const READS: &[&str] = &[
    "blacklist_import",
    "blacklist_imports",
    "blacklist_sources",
    "export",
    "exports",
    "open_exports",
    "agents",
    "all_agents",
    "any_campaign_row",
    "approvals",
    "audio_file",
    "audio_files",
    "audit",
    "blob",
    "caller_id_uses",
    "campaign_files",
    "campaign_row",
    "campaign_rows",
    "caller_id_calls",
    "caller_id_hours",
    "caller_id_log",
    "caller_ids",
    "caller_ids_in",
    "campaign_texts",
    "campaign_toml",
    "campaign_totals",
    "campaign_version",
    "campaign_versions",
    "count_upload_calls",
    "find_broken_audit_row",
    "free_agent_number",
    "group_rows",
    "groups",
    "has_blacklist",
    "judged_hour",
    "last_decision",
    "last_test_call",
    "open_and_blacklisted",
    "organisations",
    "outbox_bounds",
    "outbox_changes",
    "path",
    "reader",
    "registered_numbers",
    "sample_of",
    "saved_views",
    "session",
    "sessions_of",
    "sound_named",
    "stored_bytes",
    "task",
    "tasks",
    "token",
    "tokens",
    "trunk_rows",
    "upload",
    "uploads",
    "waiting_bytes",
];

/// Functions that write, each with the reason why it is no change by a person.
const WRITES: &[(&str, &str)] = &[
    (
        "begin_change",
        "the beginning of a change: `AppState::change`, and the first account, which has no caller",
    ),
    ("record_access", "the audit row itself"),
    ("start_session", "signing in changes no row that people edit"),
    ("end_session", "as above"),
    ("extend_session", "as above"),
    ("lock_session", "as above"),
    ("note_token_used", "the service notes it"),
    ("claim_key", "the request, and not what it changes"),
    ("note_key_file", "as above"),
    ("keep_answer", "as above"),
    ("release_key", "as above"),
    ("apply_blacklist", "closes leads after the change was committed, in pieces"),
    ("define_campaign_of", "the system's own campaign of test calls; the test is a change beside it"),
    ("sweep_undone", "deletes invisible rows after the change was committed, in pieces"),
];

/// Names behind `store()` in a source, whatever stands between them.
fn calls(text: &str) -> BTreeSet<String> {
    let parts = text.split("store()").skip(1).map(|rest| rest.trim_start());
    let names = parts.filter_map(|rest| rest.strip_prefix('.')).map(|rest| {
        rest.trim_start()
            .chars()
            .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
            .collect()
    });
    names.collect()
}

#[test]
fn the_console_writes_through_changes_alone() {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files("src/console", "rs") {
        let path = file.display().to_string();
        for call in calls(&read(&path)) {
            let known = READS.contains(&call.as_str()) || WRITES.iter().any(|(name, _)| *name == call);
            if !known {
                faults
                    .push(format!("{path}: `{call}`: write through `AppState::change`, or add it to a list"));
            }
            seen.insert(call);
        }
    }
    let listed = READS.iter().copied().chain(WRITES.iter().map(|(name, _)| *name));
    faults.extend(
        listed.filter(|name| !seen.contains(*name)).map(|name| format!("`{name}` is called no more")),
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
