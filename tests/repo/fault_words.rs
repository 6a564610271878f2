//! Sentences of the service with their Chinese words: every fault of a campaign's text, and every refused request.

use super::{files, read};
use paceline::config::campaign::CampaignFiles;
use paceline::config::{Config, LoadedCampaign, Problem};
use paceline::text::{fault_sentence_zh, fault_zh, refusal_zh};

/// Files whose sentences are faults of a campaign's text, all of them.
const FAULTS: &[&str] = &[
    "src/config/campaign/edit.rs",
    "src/config/campaign/mod.rs",
    "src/config/campaign/row_guard.rs",
    "src/config/campaign/rules.rs",
    "src/config/campaign/tables.rs",
    "src/config/campaign/vote.rs",
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
fn every_code_of_a_refusal_has_chinese_words() {
    let (mut known, mut unknown) = (0, Vec::new());
    for file in files("src/console", "rs") {
        let file = file.display().to_string();
        let source = read(&file);
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        for call in source.split("Problem::new(").skip(1).chain(source.split("conflict(").skip(1)) {
            // The first literal of the call, at once or after a status.
            let arguments = call.trim_start();
            let after = match arguments.strip_prefix("StatusCode::") {
                Some(status) => status.split_once(',').map_or("", |(_, rest)| rest.trim_start()),
                None => arguments,
            };
            let Some(code) = after.strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            match refusal_zh(code, |_| Some(String::new())) {
                Some(_) => known += 1,
                None => unknown.push(format!("{file}: {code}")),
            }
        }
    }
    assert!(known > 60, "only {known} codes are found: does the scan still read the sources?");
    let advice = "give them Chinese words in src/text/refusal.rs";
    assert!(unknown.is_empty(), "{advice}:\n{}", unknown.join("\n"));
}

/// What people read, whole: a text with faults as the settings page and a refused change show it.
#[test]
fn faulty_texts_are_described_in_chinese() {
    let words = |more: &str| -> String {
        let text = format!("name = \"vote\"\nmode = \"announce\"\n{more}");
        let files = CampaignFiles::default();
        let read = LoadedCampaign::parse_row(&text, &files, &Config::default());
        let faults = read.map_or_else(|error| error.problems, |loaded| loaded.lacks);
        let words = |it: &Problem| fault_sentence_zh(it.line, &it.found, &it.hint);
        faults.iter().map(words).collect::<Vec<_>>().join("\n")
    };
    for (more, zh) in [
        ("", "没有要播放的语音;请写一个 WAV 或 MP3 文件"),
        ("[calling]\nring_secs = 3\n", "第 4 行:ring_secs = 3;请写 5 到 180(通常 45,不建议更短)"),
        ("[callin]\nring_secs = 3\n", "第 3 行:没有 `callin` 这个设置项;是不是 `calling`?"),
        (
            "[calling]\nring_secs = \"long\"\n",
            "第 4 行:ring_secs:类型不对:写的是文字 \"long\",应为不小于 0 的整数;请参照带注释的示例",
        ),
        (
            "[pacing]\nshadow = 3\n",
            "第 4 行:shadow:类型不对:写的是整数 `3`,应为表;请写成表,如 `[section]` 或 `key = { … }`;可参照带注释的示例",
        ),
        ("[retry]\ngap_min = \"soon\"\n", "第 4 行:`soon` 不是时长;写成 90s、30m、2h、1h30m 或 3d"),
        (
            "[calling]\nholidays = [\"soon\"]\n",
            "第 4 行:节假日:`soon` 不是日期;写成 2027-05-01,或 2027-02-05..2027-02-12",
        ),
        (
            "[caller_ids]\nnumbers = [\"12ab\"]\n",
            "第 4 行:`12ab` 不是可显示的号码:号码里不应有“a”;请带国家码(+8675512345678),或按国内拨法(075512345678)书写",
        ),
        ("[calling]\nring_secs = \n", "第 4 行:文字要加引号;请参照带注释的示例"),
        ("[calling\n", "第 3 行:表名没有结束:缺少 `]`;请参照带注释的示例"),
        ("name = \"b\"\n", "第 3 行:设置项重复了;请参照带注释的示例"),
    ] {
        assert_eq!(words(more).lines().next(), Some(zh), "{more}");
    }
}

#[test]
fn the_scan_reads_literals_as_the_compiler_does() {
    let source = "let a = \"one \\\"two\\\"\"; // \"no\"\nlet b = '\"'; let c = 'x';\nlet d = \"three \\\n    four\";\n\
                  #[cfg(test)] let e = \"five\";";
    let found = literals(source);
    assert_eq!(found, [(1, "one \"two\"".to_owned()), (3, "three four".to_owned())]);
    assert_eq!(filled("`{a}` {} {b:?} { c = d }", "x"), "`x` x x { c = d }");
}
