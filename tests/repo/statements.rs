//! Statements that console code reaches and that name a scoped table name `enterprise_id` too, or stand in a list with a
//! reason. Scoped tables are those to which the migrations give an `enterprise_id`. What console code reaches is found by
//! names, generously: a function that is taken for another of its name needs a reason more, never one less.

use super::{files, read};
use std::collections::{BTreeMap, BTreeSet};

/// The row hangs on a campaign, or on a lead, that the handler has found in the caller's scope.
const OF_A_FOUND_CAMPAIGN: &str = "keyed by a campaign or a lead that was found in the caller's scope";
/// Ids of a page of calls.
const FOUND_BY_FILTER: &str = "calls that a filter has found in the caller's scope";
/// The row was found by its enterprise in the same transaction, and its id is used from there on.
const FOUND_BEFORE: &str = "the same transaction has found the row by its enterprise";
/// The blacklist is asked by campaign, and by the entries of all campaigns.
const BY_CAMPAIGN: &str =
    "entries are of a campaign that was found in the caller's scope, or of all campaigns";
/// The secret itself says whose it is.
const BY_ITS_SECRET: &str = "found by the hash of its secret, which says whose it is";
/// Objects have no owner but the rows that name them.
const BY_ITS_OBJECT: &str = "looks at every row that names an object, whosever it is, before the object goes";
/// The task's own work.
const TASKS: &str =
    "written by a task on a list that was found in the caller's scope when the task was queued";

/// A function of the console's bears the same name.
const NOT_THE_CONSOLES: &str = "the engine's or a command's: the console calls another function of this name";
/// What the dialer knows of every enterprise's numbers at once.
const NOT_THE_CONSOLES_ALONE: &str =
    "for the dialer, which has the campaigns of every enterprise; nothing of it is shown";
/// Numbers of accounts by their ids.
const BY_ID: &str = "names for ids that stand in rows which were found in the caller's scope";

/// What hangs on a call is shown once the call is seen.
const OF_A_FOUND_CALL: &str =
    "keyed by a call; nothing of it is shown unless the call is in the caller's scope";

