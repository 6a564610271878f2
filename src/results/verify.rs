//! Checks the files of an export against its manifest, and says in one sentence what is wrong.

use super::manifest::{FileSum, Manifest, file_sum, sum_of};
use super::parquet_file;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// What was found to be as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Names of the files, as the manifest has them.
    pub files: Vec<String>,
    pub rows: u64,
}

/// A file that is not as it was written, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFault {
    #[error("{0}")]
    Wrong(String),
    #[error("{path} cannot be read: {error}")]
    Unreadable { path: String, error: io::Error },
}

fn wrong(sentence: impl Into<String>) -> VerifyFault {
    VerifyFault::Wrong(sentence.into())
}

fn base(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Checks these files; each is one of the manifest's, or the zip that holds them. All of them must be among them, alone
/// or in the zip.
///
/// # Errors
/// The first file that is wrong or missing.
pub fn verify_files(manifest: &Manifest, paths: &[PathBuf]) -> Result<Verified, VerifyFault> {
    let mut found: Vec<&str> = Vec::new();
    for path in paths {
        let read = |error| VerifyFault::Unreadable { path: path.display().to_string(), error };
        let (sum, bytes) = file_sum(path).map_err(read)?;
        let name = base(path);
        if let Some(archive) = manifest.archive.as_ref().filter(|it| it.name == name || it.sha256 == sum) {
            check_archive(manifest, archive, path, &sum)?;
            found.extend(manifest.files.iter().map(|file| file.name.as_str()));
            continue;
        }
        // A file that was given another name is known by its content.
        let named = manifest.files.iter().find(|file| file.name == name);
        let file = named.or_else(|| manifest.files.iter().find(|file| file.sha256 == sum));
        let Some(file) = file else {
            return Err(wrong(format!(
                "{name}: the manifest names no such file, and no file with this content"
            )));
        };
        if file.sha256 != sum {
            let rows = count_rows(path);
            return Err(wrong(difference(manifest, file, &sum, bytes, rows)));
        }
        if count_rows(path).is_some_and(|rows| rows != file.rows) {
            return Err(wrong(format!(
                "{name}: the manifest says {} rows, and the file has others",
                file.rows
            )));
        }
        found.push(&file.name);
    }
    if let Some(missing) = manifest.files.iter().find(|file| !found.contains(&file.name.as_str())) {
        let sentence = format!("{} is missing: the manifest names it, and it was not given", missing.name);
        return Err(wrong(sentence));
    }
    Ok(Verified { files: manifest.files.iter().map(|file| file.name.clone()).collect(), rows: manifest.rows })
}

/// What the difference of a file is, in one sentence.
fn difference(manifest: &Manifest, file: &FileSum, sum: &str, bytes: u64, rows: Option<u64>) -> String {
    let name = &file.name;
    if let Some(other) = manifest.files.iter().find(|other| other.sha256 == sum) {
        return format!("{name} was swapped: it holds what {} was written with", other.name);
    }
    match rows {
        Some(rows) if rows < file.rows => {
            format!("{name}: {} of {} rows are missing", file.rows - rows, file.rows)
        }
        Some(rows) if rows > file.rows => {
            format!("{name}: it has {rows} rows, and was written with {}", file.rows)
        }
        _ if bytes != file.bytes => {
            format!("{name} was changed: it has {bytes} bytes, and was written with {}", file.bytes)
        }
        _ => format!("{name} was changed: its SHA-256 is not the manifest's"),
    }
}

fn check_archive(manifest: &Manifest, archive: &FileSum, path: &Path, sum: &str) -> Result<(), VerifyFault> {
    if archive.sha256 == sum {
        return Ok(());
    }
    let name = &archive.name;
    let damaged = || wrong(format!("{name} was changed: it is no whole zip any more"));
    let mut zip = File::open(path)
        .map_err(|_| damaged())
        .and_then(|file| zip::ZipArchive::new(BufReader::new(file)).map_err(|_| damaged()))?;
    for file in &manifest.files {
        let missing = || wrong(format!("{name}: {} is missing in it", file.name));
        let (sum, bytes) = {
            let mut member = zip.by_name(&file.name).map_err(|_| missing())?;
            sum_of(&mut member).map_err(|_| damaged())?
        };
        if sum != file.sha256 {
            let member = zip.by_name(&file.name).map_err(|_| missing())?;
            let rows = rows_of(member, &file.name);
            return Err(wrong(format!("{name}: {}", difference(manifest, file, &sum, bytes, rows))));
        }
    }
    Err(wrong(format!(
        "{name} was changed: its files are whole, and the zip around them is not as it was written"
    )))
}

/// Rows of a file that can be counted; `None` = this format is not, or the file is damaged.
fn count_rows(path: &Path) -> Option<u64> {
    match path.extension()?.to_str()? {
        "parquet" => parquet_file::rows(path).ok(),
        _ => rows_of(BufReader::new(File::open(path).ok()?), &base(path)),
    }
}

fn rows_of(reader: impl Read, name: &str) -> Option<u64> {
    if Path::new(name).extension().is_none_or(|extension| extension != "csv") {
        return None;
    }
    let mut rows = 0;
    let mut records = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let mut record = csv::ByteRecord::new();
    while records.read_byte_record(&mut record).ok()? {
        rows += 1;
    }
    Some(rows)
}
