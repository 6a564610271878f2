//! Problems in configuration files: file and line, what was found, what to do. Finds the line of a TOML key.

use super::environment::Variable;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// One problem in a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    pub file: PathBuf,
    /// Counted from 1; `None` for a problem without a line (the environment, a missing key).
    pub line: Option<usize>,
    /// `pacing.calls_per_sec`; `None` = of no single key.
    #[serde(skip)]
    pub key: Option<String>,
    pub found: String,
    pub hint: String,
}

/// All problems of a file, together where possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    pub problems: Vec<Problem>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.found)?;
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// A file's text, and the problems found in it so far.
pub(super) struct Source<'a> {
    pub file: &'a Path,
    pub text: &'a str,
    pub problems: Vec<Problem>,
    /// Variables that set keys of the file; their values are not shown.
    pub variables: Vec<Variable>,
    /// The text is that of a draft: what it lacks is kept apart, and no file beside it is read.
    pub is_row: bool,
    /// The files that names in the text of a row stand for.
    pub objects: BTreeMap<String, PathBuf>,
    /// What a draft lacks before it can be opened.
    pub lacks: Vec<Problem>,
}

impl<'a> Source<'a> {
    pub fn new(file: &'a Path, text: &'a str) -> Self {
        let (problems, variables, objects, lacks) = Default::default();
        Source { file, text, problems, variables, is_row: false, objects, lacks }
    }

    /// As `new`, for the text of a row, whose names of files stand for these objects.
    pub fn of_row(file: &'a Path, text: &'a str, objects: &BTreeMap<String, PathBuf>) -> Self {
        Source { is_row: true, objects: objects.clone(), ..Source::new(file, text) }
    }

    /// Deserializes the whole text.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, ConfigError> {
        toml::from_str(self.text).map_err(|error| self.syntax(&error))
    }

    /// Records a problem at the key with this path.
    pub fn fault(&mut self, path: &[&str], found: impl Into<String>, hint: impl Into<String>) {
        let (found, hint) = (found.into(), hint.into());
        // The last variable of a name wins, as it does when the variables are applied.
        let shown = |text: &str| self.variables.iter().rev().find(|it| it.is_shown_by(path, text));
        if let Some(variable) = shown(&found) {
            let hint = if variable.is_shown_by(&[], &hint) { String::new() } else { hint };
            return self.problems.push(Problem {
                file: "environment".into(),
                line: None,
                key: Some(path.join(".")),
                found: format!("{}: its value does not fit", variable.name),
                hint,
            });
        }
        let problem = self.problem(path, found, hint);
        self.problems.push(problem);
    }

    /// Records that the campaign lacks this before it can be opened: a problem of a file, not of a draft.
    pub fn lack(&mut self, path: &[&str], found: impl Into<String>, hint: impl Into<String>) {
        if !self.is_row {
            return self.fault(path, found, hint);
        }
        let lack = self.problem(path, found.into(), hint.into());
        self.lacks.push(lack);
    }

    fn problem(&self, path: &[&str], found: String, hint: String) -> Problem {
        let line = line_of(self.text, path);
        Problem { file: self.file.to_owned(), line, key: Some(path.join(".")), found, hint }
    }

    /// Returns the value; for an error, records the problem and returns the fallback.
    pub fn value_or_fault<T>(&mut self, path: &[&str], value: Result<T, (String, String)>, fallback: T) -> T {
        match value {
            Ok(value) => value,
            Err((found, hint)) => {
                self.fault(path, found, hint);
                fallback
            }
        }
    }

    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError { problems: self.problems }) }
    }

    fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let line = error.span().map(|span| line_at(self.text, span.start));
        let message = error.message();
        let key = error.span().and_then(|span| key_at(self.text, span.start));
        let (found, hint) = unknown_key(message)
            .or_else(|| expected_table(message))
            .unwrap_or_else(|| (message.replace('\n', ", "), "see the commented sample".into()));
        // The value alone does not say which of the keys of a line or table is meant.
        let found = match key {
            Some(key) if !message.starts_with("unknown field") => format!("{key}: {found}"),
            _ => found,
        };
        let key = None;
        ConfigError { problems: vec![Problem { file: self.file.to_owned(), line, key, found, hint }] }
    }
}

