//! Faults of a campaign's text and of requests in Simplified Chinese. Rooms without languages (configuration, lists,
//! serde, toml) report them as English sentences; the templates of `fault_words` and
//! `request_words` give each its Chinese one.

use super::fault_words::{SENTENCES, WORDS};
use super::request_words::REQUESTS;

/// A template: the English sentence, in which `{}` is a place for any text, `{n}` for a number, and `{+}` for a text that
/// is translated too, and the Chinese one, in which `{}` is the next of these texts and `{0}`, `{1}` … the one with this number.
pub(super) type Template = (&'static str, &'static str);

/// How deep sentences may stand in each other: `holidays: days.txt: line 2: …`.
const DEPTH_MAX: usize = 6;

/// The Chinese sentence; `None` = no template knows this one. What it names (keys, values, files) stays as it is.
pub fn fault_zh(english: &str) -> Option<String> {
    sentence(english, 0)
}

fn sentence(english: &str, depth: usize) -> Option<String> {
    let head_and_rest = || {
        // The key or the file that the sentence is about.
        let (head, rest) = english.split_once(": ")?;
        let is_name = !head.is_empty() && !head.contains(' ') && depth < DEPTH_MAX;
        is_name.then(|| Some(format!("{head}:{}", sentence(rest, depth + 1)?))).flatten()
    };
    let setting = || is_setting(english).then(|| english.to_owned());
    translate(english, &[SENTENCES, REQUESTS], depth).or_else(head_and_rest).or_else(setting)
}

/// A fault with what to do, as one Chinese sentence: each part stays English where it is not known.
pub fn fault_sentence_zh(line: Option<usize>, found: &str, hint: &str) -> String {
    let zh = |english: &str| fault_zh(english).unwrap_or_else(|| english.to_owned());
    let place = line.map(|line| format!("第 {line} 行:")).unwrap_or_default();
    match hint {
        "" => format!("{place}{}", zh(found)),
        hint => format!("{place}{};{}", zh(found), zh(hint)),
    }
}

/// Faults as a terminal shows them, one a line: `campaign.toml:8: ring_secs = 3; write 5 to 180`. Lines that are not known
/// stay English.
pub fn fault_lines_zh(shown: &str) -> String {
    let of_line = |line: &str| {
        let (file, sentence) = line.split_once(": ").filter(|(file, _)| !file.contains(' '))?;
        let place = match file.rsplit_once(':') {
            Some((file, line)) => format!("{file} 第 {line} 行:"),
            None => format!("{file}:"),
        };
        let halves = || {
            let parts = sentence
                .match_indices("; ")
                .map(|(at, sign)| (&sentence[..at], &sentence[at + sign.len()..]));
            parts.filter_map(|(found, hint)| Some(format!("{};{}", fault_zh(found)?, fault_zh(hint)?))).next()
        };
        Some(format!("{place}{}", halves().or_else(|| fault_zh(sentence))?))
    };
    let lines: Vec<String> =
        shown.lines().map(|line| of_line(line).unwrap_or_else(|| line.to_owned())).collect();
    lines.join(";")
}

/// `ring_secs = 3`, `dir = "/etc"`: a key and its value need no translation.
fn is_setting(text: &str) -> bool {
    let Some((key, value)) = text.split_once(" = ") else { return false };
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    is_key && quoted.map_or(!value.contains(' '), |inner| !inner.replace("\\\"", "").contains('"'))
}

/// The first template that fits, the one with the most fixed letters first.
pub(super) fn translate(english: &str, tables: &[&[Template]], depth: usize) -> Option<String> {
    let fixed = |template: &Template| template.0.len() - 2 * template.0.matches('{').count();
    let fitting = tables.iter().flat_map(|table| table.iter());
    let fitting = fitting.filter_map(|template| Some((template, texts_of(template.0, english)?)));
    let (template, texts) = fitting.max_by_key(|(template, _)| fixed(template))?;
    let texts: Vec<String> = texts.into_iter().map(|text| text.shown(depth + 1)).collect();
    Some(fill(template.1, &texts))
}

/// What stands at a place of a template.
struct Text<'a> {
    text: &'a str,
    is_translated: bool,
}

impl Text<'_> {
    fn shown(self, depth: usize) -> String {
        let Text { text, is_translated } = self;
        if !is_translated || depth > DEPTH_MAX {
            return text.to_owned();
        }
        let one = |text: &str| translate(text, &[WORDS, SENTENCES, REQUESTS], depth);
        let each = || {
            let parts: Option<Vec<String>> = text.split(", ").map(one).collect();
            parts.map(|parts| parts.join("、"))
        };
        one(text).or_else(each).or_else(|| sentence(text, depth)).unwrap_or_else(|| text.to_owned())
    }
}

/// The texts at the places of a template, if the sentence fits: each place but the last ends where the words behind it
/// are found first.
fn texts_of<'a>(template: &str, english: &'a str) -> Option<Vec<Text<'a>>> {
    let mut texts = Vec::new();
    let (mut template, mut rest) = (template, english);
    loop {
        let place =
            ["{}", "{n}", "{+}"].into_iter().filter_map(|place| Some((template.find(place)?, place))).min();
        let Some((at, place)) = place else { return (rest == template).then_some(texts) };
        rest = rest.strip_prefix(&template[..at])?;
        template = &template[at + place.len()..];
        let words = &template[..template.find('{').unwrap_or(template.len())];
        let end = match words.len() == template.len() {
            true => rest.len().checked_sub(words.len()).filter(|_| rest.ends_with(words))?,
            false => rest.find(words)?,
        };
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
        if place == "{n}" && !is_number(&rest[..end]) {
            return None;
        }
        texts.push(Text { text: &rest[..end], is_translated: place == "{+}" });
        rest = &rest[end..];
    }
}