/// Functions whose statements name no enterprise: file, function, reason.
const REASONS: &[(&str, &str, &str)] = &[
    ("abandoned_calls", "in_vain", OF_A_FOUND_CAMPAIGN),
    ("abandoned_calls", "too_late", OF_A_FOUND_CAMPAIGN),
    ("access", "note_token_used", BY_ITS_SECRET),
    ("access", "remove_token", NOT_THE_CONSOLES),
    ("access", "token", BY_ITS_SECRET),
    ("approvals", "submit_list", FOUND_BEFORE),
    ("approvals", "withdraw", FOUND_BEFORE),
    ("attempts", "insert", OF_A_FOUND_CAMPAIGN),
    ("attempts", "load_facts", NOT_THE_CONSOLES),
    ("audio_files", "enter", FOUND_BEFORE),
    ("audio_files", "set_state", FOUND_BEFORE),
    ("blacklist", "add", BY_CAMPAIGN),
    ("blacklist", "blacklist_entries", BY_CAMPAIGN),
    ("blacklist", "close_leads", BY_CAMPAIGN),
    ("blacklist", "count_named", BY_CAMPAIGN),
    ("blacklist", "delete_entry", BY_CAMPAIGN),
    ("blacklist", "delete_patterns", BY_CAMPAIGN),
    ("blacklist", "insert", BY_CAMPAIGN),
    ("blobs", "blob", BY_ID),
    ("blobs", "release", BY_ITS_OBJECT),
    ("call_detail", "call_corrections", OF_A_FOUND_CALL),
    ("call_detail", "call_legs", OF_A_FOUND_CALL),
    ("call_detail", "call_seats", OF_A_FOUND_CALL),
    ("call_detail", "call_summaries", OF_A_FOUND_CALL),
    ("building_sums", "building_sums", OF_A_FOUND_CAMPAIGN),
    ("building_sums", "first_call", OF_A_FOUND_CAMPAIGN),
    ("call_sums", "agent_names", BY_ID),
    ("call_rows", "attempt_rows", FOUND_BY_FILTER),
    ("call_rows", "inbound_rows", FOUND_BY_FILTER),
    ("caller_ids", "campaigns_of_organisations", NOT_THE_CONSOLES_ALONE),
    ("campaign_rows", "campaign_totals", OF_A_FOUND_CAMPAIGN),
    ("caller_id_approvals", "decided", FOUND_BEFORE),
    ("caller_id_approvals", "set_approved", FOUND_BEFORE),
    ("campaign_rows", "add_version", OF_A_FOUND_CAMPAIGN),
    ("campaign_rows", "has_blacklist", BY_CAMPAIGN),
    ("campaign_rows", "remove", OF_A_FOUND_CAMPAIGN),
    ("campaign_rows", "save_campaign_text", OF_A_FOUND_CAMPAIGN),
    ("campaign_rows", "set_state", OF_A_FOUND_CAMPAIGN),
    ("campaigns", "campaign_toml", OF_A_FOUND_CAMPAIGN),
    ("campaigns", "open_and_blacklisted", OF_A_FOUND_CAMPAIGN),
    ("corrections", "add_phone", OF_A_FOUND_CAMPAIGN),
    ("desk", "desk_callbacks", OF_A_FOUND_CAMPAIGN),
    ("desk", "desk_counts", OF_A_FOUND_CAMPAIGN),
    ("desk", "desk_leads", OF_A_FOUND_CAMPAIGN),
    ("desk", "free_leads", OF_A_FOUND_CAMPAIGN),
    ("corrections", "write", OF_A_FOUND_CAMPAIGN),
    ("explain", "agent_numbers", BY_ID),
    ("explain", "ahead", OF_A_FOUND_CAMPAIGN),
    ("explain", "due_now", OF_A_FOUND_CAMPAIGN),
    ("explain", "find_leads", OF_A_FOUND_CAMPAIGN),
    ("explain", "last_list_row", OF_A_FOUND_CAMPAIGN),
    ("explain", "lead_facts", OF_A_FOUND_CAMPAIGN),
    ("explain", "number_facts", BY_CAMPAIGN),
    ("explain", "numbers_in_lists", OF_A_FOUND_CAMPAIGN),
    ("further_flats", "insert", TASKS),
    ("household_history", "household_history", OF_A_FOUND_CAMPAIGN),
    ("imports", "insert_leads", TASKS),
    ("import_undo", "mark_undone", TASKS),
    ("imports", "sweep_piece", TASKS),
    ("lead_actions", "load_phones", OF_A_FOUND_CAMPAIGN),
    ("lead_actions", "write_standing", OF_A_FOUND_CAMPAIGN),
    ("lead_additions", "add", OF_A_FOUND_CAMPAIGN),
    ("lead_additions", "is_blacklisted", BY_CAMPAIGN),
    ("lead_additions", "row_with", OF_A_FOUND_CAMPAIGN),
    ("lead_table", "attempts_max", OF_A_FOUND_CAMPAIGN),
    ("lead_table", "candidates", OF_A_FOUND_CAMPAIGN),
    ("lead_table", "lead_rows", OF_A_FOUND_CAMPAIGN),
    ("lead_table", "matching", OF_A_FOUND_CAMPAIGN),
    ("leads", "close_phone", OF_A_FOUND_CAMPAIGN),
    ("leads", "count", OF_A_FOUND_CAMPAIGN),
    ("leads", "count_open", OF_A_FOUND_CAMPAIGN),
    ("leads", "load", NOT_THE_CONSOLES),
    ("leads", "save_update", NOT_THE_CONSOLES),
    (
        "outbox",
        "outbox_bounds",
        "the first and last id alone: the events between them are read by enterprise",
    ),
    ("phone_contacts", "save", NOT_THE_CONSOLES),
    ("reader", "sum_leads", OF_A_FOUND_CAMPAIGN),
    ("recordings", "update_call_row", NOT_THE_CONSOLES),
    ("samples", "mark_sample", FOUND_BEFORE),
    ("samples", "mark_simulated", FOUND_BEFORE),
    ("samples", "samples", NOT_THE_CONSOLES),
    ("saved_views", "change_saved_view", FOUND_BEFORE),
    ("summaries", "save", NOT_THE_CONSOLES),
    ("test_calls", "last_test_call", OF_A_FOUND_CAMPAIGN),
    ("upload_changes", "begin", FOUND_BEFORE),
    ("upload_changes", "discard", FOUND_BEFORE),
    ("upload_changes", "edit", FOUND_BEFORE),
    ("upload_changes", "queue_for", FOUND_BEFORE),
    ("upload_changes", "set_state", FOUND_BEFORE),
    ("upload_loads", "close_done_households", TASKS),
    ("upload_loads", "count_calls", OF_A_FOUND_CAMPAIGN),
    ("upload_loads", "take_back_numbers", TASKS),
    ("views", "has_contact_with", OF_A_FOUND_CAMPAIGN),
    ("votes", "further_flats", OF_A_FOUND_CAMPAIGN),
    ("votes", "further_flats_among", OF_A_FOUND_CAMPAIGN),
    ("votes", "owners_among", OF_A_FOUND_CAMPAIGN),
    ("votes", "owners_behind", OF_A_FOUND_CAMPAIGN),
];

