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
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The form of the document.
const FORM: u32 = 1;

/// Bytes of a manifest that is read.
const BYTES_MAX: u64 = 64 << 20;

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
    #[error("the manifest is forged: the fingerprint that it names is not that of its key, which is {0}")]
    Fingerprint(String),
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
        // People compare the fingerprint by eye: one that only stands in the text would vouch for any key.
        if manifest.fingerprint != own.fingerprint() {
            return Err(ManifestFault::Fingerprint(own.fingerprint()));
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
        if sum(self.files.iter().map(|file| file.rows)) != u128::from(self.rows) {
            return Err(wrong("its files"));
        }
        for counts in &self.counts {
            let file = self.files.iter().find(|file| file.name == counts.file);
            let rows = file.ok_or_else(|| wrong(&counts.file))?.rows;
            // A workbook has one count a sheet.
            let of_file = self.counts.iter().filter(|it| it.file == counts.file);
            if sum(counts.rows.values().copied()) != u128::from(counts.sum)
                || sum(of_file.map(|it| it.sum)) != u128::from(rows)
            {
                return Err(wrong(&counts.file));
            }
        }
        Ok(())
    }
}

/// A sum that cannot overflow: counts that somebody made up may be of any size.
fn sum(rows: impl Iterator<Item = u64>) -> u128 {
    rows.map(u128::from).sum()
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

/// Opens a file, also by a link. Pipes and devices may have no end, and to open a pipe alone may wait without one.
fn open_regular(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path)?.is_file() {
        return File::open(path);
    }
    let sentence = "it is a folder, a pipe or a device; name a regular file";
    Err(io::Error::new(io::ErrorKind::InvalidInput, sentence))
}

/// The bytes of a manifest.
///
/// # Errors
/// The file cannot be read, is no regular one, or is larger than a manifest may be.
pub fn read_manifest(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        let sentence = format!("a manifest has at most {} MiB", BYTES_MAX >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, sentence));
    }
    Ok(bytes)
}

/// SHA-256 (hex) and length of a file.
///
/// # Errors
/// The file cannot be read, or is no regular one.
pub fn file_sum(path: &Path) -> io::Result<(String, u64)> {
    sum_of(&mut open_regular(path)?)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn key(dir: &Path, name: &str) -> SigningKey {
        SigningKey::open(&dir.join(name)).unwrap()
    }

    /// A manifest of one file with three rows.
    fn manifest(key: &SigningKey) -> Manifest {
        let file = FileSum {
            name: "attempts.csv".to_owned(),
            bytes: 10,
            sha256: "00".to_owned(),
            rows: 3,
            columns: Vec::new(),
        };
        let counts = Counts {
            file: file.name.clone(),
            by: "outcome".to_owned(),
            rows: BTreeMap::from([("answered".to_owned(), 2), ("busy".to_owned(), 1)]),
            sum: 3,
        };
        Manifest {
            paceline_manifest: FORM,
            export: 1,
            what: "attempts".to_owned(),
            format: "csv".to_owned(),
            moment: "2026-03-02T01:00:00Z".to_owned(),
            program: "paceline".to_owned(),
            filters: Value::Null,
            masked: false,
            rules: Vec::new(),
            archive: None,
            files: vec![file],
            rows: 3,
            counts: vec![counts],
            public_key: key.public().to_hex(),
            fingerprint: key.public().fingerprint(),
        }
    }

    #[test]
    fn a_fingerprint_that_is_not_of_the_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, other) = (key(dir.path(), "ours"), key(dir.path(), "other"));
        let own = manifest(&other);
        assert_eq!(Manifest::checked(own.signed(&other).unwrap().as_bytes(), None).as_ref(), Ok(&own));
        let forged = Manifest { fingerprint: ours.public().fingerprint(), ..own };
        let fault = Manifest::checked(forged.signed(&other).unwrap().as_bytes(), None).unwrap_err();
        assert!(matches!(fault, ManifestFault::Fingerprint(_)), "{fault}");
    }

    #[test]
    fn counts_that_pass_the_end_of_their_numbers_do_not_reconcile() {
        let dir = tempfile::tempdir().unwrap();
        let whole = manifest(&key(dir.path(), "ours"));
        assert_eq!(whole.check_counts(), Ok(()));
        // Each sum is 3 again where only 64 bits of it are kept.
        let (mut files, mut words, mut sums) = (whole.clone(), whole.clone(), whole.clone());
        for (name, n) in [("a", u64::MAX), ("b", 1)] {
            files.files.push(FileSum { name: name.to_owned(), rows: n, ..whole.files[0].clone() });
            words.counts[0].rows.insert(name.to_owned(), n);
            let rows = BTreeMap::from([(name.to_owned(), n)]);
            sums.counts.push(Counts { rows, sum: n, ..whole.counts[0].clone() });
        }
        let wrong = |file: &str| Err(ManifestFault::Counts(file.to_owned()));
        assert_eq!(files.check_counts(), wrong("its files"));
        assert_eq!(words.check_counts(), wrong("attempts.csv"));
        assert_eq!(sums.check_counts(), wrong("attempts.csv"));
    }

    #[test]
    fn only_regular_files_are_read_and_a_manifest_is_not_read_without_end() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link, device) =
            (dir.path().join("a.csv"), dir.path().join("b.csv"), dir.path().join("c.csv"));
        std::fs::write(&file, "a\n1\n").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        // It ends at once, so that a program which reads it fails this test and does not hang in it.
        std::os::unix::fs::symlink("/dev/null", &device).unwrap();
        assert_eq!(file_sum(&link).unwrap(), file_sum(&file).unwrap());
        assert_eq!(read_manifest(&link).unwrap(), b"a\n1\n");
        for path in [device.as_path(), dir.path()] {
            assert_eq!(file_sum(path).unwrap_err().kind(), io::ErrorKind::InvalidInput);
            assert_eq!(read_manifest(path).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        let sparse = File::create(&file).unwrap();
        sparse.set_len(BYTES_MAX).unwrap();
        assert_eq!(read_manifest(&file).unwrap().len() as u64, BYTES_MAX);
        sparse.set_len(BYTES_MAX + 1).unwrap();
        assert_eq!(read_manifest(&file).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
