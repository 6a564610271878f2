//! The settings of `paceline.toml` as the operator is shown them: every key with its value and where the value comes
//! from. Secrets are not among the values.

use super::Config;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the settings that are no defaults come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// The file that was read.
    pub(super) file: Option<PathBuf>,
    /// Paths of the keys that it sets.
    pub(super) in_file: Vec<Vec<String>>,
    /// Line of each `[trunks.NAME]` in it.
    pub(super) trunk_lines: BTreeMap<String, usize>,
    /// Environment variables with the paths of the keys that they set, the later one wins.
    pub(super) variables: Vec<(String, Vec<String>)>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    /// The variable's name.
    Environment(String),
}

/// One setting.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownSetting {
    /// `http.listen`, `trunks.main.uri`
    pub key: String,
    /// `null` = a secret that is set.
    pub value: Value,
    pub origin: Origin,
}

impl Config {
    /// Every setting, in the order of their keys.
    pub fn shown(&self) -> Vec<ShownSetting> {
        let whole = serde_json::to_value(self).unwrap_or_default();
        let mut shown = Vec::new();
        self.push(&mut Vec::new(), &whole, &mut shown);
        shown
    }

    fn push(&self, path: &mut Vec<String>, value: &Value, shown: &mut Vec<ShownSetting>) {
        let Value::Object(fields) = value else {
            let value = if is_secret(path, value) { Value::Null } else { without_password(value) };
            return shown.push(ShownSetting { key: path.join("."), value, origin: self.origin(path) });
        };
        for (name, value) in fields {
            path.push(name.clone());
            self.push(path, value, shown);
            path.pop();
        }
    }

    /// Where the trunk of this name is set: the file with its line, or an environment variable.
    pub fn trunk_place(&self, name: &str) -> Option<(String, Option<usize>)> {
        if !self.trunks.contains_key(name) {
            return None;
        }
        if let (Some(file), Some(line)) = (&self.origins.file, self.origins.trunk_lines.get(name)) {
            return Some((file.display().to_string(), Some(*line)));
        }
        let is_of = |path: &Vec<String>| {
            path.first().is_some_and(|it| it == "trunks") && path.get(1).is_some_and(|it| it == name)
        };
        let variable = self.origins.variables.iter().find(|(_, path)| is_of(path));
        Some(variable.map_or_else(|| ("paceline.toml".to_owned(), None), |(name, _)| (name.clone(), None)))
    }

    fn origin(&self, path: &[String]) -> Origin {
        let sets = |of: &[String]| path.starts_with(of);
        let variables = self.origins.variables.iter().rev();
        if let Some((name, _)) = variables.into_iter().find(|(_, of)| sets(of)) {
            return Origin::Environment(name.clone());
        }
        match &self.origins.file {
            Some(file) if self.origins.in_file.iter().any(|of| sets(of)) => Origin::File(file.clone()),
            _ => Origin::Default,
        }
    }
}

/// A password that is set; an empty one is shown as empty.
fn is_secret(path: &[String], value: &Value) -> bool {
    let is_secret_key = path.last().is_some_and(|key| key.contains("password") || key.contains("secret"));
    is_secret_key && value.as_str().is_none_or(|text| !text.is_empty())
}

/// `postgres://user:secret@host/db` without its password.
fn without_password(value: &Value) -> Value {
    let Some(text) = value.as_str() else { return value.clone() };
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if text[scheme + 3..at].contains(':') => {
            let user = text[scheme + 3..at].split(':').next().unwrap_or_default();
            format!("{}{user}:…{}", &text[..scheme + 3], &text[at..]).into()
        }
        _ => value.clone(),
    }
}

/// Paths of every value in a table.
pub(super) fn paths(table: &toml::Table) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (name, value) in table {
        match value {
            toml::Value::Table(inner) => {
                found.extend(paths(inner).into_iter().map(|mut path| {
                    path.insert(0, name.clone());
                    path
                }));
            }
            _ => found.push(vec![name.clone()]),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_setting_names_its_origin_and_no_secret_is_shown() {
        let text = "[http]\nlisten = \"127.0.0.1:9000\"\n[trunks.main]\nuri = \"sip:carrier.example\"\n\
                    username = \"u\"\npassword = \"hush hush\"\n";
        let env = [("PACELINE_NODE__DRAIN_SECS".to_owned(), "7".to_owned())];
        let config = Config::parse(Path::new("paceline.toml"), text, env).unwrap();
        let shown = config.shown();
        let of = |key: &str| shown.iter().find(|it| it.key == key).unwrap_or_else(|| panic!("{key}"));
        let file = Origin::File("paceline.toml".into());
        assert_eq!((&of("http.listen").value, &of("http.listen").origin), (&"127.0.0.1:9000".into(), &file));
        let drain = of("node.drain_secs");
        let variable = Origin::Environment("PACELINE_NODE__DRAIN_SECS".into());
        assert_eq!((&drain.value, &drain.origin), (&7.into(), &variable));
        assert_eq!(of("store.url").origin, Origin::Default);
        assert_eq!(of("trunks.main.password").value, Value::Null);
        assert!(!format!("{shown:?}").contains("hush"));
        assert_eq!(without_password(&"postgres://u:p@h/d".into()), "postgres://u:…@h/d");
        assert_eq!(without_password(&"sqlite://paceline.db".into()), "sqlite://paceline.db");
    }
}