/// A function of the store: its file without folder and ending, its name, its text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Function {
    file: String,
    name: String,
    text: String,
}

impl Function {
    fn takes_self(&self) -> bool {
        let head = self.text.split(" {\n").next().unwrap_or_default();
        ["&self", "&mut self", "(self", "mut self"].iter().any(|receiver| head.contains(receiver))
    }
}

/// Tables with an `enterprise_id`, by the migrations: made with it, given it later, or rebuilt under another name.
fn scoped_tables() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files("schemas/sql", "sql") {
        let text = read(&file.display().to_string());
        for statement in text.split(';') {
            let words: Vec<&str> = statement.split_whitespace().collect();
            let after = |name: &[&str]| {
                let at = words.windows(name.len()).position(|part| part == name)?;
                words.get(at + name.len()).map(|word| word.trim_matches('(').to_owned())
            };
            let is_given = statement.contains("enterprise_id bigint");
            found.extend(
                after(&["create", "table"]).or_else(|| after(&["alter", "table"])).filter(|_| is_given),
            );
            if let [.., "alter", "table", old, "rename", "to", new] = words[..]
                && found.remove(old)
            {
                found.insert(new.to_owned());
            }
        }
    }
    found
}

/// Sources without their unit tests.
fn source(path: &str) -> String {
    let text = read(path);
    text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned()
}

/// The functions of a source: each ends at the brace that stands under its beginning.
fn functions(path: &str) -> Vec<Function> {
    let text = source(path);
    let file =
        path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs")).expect("a source").to_owned();
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let is_item =
            ["fn ", "async fn ", "pub", "const fn "].iter().any(|head| line.trim_start().starts_with(head));
        let Some((_, rest)) = line.split_once("fn ").filter(|_| is_item && indent <= 4) else { continue };
        let name: String =
            rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
        let end = format!("{}}}", " ".repeat(indent));
        let body: Vec<&str> = lines[at..].iter().copied().take_while(|line| *line != end).collect();
        found.push(Function { file: file.clone(), name, text: body.join("\n") });
    }
    found
}

/// Names that a text calls, each with what stands before it: `.`, the module before `::`, or nothing.
fn calls(text: &str) -> BTreeSet<(String, String)> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices('(') {
        let before = text[..at].strip_suffix("::<_>").unwrap_or(&text[..at]);
        let name: String = before.chars().rev().take_while(|letter| is_word(*letter)).collect();
        let name: String = name.chars().rev().collect();
        let before = &before[..before.len() - name.len()];
        let way = match before.strip_suffix("::") {
            Some(path) => path.rsplit(|letter| !is_word(letter)).next().unwrap_or_default().to_owned(),
            None if before.ends_with('.') => ".".to_owned(),
            None => String::new(),
        };
        if !name.is_empty() {
            found.insert((name, way));
        }
    }
    found
}

