//! Parameters of routes: form and bounds of each, for the OpenAPI document and for the check before every
//! handler. A query parameter that a route does not know is refused, so that no filter is ignored in silence.

use super::problem::Problem;
use crate::store::call_filters::NO_VALUE;
use paceline_core::outcome::{EndedBy, Outcome, Reason};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A query parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    pub form: Form,
    pub description: &'static str,
    pub example: &'static str,
}

/// What a parameter's text may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 1 to 128 characters.
    Text,
    /// A whole number of this range.
    Whole(i64, i64),
    /// RFC 3339, like `2030-01-31T09:30:00Z`.
    Moment,
    /// A Chinese number as people write it.
    Telephone,
    /// The same, or a number of any country with `+` or `00`.
    AnyTelephone,
    Word(&'static [&'static str]),
    /// One of the outcomes.
    Outcome,
    /// One of the outcomes, or `-`: none yet.
    OutcomeOrNone,
    EndedBy,
    /// Why a lead was closed without another call.
    Reason,
    /// The name of a file, which is no path: 1 to 255 bytes without separators and control characters.
    FileName,
}

const TEXT_MAX: usize = 128;

/// Bytes of a file's name.
const FILE_NAME_MAX: usize = 255;
/// What [`is_file_name`] takes, as a pattern of JSON Schema.
const FILE_NAME: &str = r"^[^/\\\x00-\x1f\x7f-\x9f]+$";

/// A name that a person gives a file. It is never a path here, but it may become one on somebody's desk.
fn is_file_name(text: &str) -> bool {
    let is_bad = |c: char| matches!(c, '/' | '\\') || c.is_control();
    (1..=FILE_NAME_MAX).contains(&text.len())
        && !text.contains(is_bad)
        && !matches!(text.trim(), "" | "." | "..")
}

/// Mobiles, landlines with their area code, and 400 or 800 numbers. The parser also takes spaces, dashes and
/// brackets, and knows which numbers of this form do not exist.
pub(super) const TELEPHONE: &str = r"^(\+86)?(0?1[3-9][0-9]{9}|010[2-8][0-9]{7}|02[0-9][2-8][0-9]{7}|0[3-9][0-9]{2}[2-8][0-9]{6,7}|[48]00[0-9]{7})$";

impl Form {
    /// The form as JSON Schema.
    pub fn schema(self) -> Value {
        match self {
            Form::Text => json!({ "type": "string", "minLength": 1, "maxLength": TEXT_MAX }),
            Form::Whole(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Form::Moment => json!({ "type": "string", "format": "date-time" }),
            Form::Telephone => json!({ "type": "string", "pattern": TELEPHONE }),
            Form::AnyTelephone => json!({ "type": "string", "pattern": super::fields::DIALLED }),
            Form::Word(words) => json!({ "type": "string", "enum": words }),
            Form::Outcome => json!({ "type": "string", "enum": outcomes() }),
            Form::OutcomeOrNone => json!({ "type": "string", "enum": outcomes_or_none() }),
            Form::EndedBy => json!({ "type": "string", "enum": enders() }),
            Form::Reason => json!({ "type": "string", "enum": reasons() }),
            Form::FileName => {
                json!({ "type": "string", "minLength": 1, "maxLength": FILE_NAME_MAX, "pattern": FILE_NAME })
            }
        }
    }

    /// The example as the schema types it.
    pub fn example(self, text: &str) -> Value {
        match self {
            Form::Whole(..) => text.parse::<i64>().map_or(Value::Null, Value::from),
            _ => text.into(),
        }
    }

    /// `Err` = what the text should be.
    pub(super) fn check(self, text: &str) -> Result<(), String> {
        let one_of = |words: &[&str]| match words.contains(&text) {
            true => Ok(()),
            false => Err(format!("one of {}", words.join(", "))),
        };
        match self {
            Form::Text if (1..=TEXT_MAX).contains(&text.chars().count()) => Ok(()),
            Form::Text => Err(format!("1 to {TEXT_MAX} characters")),
            Form::Whole(min, max) => match text.parse::<i64>() {
                Ok(value) if (min..=max).contains(&value) => Ok(()),
                _ if max == i64::MAX => Err(format!("a whole number of {min} or more")),
                _ => Err(format!("a whole number, {min} to {max}")),
            },
            Form::Moment => match super::fields::moment_of(text) {
                Some(_) => Ok(()),
                None => Err("a moment like 2030-01-31T09:30:00Z".into()),
            },
            Form::Telephone => {
                super::fields::parse_telephone(text).map(|_| ()).map_err(|it| it.detail().into())
            }
            Form::AnyTelephone => {
                super::fields::parse_any_telephone(text).map(|_| ()).map_err(|it| it.detail().into())
            }
            Form::Word(words) => one_of(words),
            Form::Outcome => one_of(&outcomes()),
            Form::OutcomeOrNone => one_of(&outcomes_or_none()),
            Form::EndedBy => one_of(&enders()),
            Form::Reason => one_of(&reasons()),
            Form::FileName if is_file_name(text) => Ok(()),
            Form::FileName => {
                Err(format!("the name of a file, 1 to {FILE_NAME_MAX} bytes, without a path: list.csv"))
            }
        }
    }
}

fn outcomes_or_none() -> Vec<&'static str> {
    outcomes().into_iter().chain([NO_VALUE]).collect()
}

