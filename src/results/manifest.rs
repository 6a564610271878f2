//! The manifest of an export: what its files must be, and from which moment and rules they were written, signed with the
//! system's key, so that anybody can check later that nothing was changed.
//!
//! The signature is over the canonical form of `manifest`: JSON with keys in order and no blanks. The document itself is
//! written in one form, so that a changed byte is found even where it means nothing.

use super::signing::{PublicKey, SigningKey, hex};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

/// The form of the document.
const FORM: u32 = 1;

/// What is known of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub paceline_manifest: u32,
    pub export: i64,
    pub what: String,
    pub format: String,
    /// The moment that the rows are of: RFC 3339, in UTC.
    pub moment: String,
    /// Name and version of the program that wrote it.
    pub program: String,
    pub filters: Value,
    /// Whether telephone numbers are masked.
    pub masked: bool,
    /// The rules in force at the moment, by campaign.
    pub rules: Vec<RulesOf>,
    /// The zip that holds the files; none where there is one file.
    pub archive: Option<FileSum>,
    pub files: Vec<FileSum>,
    /// Rows of every file.
    pub rows: u64,
    /// Counts that were taken while rows were written; the rows of each part sum up to `rows` of its file.
    pub counts: Vec<Counts>,
    pub public_key: String,
    pub fingerprint: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesOf {
    pub campaign: String,
    /// Of the campaign's text; 0 = it was never changed in the service.
    pub version: i64,
    /// Of the text.
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSum {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
    /// Without titles.
    pub rows: u64,
    /// Titles, of a table.
    pub columns: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    pub file: String,
    /// What the words are: `outcome`, `state`, …
    pub by: String,
    pub rows: BTreeMap<String, u64>,
    pub sum: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    manifest: Manifest,
    signature: String,
}

/// Why a document is no manifest of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFault {
    #[error("the manifest was changed, or is none: {0}")]
    Unreadable(String),
    #[error("the manifest was changed: its form is not the one in which it was written")]
    Form,
    #[error("the manifest is of form {0}, which a newer program writes: use that one")]
    Newer(u32),
    #[error("the manifest was changed: its signature does not fit what it says")]
    Signature,
    #[error("the manifest was signed with another key: it has {found}, and {wanted} was expected")]
    OtherKey { found: String, wanted: String },
    #[error("the manifest does not reconcile: the counts of {0} do not sum up to its rows")]
    Counts(String),
}

impl Manifest {
    pub const FORM: u32 = FORM;

    /// The document, signed.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn signed(&self, key: &SigningKey) -> io::Result<String> {
        let signature = key.sign(canonical(&serde_json::to_value(self)?).as_bytes());
        let document = serde_json::to_value(Document { manifest: self.clone(), signature })?;
        written(&document)
    }

    /// Reads a document and checks its signature: with `key`, or with the key that it names itself.
    ///
    /// # Errors
    /// What was found, in one sentence.
    pub fn checked(bytes: &[u8], key: Option<PublicKey>) -> Result<Manifest, ManifestFault> {
        let unreadable = |error: serde_json::Error| ManifestFault::Unreadable(error.to_string());
        let value: Value = serde_json::from_slice(bytes).map_err(unreadable)?;
        let form = value["manifest"]["paceline_manifest"].as_u64().unwrap_or_default();
        if form > u64::from(FORM) {
            return Err(ManifestFault::Newer(u32::try_from(form).unwrap_or(u32::MAX)));
        }
        if written(&value).ok().as_deref().map(str::as_bytes) != Some(bytes) {
            return Err(ManifestFault::Form);
        }
        let message = canonical(&value["manifest"]);
        let Document { manifest, signature } = serde_json::from_value(value).map_err(unreadable)?;
        let own = PublicKey::from_hex(&manifest.public_key).ok_or(ManifestFault::Signature)?;
        if !own.has_signed(message.as_bytes(), &signature) {
            return Err(ManifestFault::Signature);
        }
        if let Some(wanted) = key.filter(|key| *key != own) {
            return Err(ManifestFault::OtherKey { found: own.fingerprint(), wanted: wanted.fingerprint() });
        }
        manifest.check_counts()?;
        Ok(manifest)
    }

    /// Whether every count sums up.
    ///
    /// # Errors
    /// The file whose counts do not.
    pub fn check_counts(&self) -> Result<(), ManifestFault> {
        let wrong = |file: &str| ManifestFault::Counts(file.to_owned());
        if self.files.iter().map(|file| file.rows).sum::<u64>() != self.rows {
            return Err(wrong("its files"));
        }
        for counts in &self.counts {
            let file = self.files.iter().find(|file| file.name == counts.file);
            let rows = file.ok_or_else(|| wrong(&counts.file))?.rows;
            let sum: u64 = counts.rows.values().sum();
            if sum != counts.sum || self.counts_of(&counts.file) != rows {
                return Err(wrong(&counts.file));
            }
        }
        Ok(())
    }

    /// Rows of a file by its counts: a workbook has one count a sheet.
    fn counts_of(&self, file: &str) -> u64 {
        self.counts.iter().filter(|counts| counts.file == file).map(|counts| counts.sum).sum()
    }
}

/// The one form in which documents are written.
fn written(document: &Value) -> io::Result<String> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    Ok(text)
}

/// JSON with keys in order and no blanks; numbers are whole.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let ordered: BTreeMap<&String, &Value> = fields.iter().collect();
            let fields = ordered
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// SHA-256 (hex) and length of a file.
///
/// # Errors
/// The file cannot be read.
pub fn file_sum(path: &Path) -> io::Result<(String, u64)> {
    sum_of(&mut std::fs::File::open(path)?)
}

/// SHA-256 (hex) and length of what a reader holds.
///
/// # Errors
/// It cannot be read.
pub fn sum_of(reader: &mut dyn Read) -> io::Result<(String, u64)> {
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match reader.read(&mut piece)? {
            0 => return Ok((hex(&hash.finalize()), bytes)),
            len => {
                hash.update(&piece[..len]);
                bytes += len as u64;
            }
        }
    }
}