/// The error for a file that cannot be read.
pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> ConfigError {
    let hint = match error.kind() {
        std::io::ErrorKind::NotFound => "check the path",
        std::io::ErrorKind::InvalidData => "save it as UTF-8",
        _ => "check that this user may read it",
    };
    let found = format!("cannot be read: {error}");
    let (line, key) = (None, None);
    ConfigError { problems: vec![Problem { file: file.to_owned(), line, key, found, hint: hint.into() }] }
}

/// Translates serde's "unknown field `a`, expected one of `b`, `c`" into the key and the nearest known one.
pub(super) fn unknown_key(message: &str) -> Option<(String, String)> {
    let what = ["unknown field", "unknown variant"].into_iter().find(|what| message.starts_with(what))?;
    let mut words = message.split('`').skip(1).step_by(2);
    let found = words.next()?;
    let known: Vec<&str> = words.collect();
    let noun = if what == "unknown field" { "key" } else { "value" };
    let hint = match nearest(found, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "no key is known here".to_owned(),
        None => format!("known are: {}", known.join(", ")),
    };
    Some((format!("unknown {noun} `{found}`"), hint))
}

/// Translates serde's "invalid type: string "a", expected struct B" into a sentence without the struct's
/// name.
pub(super) fn expected_table(message: &str) -> Option<(String, String)> {
    let (found, _) = message.split_once(", expected struct ")?;
    let hint = "write a table, as in `[section]` or `key = { … }`; see the commented sample";
    Some((format!("{found}, expected a table"), hint.to_owned()))
}

/// The known word that `found` most resembles, if it resembles one.
pub(super) fn nearest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|word| (strsim::osa_distance(found, word), *word))
        .filter(|(distance, word)| *distance <= 1 + word.len() / 3)
        .min()
        .map(|(_, word)| word)
}

fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// The key whose value holds this place of the text.
fn key_at(text: &str, offset: usize) -> Option<String> {
    key_in(DeTable::parse(text).ok()?.get_ref(), offset)
}

/// As [`key_at`]. The span of a table is that of its header alone, so every table is searched.
fn key_in(table: &DeTable<'_>, offset: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let inner = match value.get_ref() {
            DeValue::Table(inner) => key_in(inner, offset),
            _ => None,
        };
        inner.or_else(|| value.span().contains(&offset).then(|| key.get_ref().to_string()))
    })
}

/// The line of the key at `path`, or of the nearest enclosing table that exists.
pub(super) fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let mut line = None;
    for key in path {
        let Some((key, value)) = table.get_key_value(*key) else { break };
        line = Some(line_at(text, key.span().start));
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_key_has_its_line() {
        let text = "name = \"a\"\n\n[retry]\nattempts_max = 3\n[retry.after]\nbusy = \"10m\"\n";
        assert_eq!(line_of(text, &["retry", "after", "busy"]), Some(6));
        assert_eq!(line_of(text, &["retry", "gap_min"]), Some(3));
        assert_eq!(line_of(text, &["keys"]), None);
    }

    #[test]
    fn the_key_of_a_value_is_found() {
        let text = "name = \"a\"\n[trunks.main]\nrtp_follow = \"nat\"\n[keys]\n1 = { repeat = 3 }\n";
        let at = |value: &str| key_at(text, text.find(value).expect(value));
        assert_eq!(at("\"nat\"").as_deref(), Some("rtp_follow"));
        assert_eq!(at("3 }").as_deref(), Some("repeat"));
        assert_eq!(at("\"a\"").as_deref(), Some("name"));
        assert_eq!(key_at("not toml at all", 3), None);
    }

    #[test]
    fn a_wrong_type_for_a_table_is_reported_without_struct_names() {
        let (found, hint) =
            expected_table("invalid type: string \"progressive\", expected struct ShadowTable")
                .expect("a table");
        assert_eq!(found, "invalid type: string \"progressive\", expected a table");
        assert!(hint.contains("table"), "{hint}");
    }

    #[test]
    fn an_unknown_key_is_reported_with_the_nearest_known_one() {
        let message = "unknown field `concurency`, expected one of `ring_secs`, `concurrency_max`";
        let (found, hint) = unknown_key(message).expect("a key");
        assert_eq!(found, "unknown key `concurency`");
        assert_eq!(hint, "did you mean `concurrency_max`?");
    }
}
