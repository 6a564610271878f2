//! Recordings of the calls that match, in a zip, with the table of their calls.

use super::super::context::{TaskEnd, Words};
use super::{Export, zip_options};
use crate::results::Format;
use crate::results::export::attempt_columns;
use crate::results::manifest::{FileSum, sum_of};
use crate::results::shape::Shape;
use paceline_core::ids::AttemptId;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// Bytes of sound in one export.
const BYTES_MAX: u64 = 8 << 30;

/// A recording's file below the folder of recordings; `None` = it is not there, or its path leads out.
fn resolve(root: &Path, kept: &str) -> Option<PathBuf> {
    let path = Path::new(kept);
    let path = path.strip_prefix(root).unwrap_or(path);
    if !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return None;
    }
    let root = std::fs::canonicalize(root).ok()?;
    let file = std::fs::canonicalize(root.join(path)).ok()?;
    (file.starts_with(&root) && file.is_file()).then_some(file)
}

/// Hashes and counts what is read.
struct Summed<R> {
    reader: R,
    hash: sha2::Sha256,
    bytes: u64,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(into)?;
        sha2::Digest::update(&mut self.hash, &into[..len]);
        self.bytes += len as u64;
        Ok(len)
    }
}

impl Export<'_, '_> {
    pub(super) fn recordings(mut self) -> Result<Value, TaskEnd> {
        self.filters.recorded = Some(true);
        "csv".clone_into(&mut self.row.format);
        debug_assert_eq!(self.format().ok(), Some(Format::Csv));
        let shape = Shape::of(&attempt_columns(), &self.columns, self.is_masked());
        let mut part = self.begin_part("attempts", &shape)?;
        let mut calls = Vec::new();
        self.fill_attempts(&mut part, &shape, &mut |ids| calls.extend_from_slice(ids))?;
        self.end_part(part)?;
        "zip".clone_into(&mut self.row.format);

        let table = self.parts.pop().ok_or_else(|| io::Error::other("an export without a table"))?;
        let root = PathBuf::from(&self.context.shared.parts.config.recordings.dir);
        let mut temporary = self.context.shared.parts.files.create()?;
        let file = std::fs::OpenOptions::new().write(true).open(temporary.path())?;
        let mut archive = zip::ZipWriter::new(file);
        let (sha256, bytes) = sum_of(&mut File::open(table.temporary.path())?)?;
        let mut sums = vec![FileSum {
            name: table.name.clone(),
            bytes,
            sha256,
            rows: table.rows,
            columns: table.columns,
        }];
        archive.start_file(table.name.as_str(), zip_options())?;
        self.copy(&mut File::open(table.temporary.path())?, &mut archive)?;
        let (mut total, mut missing) = (0_u64, 0_u64);
        let all = calls.len() as u64;
        for (done, call) in calls.into_iter().enumerate() {
            let parts = self.context.wait(self.reader.recording(AttemptId(call)))?;
            for (at, part) in parts.iter().enumerate() {
                let Some(path) = resolve(&root, &part.path) else {
                    missing += 1;
                    continue;
                };
                let extension = path.extension().and_then(|it| it.to_str()).unwrap_or("wav").to_owned();
                let name = format!("recordings/{call}-{}.{extension}", at + 1);
                // Sound is packed hardly at all.
                archive.start_file(
                    name.as_str(),
                    zip_options().compression_method(zip::CompressionMethod::Stored),
                )?;
                let mut sound = Summed { reader: File::open(path)?, hash: sha2::Digest::new(), bytes: 0 };
                total += self.copy(&mut sound, &mut archive)?;
                let sha256 = super::hex(&sha2::Digest::finalize(sound.hash));
                sums.push(FileSum { name, bytes: sound.bytes, sha256, rows: 0, columns: Vec::new() });
                if total > BYTES_MAX {
                    return Err(TaskEnd::Failed(Words::new(
                        "more than 8 GiB of recordings: ask for a shorter span",
                        "录音超过 8 GiB:请缩小时间范围",
                    )));
                }
            }
            self.context.progress(done as u64 + 1, all)?;
            if (done + 1).is_multiple_of(64) {
                self.check_disk()?;
            }
        }
        archive.finish()?;
        temporary.measure()?;
        self.remarks = json!({ "recordings": sums.len() - 1, "missing": missing });
        self.finish(temporary, sums, true)
    }
}
