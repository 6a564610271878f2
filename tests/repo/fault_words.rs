//! Sentences of the service with their Chinese words: every fault of a campaign's text, and every refused request.

use super::{files, read};
use paceline::text::fault_zh;

/// Files whose sentences are faults of a campaign's text, all of them.
const FAULTS: &[&str] = &[
    "src/config/campaign/edit.rs",
    "src/config/campaign/mod.rs",
    "src/config/campaign/row_guard.rs",
    "src/config/campaign/rules.rs",
    "src/config/campaign/tables.rs",
    "src/config/floor.rs",
    "src/config/holidays.rs",
    "src/config/problem.rs",
    "src/config/units.rs",
];

/// Literals in them that are no sentence: beginnings of serde's, which the code compares with, and parts.
const NO_SENTENCES: &[&str] = &[
    "unknown field",
    "unknown variant",
    ", expected struct ",
    " to ",
    " (the sign in its name is the other way round)",
    "{} in {zone}",
    "a name in quotes, or a list of names",
    "unknown {noun} `{found}`",
    "{found}, expected a table",
];

/// The string literals of a source before its tests, with the line of each; comments are left out.
fn literals(source: &str) -> Vec<(usize, String)> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    let letters: Vec<char> = source.chars().collect();
    let (mut at, mut line) = (0, 1);
    while at < letters.len() {
        match (letters[at], letters.get(at + 1), letters.get(at + 2)) {
            ('/', Some('/'), _) => {
                while at < letters.len() && letters[at] != '\n' {
                    at += 1;
                }
                continue;
            }
            ('\'', Some('\\'), _) => at += 3,
            ('\'', Some(_), Some('\'')) => at += 2,
            ('"', ..) => {
                let (begin, is_raw) = (line, at > 0 && letters[at - 1] == 'r');
                let mut text = String::new();
                at += 1;
                while at < letters.len() && letters[at] != '"' {
                    if letters[at] != '\\' || is_raw {
                        line += usize::from(letters[at] == '\n');
                        text.push(letters[at]);
                    } else {
                        at += 1;
                        match letters[at] {
                            // A literal goes on after the white space of the next line.
                            '\n' => {
                                line += 1;
                                while letters[at + 1].is_whitespace() {
                                    at += 1;
                                }
                            }
                            'n' => text.push('\n'),
                            other => text.push(other),
                        }
                    }
                    at += 1;
                }
                found.push((begin, text));
            }
            ('\n', ..) => line += 1,
            _ => {}
        }
        at += 1;
    }
    found
}

/// A sentence has words, with a space between two of them.
fn is_sentence(literal: &str) -> bool {
    let bare = filled(literal, "");
    bare.contains(' ') && bare.chars().filter(char::is_ascii_alphabetic).count() > 2
}

/// The literal with this text for each of its places `{}`, `{name}`, `{name:?}`.
fn filled(literal: &str, text: &str) -> String {
    let (mut filled, mut rest) = (String::new(), literal);
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_:?.".contains(c);
        match rest[1..].find('}').filter(|end| rest[1..=*end].chars().all(is_name)) {
            Some(end) => {
                filled.push_str(text);
                rest = &rest[end + 2..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[test]
fn every_fault_of_a_campaigns_text_has_chinese_words() {
    let mut unknown = Vec::new();
    let mut known = 0;
    for file in FAULTS {
        for (line, literal) in literals(&read(file)) {
            if !is_sentence(&literal) || NO_SENTENCES.contains(&literal.as_str()) {
                continue;
            }
            match fault_zh(&filled(&literal, "1")) {
                Some(_) => known += 1,
                None => unknown.push(format!("{file}:{line}: \"{literal}\"")),
            }
        }
    }
    assert!(known > 90, "only {known} sentences are found: does the scan still read the sources?");
    let advice = "give them Chinese words in src/text/fault_words.rs";
    assert!(unknown.is_empty(), "{advice}:\n{}", unknown.join("\n"));
}

#[test]
fn every_fault_that_the_console_adds_to_a_text_has_chinese_words() {
    let source = read("src/console/campaign_text.rs");
    let (begin, end) = (source.find("async fn change_text("), source.find("let asks = "));
    let checks = &source[begin.expect("the function")..end.expect("its last check")];
    let mut checked = 0;
    for (_, literal) in literals(checks).iter().filter(|(_, literal)| is_sentence(literal)) {
        assert!(fault_zh(&filled(literal, "1")).is_some(), "no Chinese words: {literal}");
        checked += 1;
    }
    assert!(checked > 2, "{checked}");
}

/// The literal that a call begins with, also one inside `format!`.
fn first_literal(arguments: &str) -> Option<String> {
    let bare = arguments.trim_start();
    let bare = bare.strip_prefix("format!(").map_or(bare, str::trim_start);
    bare.starts_with('"').then(|| literals(bare).swap_remove(0).1)
}

#[test]
fn every_refusal_of_a_request_has_chinese_words() {
    let (mut known, mut unknown) = (0, Vec::new());
    for file in files("src/console", "rs") {
        let file = file.display().to_string();
        let source = read(&file);
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let calls = ["Problem::unprocessable(", "Problem::bad_request(", "let detail ="];
        let places = calls.iter().flat_map(|call| source.match_indices(call).map(|(at, _)| at + call.len()));
        // A sentence that is named first belongs to the refusal that comes next; those with a code have words by it.
        let is_unfit = |at: &usize| {
            let next = source[*at..].split_once("Problem::").map_or("", |(_, call)| call);
            !source[..*at].ends_with('=') || next.starts_with("unprocessable(detail")
        };
        for literal in places.filter(is_unfit).filter_map(|at| first_literal(&source[at..])) {
            match fault_zh(&filled(&literal, "1")) {
                Some(_) => known += 1,
                None if is_sentence(&literal) => unknown.push(format!("{file}: \"{literal}\"")),
                None => {}
            }
        }
    }
    assert!(known > 50, "only {known} sentences are found: does the scan still read the sources?");
    let advice = "give them Chinese words in src/text/request_words.rs";
    assert!(unknown.is_empty(), "{advice}:\n{}", unknown.join("\n"));
}

#[test]
fn the_scan_reads_literals_as_the_compiler_does() {
    let source = "let a = \"one \\\"two\\\"\"; // \"no\"\nlet b = '\"'; let c = 'x';\nlet d = \"three \\\n    four\";\n\
                  #[cfg(test)] let e = \"five\";";
    let found = literals(source);
    assert_eq!(found, [(1, "one \"two\"".to_owned()), (3, "three four".to_owned())]);
    assert_eq!(filled("`{a}` {} {b:?} { c = d }", "x"), "`x` x x { c = d }");
}
