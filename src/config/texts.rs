//! The texts of a campaign file that comes from people: none has control characters but line breaks and tabs, and none is
//! endless. A text that the store has is not asked again, or a campaign of an earlier version could not be opened.

use super::problem::Source;
use toml::de::{DeTable, DeValue};

/// Characters of any text; a path may be as long.
const TEXT_MAX: usize = 4_096;
/// Characters of the title, which is one line.
pub(super) const TITLE_MAX: usize = 200;

/// Records each text that does not fit, with its key and line.
pub(super) fn check(source: &mut Source<'_>) {
    // What is no TOML is reported by the parser.
    let Ok(table) = DeTable::parse(source.text) else { return };
    let mut found = Vec::new();
    walk_table(table.get_ref(), &mut Vec::new(), &mut found);
    for (path, fault) in found {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match fault {
            Fault::Control(place) => {
                source.fault(&path, format!("character {place} is a control character"), "take it out");
            }
            Fault::Long(length, most) => {
                let hint = format!("write at most {most} characters");
                source.fault(&path, format!("a text of {length} characters"), hint);
            }
        }
    }
}

enum Fault {
    /// Its place, from 1.
    Control(usize),
    Long(usize, usize),
}

fn walk_table(table: &DeTable<'_>, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Fault)>) {
    for (key, value) in table {
        let key = key.get_ref();
        path.push(key.to_string());
        if let Some(fault) = fault_of(key, false, TEXT_MAX) {
            found.push((path.clone(), fault));
        }
        walk(value.get_ref(), path, found);
        path.pop();
    }
}

fn walk(value: &DeValue<'_>, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Fault)>) {
    match value {
        DeValue::String(text) => {
            let is_title = path.len() == 1 && path[0] == "title";
            let most = if is_title { TITLE_MAX } else { TEXT_MAX };
            if let Some(fault) = fault_of(text, !is_title, most) {
                found.push((path.clone(), fault));
            }
        }
        DeValue::Array(items) => items.iter().for_each(|item| walk(item.get_ref(), path, found)),
        DeValue::Table(table) => walk_table(table, path, found),
        _ => {}
    }
}

fn fault_of(text: &str, takes_lines: bool, most: usize) -> Option<Fault> {
    let unfit = |letter: char| letter.is_control() && !(takes_lines && matches!(letter, '\n' | '\r' | '\t'));
    if let Some(place) = text.chars().position(unfit) {
        return Some(Fault::Control(place + 1));
    }
    let length = text.chars().count();
    (length > most).then_some(Fault::Long(length, most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_control_character_and_an_endless_text_have_their_line() {
        let long = "x".repeat(201);
        let text = format!(
            "name = \"a\"\ntitle = \"{long}\"\n[agents]\ngroup = \"b\\u0000c\"\nnote = \"\"\"two\nlines\"\"\"\n\
             [[dispositions]]\nlabel = \"\\u001b[2J\"\n"
        );
        let mut source = Source::new(Path::new("c.toml"), &text);
        check(&mut source);
        let said: Vec<String> = source.problems.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        for part in [
            "c.toml:2: a text of 201 characters; write at most 200 characters",
            "c.toml:4: character 2 is a control character; take it out",
            "character 1 is a control character; take it out",
        ] {
            assert!(said.iter().any(|line| line.contains(part)), "{part}: {said:?}");
        }
        let mut line = Source::new(Path::new("c.toml"), "title = \"a\\nb\"");
        check(&mut line);
        assert_eq!(line.problems.len(), 1, "a title is one line");
    }
}
