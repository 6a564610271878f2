//! Settings from the environment: `PACELINE_SECTION__KEY`. Their values may be secrets, so no error shows one.

use super::problem::{expected_table, unknown_key};

const PREFIX: &str = "PACELINE_";

/// One variable that sets a key of `paceline.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub name: String,
    pub value: String,
    /// The key's path in the file: `trunks`, `main`, `password`.
    pub path: Vec<String>,
}

/// Whether a variable of this name sets a key.
pub fn is_setting(name: &str) -> bool {
    name.starts_with(PREFIX) && name.contains("__")
}

/// The variables that set keys, in order of their names.
pub(super) fn variables(env: impl IntoIterator<Item = (String, String)>) -> Vec<Variable> {
    let settings = env.into_iter().filter(|(name, _)| is_setting(name));
    let mut found: Vec<Variable> = settings
        .map(|(name, value)| {
            let path = name[PREFIX.len()..].split("__").map(str::to_ascii_lowercase).collect();
            Variable { name, value, path }
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Shorter values are looked for in errors of their own section only: a `1` stands in many sentences.
const DISTINCT_LEN: usize = 4;

impl Variable {
    /// Whether an error at `path` with this text is about this variable, or would show its value.
    pub fn is_shown_by(&self, path: &[&str], text: &str) -> bool {
        let is_its_key = self.path.iter().zip(path).all(|(own, of_error)| own == of_error);
        let escaped = self.value.escape_debug().to_string();
        let is_in_text = !self.value.is_empty() && (text.contains(&self.value) || text.contains(&escaped));
        let same_section = self.path.first().is_some_and(|own| path.first() == Some(&own.as_str()));
        is_its_key || (is_in_text && (same_section || self.value.len() >= DISTINCT_LEN))
    }

    /// What serde found wrong with the value, without the value. The value itself may hold keys and commas, so
    /// only known keys and the last expectation are kept.
    pub fn describe(&self, message: &str) -> String {
        if let Some((found, hint)) = unknown_key(message).filter(|_| message.starts_with("unknown field")) {
            let is_own = self.path.iter().any(|part| found == format!("unknown key `{part}`"));
            return if is_own { format!("{found}; {hint}") } else { "unknown key in its value".into() };
        }
        if expected_table(message).is_some() {
            return "its value is no table".into();
        }
        match message.rsplit_once(", expected ") {
            Some((_, expected)) => format!("its value does not fit; expected is {expected}"),
            None => "its value does not fit".into(),
        }
    }
}
