//! Telephone numbers as callers of the API are shown them: whole for those who may read numbers, else masked. No
//! other function writes a number into an answer.

use super::auth::Caller;
use super::problem::Problem;
use super::rights::Action;
use crate::text::{self, masked_text};
use paceline_core::number::PhoneNumber;
use serde::Serialize;
use serde_json::Value;

/// Which numbers a caller is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum NumberSight {
    Whole,
    #[default]
    Masked,
}

impl NumberSight {
    pub fn of(caller: &Caller) -> NumberSight {
        if caller.may(Action::NumbersRead) { NumberSight::Whole } else { NumberSight::Masked }
    }
}

/// A number as it is shown: national digits, or `138****8000`; a `*` says that it is masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct ShownNumber(String);

impl ShownNumber {
    pub fn of(number: PhoneNumber, sight: NumberSight) -> ShownNumber {
        ShownNumber(match sight {
            NumberSight::Whole => number.national(),
            NumberSight::Masked => text::masked(number),
        })
    }
}

impl From<ShownNumber> for Value {
    fn from(shown: ShownNumber) -> Value {
        shown.0.into()
    }
}

/// A text of a list, a note or a correction: telephone numbers in it are masked for callers who may not read them.
pub(super) fn shown_text(text: &str, sight: NumberSight) -> String {
    match sight {
        NumberSight::Whole => text.to_owned(),
        NumberSight::Masked => masked_text(text),
    }
}

/// Refuses a filter that has a number in it from a caller who is shown numbers masked: what it finds would unmask them.
///
/// # Errors
/// 422 that names the field.
pub(super) fn refuse_number_in(
    field: &str,
    text: Option<&String>,
    sight: NumberSight,
) -> Result<(), Problem> {
    match text.filter(|text| shown_text(text, sight) != **text) {
        None => Ok(()),
        Some(_) => Err(Problem::of_field(
            field,
            "without a telephone number: you are shown numbers in part",
            "不能含电话号码:您只能看到部分号码",
        )),
    }
}

/// As [`shown_text`], where the text may be missing.
pub(super) fn shown_optional(text: Option<&String>, sight: NumberSight) -> Option<String> {
    text.map(|text| shown_text(text, sight))
}

/// JSON that the store keeps or a task made: every text in it as [`shown_text`]. Keys are words of our own.
pub(super) fn shown_json(value: Value, sight: NumberSight) -> Value {
    match value {
        Value::String(text) if sight == NumberSight::Masked => masked_text(&text).into(),
        Value::Array(items) => items.into_iter().map(|item| shown_json(item, sight)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, field)| (name, shown_json(field, sight))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::digit;

    #[test]
    fn numbers_in_a_text_are_masked_and_dates_and_areas_are_not() {
        for (text, shown) in [
            ("13800138000", "138****8000"),
            ("138 0013 8000", "138****8000"),
            ("+86 138-0013-8000 (home)", "+861******8000 (home)"),
            ("0755-8888 1234", "075*****1234"),
            ("+852 2345 6789", "+852****6789"),
            ("tel: 13800138000/13900139000", "tel: 138****8000/139****9000"),
            ("13800138000 13900139000", "138***************9000"),
            ("440301199001011234", "440***********1234"),
            ("2026-11-21 10:00:00", "2026-11-21 10:00:00"),
            ("20261121", "20261121"),
            ("2026.11.21", "2026.11.21"),
            ("88881234", "******34"),
            ("8888 1234", "******34"),
            ("138.0013.8000", "138****8000"),
            ("138/0013/8000", "138****8000"),
            ("138·0013·8000", "138****8000"),
            ("138\u{a0}0013\u{a0}8000", "138****8000"),
            ("手机1380013—8000", "手机138****8000"),
            (
                "\u{ff11}\u{ff13}\u{ff18}\u{ff10}\u{ff10}\u{ff11}\u{ff13}\u{ff18}\u{ff10}\u{ff10}\u{ff10}",
                "138****8000",
            ),
            ("INVITE sip:+8613800138000@198.51.100.7", "INVITE sip:+861******8000@198.51.100.7"),
            ("12.138.0013.8000", "121******8000"),
            ("110/13800138000", "110/138****8000"),
            ("13800138000/139.0013.9000", "138****8000/139****9000"),
            ("139.0013.9000 / 13800138000.", "139****9000 / 138****8000."),
            ("89.5 ㎡, 3-1-201", "89.5 ㎡, 3-1-201"),
            ("王敏", "王敏"),
            ("", ""),
            ("--", "--"),
        ] {
            assert_eq!(shown_text(text, NumberSight::Masked), shown, "{text}");
            assert_eq!(shown_text(text, NumberSight::Whole), text);
        }
    }

    #[test]
    fn every_text_of_a_document_is_masked_and_its_figures_stay() {
        let document =
            serde_json::json!({ "en": "call 13800138000", "list": ["138-0013-8000", 7], "at": null });
        let shown = serde_json::json!({ "en": "call 138****8000", "list": ["138****8000", 7], "at": null });
        assert_eq!(shown_json(document.clone(), NumberSight::Masked), shown);
        assert_eq!(shown_json(document.clone(), NumberSight::Whole), document);
    }

    #[test]
    fn no_mobile_number_stays_whole_whatever_stands_around_it() {
        let signs = [
            "", " ", "-", "(", ")", "+86", "0086", "a", "手机", "/", ",", "12", "\n", ".", "1.", "_", "*",
            "+", "2",
        ];
        for (front, back) in signs.iter().flat_map(|front| signs.iter().map(move |back| (front, back))) {
            for number in [
                "13800138000",
                "19912345678",
                "138 0013 8000",
                "138-0013-8000",
                "138.0013.8000",
                "138_0013_8000",
                "1 3 8 0 0 1 3 8 0 0 0",
                "\u{ff11}\u{ff13}\u{ff18}\u{ff10}\u{ff10}\u{ff11}\u{ff13}\u{ff18}\u{ff10}\u{ff10}\u{ff10}",
            ] {
                let text = format!("{front}{number}{back}");
                let digits: String = number.chars().filter_map(digit).collect();
                let shown: String =
                    shown_text(&text, NumberSight::Masked).chars().filter_map(digit).collect();
                assert!(!shown.contains(&digits), "{text:?} is shown as {shown:?}");
            }
        }
    }
}