/// Puts the texts into the Chinese sentence.
fn fill(chinese: &str, texts: &[String]) -> String {
    let mut filled = String::new();
    let (mut rest, mut next) = (chinese, 0);
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find('}').map_or(rest.len(), |end| end + 1);
        let number = match &rest[1..end - 1] {
            "" => Some(next),
            number => number.parse().ok(),
        };
        match number.and_then(|number: usize| texts.get(number)) {
            Some(text) => {
                filled.push_str(text);
                next += 1;
            }
            None => filled.push_str(&rest[..end]),
        }
        rest = &rest[end..];
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn sentences_keep_what_they_name() {
        for (english, chinese) in [
            ("`12` is no key", "`12` 不是按键"),
            ("ring_secs = 3", "ring_secs = 3"),
            ("dir = \"a \\\" b\"", "dir = \"a \\\" b\""),
            (
                "the end 2026-11-21 is not after the start 2026-11-22",
                "结束时间 2026-11-21 不晚于开始时间 2026-11-22",
            ),
            ("holidays: line 2: `soon` is no date", "节假日:第 2 行:`soon` 不是日期"),
            (
                "ring_secs: invalid type: string \"long\", expected u32",
                "ring_secs:类型不对:写的是文字 \"long\",应为不小于 0 的整数",
            ),
            ("unknown key `callin`", "没有 `callin` 这个设置项"),
            (
                "`x` is no number to show: 'x' does not belong in a phone number",
                "`x` 不是可显示的号码:号码里不应有“x”",
            ),
            (
                "write days as 2027-05-01, or 2027-02-05..2027-02-12, or the path of a file",
                "写成 2027-05-01,或 2027-02-05..2027-02-12,也可以写文件的路径",
            ),
        ] {
            assert_eq!(fault_zh(english).as_deref(), Some(chinese), "{english}");
        }
        for unknown in [
            "",
            "something of a newer service",
            "x = y, but it means z",
            "a: b",
            "a b: `1` is no key",
            "write it to them",
        ] {
            assert_eq!(fault_zh(unknown), None, "{unknown}");
        }
        let whole = fault_sentence_zh(Some(8), "ring_secs = 3", "write 1 to 10");
        assert_eq!(whole, "第 8 行:ring_secs = 3;请写 1 到 10");
        assert_eq!(fault_sentence_zh(None, "no words for this", ""), "no words for this");
        let shown = "campaign.toml:8: ring_secs = 3; write 1 to 10\ncampaign.toml: no list; name a .csv, .txt or .xlsx file\nnew";
        let zh = "campaign.toml 第 8 行:ring_secs = 3;请写 1 到 10;campaign.toml:没有名单;请写一个 .csv、.txt 或 .xlsx 文件;new";
        assert_eq!(fault_lines_zh(shown), zh);
    }

    #[test]
    fn templates_have_the_same_places_in_both_languages_and_no_sentence_twice() {
        let mut seen = BTreeSet::new();
        for (english, chinese) in SENTENCES.iter().chain(REQUESTS).chain(WORDS) {
            assert!(seen.insert(english), "{english} stands there twice");
            let places: usize = ["{}", "{n}", "{+}"].iter().map(|place| english.matches(place).count()).sum();
            let in_order = chinese.matches("{}").count();
            // What TOML expects need not be said where the sentence says it.
            let places = places - usize::from(!chinese.contains('{') && english.ends_with(", expected {}"));
            let numbered = (0..places).filter(|n| chinese.contains(&format!("{{{n}}}"))).count();
            assert_eq!(if in_order == 0 { numbered } else { in_order }, places, "{english}: {chinese}");
            // Nothing says where the first of two places that touch ends.
            assert!(!english.contains("}{"), "{english}");
            let is_wide = |sign: char| ('\u{ff01}'..='\u{ff5e}').contains(&sign);
            assert!(!chinese.contains(is_wide), "{chinese}: pages widen narrow signs");
        }
    }

    /// Texts of any length and any signs are looked up without harm.
    #[test]
    fn hostile_texts_are_no_templates() {
        let long = format!("`{}` is no key", "` is no key".repeat(4_000));
        assert!(fault_zh(&long).is_some_and(|zh| zh.ends_with("` 不是按键")));
        for text in ["{}", "{+}", "`{}` is no key", "`{0}{9}` is no key", "`一个{` is no key"] {
            let zh = fault_zh(text);
            assert!(!text.ends_with("key") || zh.is_some_and(|zh| zh.ends_with("` 不是按键")), "{text}");
        }
        let deep = format!("{}soon, expected u32", "invalid type: line 1: a: ".repeat(4_000));
        assert!(fault_zh(&deep).is_some_and(|zh| zh.ends_with(",应为不小于 0 的整数")));
        assert_eq!(fault_zh(&format!("{}`1` is no key", "a: ".repeat(20_000))), None);
    }
}