fn outcomes() -> Vec<&'static str> {
    Outcome::ALL.iter().map(|outcome| outcome.word()).collect()
}

fn enders() -> Vec<&'static str> {
    EndedBy::ALL.iter().map(|ender| ender.word()).collect()
}

fn reasons() -> Vec<&'static str> {
    Reason::ALL.iter().map(|reason| reason.word()).collect()
}

/// Checks a query string against a route's parameters: each is known, given once, and has its form.
pub(super) fn check_query(query: Option<&str>, known: &[Parameter]) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
            let known: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
            let name = name.escape_debug();
            return Err(Problem::unprocessable(match known.is_empty() {
                true => format!("this path takes no parameter, and `{name}` was sent"),
                false => format!("there is no parameter `{name}` here; known are {}", known.join(", ")),
            }));
        };
        if !seen.insert(parameter.name) {
            return Err(Problem::unprocessable(format!("{name}: given twice; send it once")));
        }
        let wrong = |wanted: String| Problem::unprocessable(format!("{name}: {wanted}"));
        parameter.form.check(&value).map_err(wrong)?;
    }
    Ok(())
}

/// Decodes `%41` and `+`; bytes that are no UTF-8 are refused.
fn decode(text: &str) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| (digit? as char).to_digit(16));
                let [Some(high), Some(low)] = digits else {
                    return Err(Problem::bad_request("a `%` in the query is followed by two hex digits"));
                };
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| Problem::bad_request("the query is no UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Parameter] = &[
        Parameter { name: "limit", form: Form::Whole(1, 500), description: "", example: "50" },
        Parameter { name: "name", form: Form::Text, description: "", example: "张" },
        Parameter { name: "from", form: Form::Moment, description: "", example: "2030-01-31T09:30:00Z" },
    ];

    #[test]
    fn a_query_is_checked_by_name_number_and_form() {
        for (query, fits) in [
            ("", true),
            ("limit=1&name=%E5%BC%A0", true),
            ("limit=1&&from=2030-01-31T09%3A30%3A00%2B08:00", true),
            ("n%61me=x", true),
            ("limit=0", false),
            ("limit=501", false),
            ("limit=+5", false),
            ("limit=", false),
            ("name=", false),
            ("name=%ff", false),
            ("name=%4", false),
            ("name=%", false),
            ("from=yesterday", false),
            ("limit=1&limit=2", false),
            ("lmit=1", false),
            ("=1", false),
        ] {
            assert_eq!(check_query(Some(query), KNOWN).is_ok(), fits, "{query}");
        }
        assert!(check_query(None, &[]).is_ok());
        let words = check_query(Some("lmit=1"), KNOWN).unwrap_err().detail().to_owned();
        assert!(words.contains("`lmit`") && words.contains("limit, name, from"), "{words}");
    }
}
