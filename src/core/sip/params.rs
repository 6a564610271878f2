//! Header and URI parameters: `;name=value;flag;name="quoted"`.

use super::grammar::find_unquoted;
use std::fmt;

/// Parameters, kept as text so they are sent as received. Names ignore case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(String);

impl Params {
    /// No parameters.
    pub const fn new() -> Self {
        Params(String::new())
    }

    /// From `;a=b;c` or `a=b;c`. Malformed elements are kept as text but never found by name.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() || text.starts_with(';') {
            Params(text.into())
        } else {
            Params(format!(";{text}"))
        }
    }

    /// The value of a parameter, unquoted; `Some("")` for a flag.
    pub fn value(&self, name: &str) -> Option<&str> {
        value(&self.0, name)
    }

    /// Whether the parameter is present, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// All parameters in order, flags with an empty value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        split(&self.0)
    }

    /// Appends a parameter, or replaces its value in place. An empty value writes a flag. Characters that
    /// could end the header or the parameter are dropped.
    pub fn set(&mut self, name: &str, value: &str) {
        let old = std::mem::take(&mut self.0);
        let mut found = false;
        for (known, known_value) in split_raw(&old) {
            if known.eq_ignore_ascii_case(name) {
                if !found {
                    push(&mut self.0, name, value);
                }
                found = true;
            } else {
                push_raw(&mut self.0, known, known_value);
            }
        }
        if !found {
            push(&mut self.0, name, value);
        }
    }

    /// Removes a parameter.
    pub fn remove(&mut self, name: &str) {
        let old = std::mem::take(&mut self.0);
        for (known, value) in split_raw(&old).filter(|(known, _)| !known.eq_ignore_ascii_case(name)) {
            push_raw(&mut self.0, known, value);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `;a=b;c`, or nothing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn push(text: &mut String, name: &str, value: &str) {
    let quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
    let safe = |c: &char| !c.is_control() && (quoted || !matches!(c, ';' | ',' | '>' | '<' | '"'));
    let value: String = value.chars().filter(safe).collect();
    push_raw(text, name, Some(&value).filter(|value| !value.is_empty()).map(String::as_str));
}

fn push_raw(text: &mut String, name: &str, value: Option<&str>) {
    text.push(';');
    text.push_str(name);
    if let Some(value) = value {
        text.push('=');
        text.push_str(value);
    }
}

/// The value of `name` in `;a=b;c`, unquoted.
pub(crate) fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    split(text).find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The parameters of `;a=b;c`, values unquoted.
pub(crate) fn split(text: &str) -> impl Iterator<Item = (&str, &str)> {
    split_raw(text).map(|(name, value)| {
        let value = value.unwrap_or("");
        (name, value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
    })
}

/// The parameters of `;a=b;c` as received. Empty elements are skipped.
fn split_raw(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = find_unquoted(rest, b';').unwrap_or(rest.len());
            let element = rest[..end].trim();
            rest = rest.get(end + 1..).unwrap_or("");
            if !element.is_empty() {
                return Some(match element.split_once('=') {
                    Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
                    None => (element, None),
                });
            }
        }
        None
    })
}

/// Whether an element of `;a=b;c` is empty, as in `;;`.
pub(crate) fn has_empty(text: &str) -> bool {
    let Some(mut rest) = text.strip_prefix(';') else { return false };
    loop {
        let end = find_unquoted(rest, b';').unwrap_or(rest.len());
        if rest[..end].trim().is_empty() {
            return true;
        }
        match rest.get(end + 1..) {
            Some(more) => rest = more,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_with_blanks_quotes_and_other_case() {
        let params = Params::parse(" ;tag = 1918181833n; Flag ;text=\"a;b=\\\"c\";last=;x=y=z");
        assert_eq!(params.value("TAG"), Some("1918181833n"));
        assert_eq!(params.value("flag"), Some(""));
        assert_eq!(params.value("text"), Some("a;b=\\\"c"));
        assert_eq!(params.value("last"), Some(""));
        assert_eq!(params.value("x"), Some("y=z"));
        assert_eq!(params.value("b"), None);
    }

    #[test]
    fn set_replaces_in_place_and_appends_what_is_new() {
        let mut params = Params::parse("branch=1;rport;maddr=a");
        params.set("rport", "5060");
        params.set("received", "192.0.2.1");
        assert_eq!(params.as_str(), ";branch=1;rport=5060;maddr=a;received=192.0.2.1");
        params.remove("MADDR");
        assert_eq!(params.as_str(), ";branch=1;rport=5060;received=192.0.2.1");
    }

    #[test]
    fn set_cannot_smuggle_a_header_or_another_parameter() {
        let mut params = Params::new();
        params.set("tag", "a\r\nRoute: <sip:x>;b,c");
        assert_eq!(params.as_str(), ";tag=aRoute: sip:xbc");
    }
}