/// The functions of the store that console code reaches.
fn reached(store: &[Function]) -> BTreeSet<Function> {
    let mut by_name: BTreeMap<&str, Vec<&Function>> = BTreeMap::new();
    for function in store {
        by_name.entry(&function.name).or_default().push(function);
    }
    let imports: BTreeMap<String, BTreeSet<String>> = files("src/store", "rs")
        .iter()
        .map(|file| {
            let text = source(&file.display().to_string());
            let uses = text.split("\nuse ").skip(1).filter_map(|rest| rest.split(';').next());
            let names =
                uses.flat_map(|it| it.split(|letter: char| !letter.is_alphanumeric() && letter != '_'));
            let name = file.file_stem().expect("a source").to_string_lossy().into_owned();
            (name, names.map(str::to_owned).collect())
        })
        .collect();
    let console: String =
        files("src/console", "rs").iter().map(|file| source(&file.display().to_string())).collect();
    let mut open: Vec<&Function> = Vec::new();
    for (name, _) in calls(&console) {
        let public = by_name.get(name.as_str()).into_iter().flatten();
        open.extend(public.filter(|it| it.text.trim_start().starts_with("pub")));
    }
    let mut found: BTreeSet<Function> = open.iter().map(|it| (*it).clone()).collect();
    while let Some(next) = open.pop() {
        for (name, way) in calls(&next.text) {
            for function in by_name.get(name.as_str()).into_iter().flatten() {
                let is_imported = || imports.get(&next.file).is_some_and(|names| names.contains(&name));
                let is_meant = match way.as_str() {
                    "." => function.takes_self(),
                    "" => function.file == next.file || is_imported(),
                    way => {
                        way == function.file
                            || (function.file == next.file && ["Self", "self"].contains(&way))
                    }
                };
                if is_meant && found.insert((*function).clone()) {
                    open.push(function);
                }
            }
        }
    }
    found
}

/// The texts of a function's statements.
fn statements(function: &Function) -> Vec<&str> {
    let parts = function.text.split("query").skip(1);
    let macros = parts.filter_map(|rest| rest.split_once('(').filter(|(kind, _)| kind.ends_with('!')));
    macros
        .filter_map(|(_, rest)| {
            let begins = rest.find('"')?;
            match rest[..begins].ends_with("r#") {
                true => rest[begins + 1..].split("\"#").next(),
                false => rest[begins + 1..].split('"').next(),
            }
        })
        .collect()
}

fn tables<'a>(statement: &str, scoped: &'a BTreeSet<String>) -> Vec<&'a String> {
    let words: Vec<&str> =
        statement.split(|letter: char| letter.is_whitespace() || "(),".contains(letter)).collect();
    let named = |table: &&String| {
        words
            .windows(2)
            .any(|pair| ["from", "join", "update", "into"].contains(&pair[0]) && pair[1] == **table)
    };
    scoped.iter().filter(named).collect()
}

#[test]
fn statements_that_the_console_reaches_name_the_enterprise() {
    let scoped = scoped_tables();
    for table in
        ["agent", "campaign", "lead", "list_upload", "audio", "approval", "task", "api_token", "audit"]
    {
        assert!(scoped.contains(table), "{table} is scoped: {scoped:?}");
    }
    let store: Vec<Function> =
        files("src/store", "rs").iter().flat_map(|file| functions(&file.display().to_string())).collect();
    let reached = reached(&store);
    assert!(reached.len() > 100, "{} functions of the store are reached", reached.len());
    let (mut faults, mut needed, mut seen) = (Vec::new(), BTreeSet::new(), 0);
    for function in &reached {
        for statement in statements(function) {
            let named = tables(statement, &scoped);
            seen += usize::from(!named.is_empty());
            if named.is_empty() || statement.contains("enterprise_id") {
                continue;
            }
            let place = (function.file.as_str(), function.name.as_str());
            needed.insert(place);
            if !REASONS.iter().any(|(file, name, _)| (*file, *name) == place) {
                faults.push(format!(
                    "src/store/{}.rs, `{}`: the statement on {named:?} names no `enterprise_id`: {statement}",
                    place.0, place.1
                ));
            }
        }
    }
    let unused = REASONS.iter().filter(|(file, name, _)| !needed.contains(&(*file, *name)));
    faults.extend(unused.map(|(file, name, _)| format!("`{name}` of {file} needs no reason any more")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(seen > 80, "{seen} statements on scoped tables");
}
