//! `paceline results verify`: checks files of an export against their manifest, on any machine.

use super::{Failure, config};
use crate::cli::{Exit, Global, ResultsAction, ResultsArgs, VerifyArgs};
use crate::output::{error_line, print_line};
use crate::results::manifest::{FileSum, Manifest, read_manifest};
use crate::results::signing::{PublicKey, SigningKey, signing_key_path};
use crate::results::verify::{VerifyFault, verify_files};
use serde_json::json;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes of a file that holds a key, with room for blanks.
const KEY_BYTES_MAX: u64 = 4_096;

pub async fn results(global: &Global, args: ResultsArgs) -> Result<Exit, Failure> {
    match args.action {
        ResultsAction::Verify(args) => verify(global, &args).await,
    }
}

/// Whether a file looks like a manifest: the signed document names itself.
fn is_manifest(path: &Path) -> bool {
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    is_json && read_manifest(path).is_ok_and(|bytes| has_name(&bytes))
}

fn has_name(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"\"paceline_manifest\"").is_some()
}

async fn verify(global: &Global, args: &VerifyArgs) -> Result<Exit, Failure> {
    let (manifests, mut files): (Vec<PathBuf>, Vec<PathBuf>) =
        args.files.iter().cloned().partition(|path| is_manifest(path));
    let manifest = match manifests.as_slice() {
        [one] => one.clone(),
        // A manifest that does not name itself any more is named by its ending.
        [] => {
            let named = |path: &PathBuf| path.to_string_lossy().ends_with(".manifest.json");
            let at = files.iter().position(named).ok_or_else(|| {
                Failure::usage("none of these files is a manifest: give the .manifest.json beside the files")
            })?;
            files.remove(at)
        }
        _ => return Err(Failure::usage("more than one manifest: check one export at a time")),
    };
    let bytes = read_manifest(&manifest)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", manifest.display())))?;
    let (key, whose) = expected_key(global, args).await?;
    let checked = Manifest::checked(&bytes, key).map_err(Failure::refused)?;
    if files.is_empty() {
        files = files_beside(&checked, &manifest)?;
    }
    let verified = verify_files(&checked, &files).map_err(|fault| match fault {
        VerifyFault::Wrong(_) => Failure::refused(fault),
        VerifyFault::Unreadable { .. } => Failure::usage(fault),
    })?;
    if global.json {
        print_line!(
            "{}",
            json!({
                "ok": true, "files": verified.files, "rows": verified.rows, "moment": checked.moment,
                "fingerprint": checked.fingerprint, "key": whose,
            })
        );
        return Ok(Exit::Done);
    }
    let count = |n: u64, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    let (files, rows) = (count(verified.files.len() as u64, "file"), count(verified.rows, "row"));
    print_line!(
        "whole: {files}, {rows}, as they were at {}; signed by {}",
        checked.moment,
        checked.fingerprint
    );
    if key.is_none() {
        error_line!(
            "the key is the one that the manifest names itself: compare its fingerprint with that of the service, or \
             give --key"
        );
    }
    Ok(Exit::Done)
}

/// The files beside the manifest, under the names that they were written with: the zip, or what it was made of.
fn files_beside(checked: &Manifest, manifest: &Path) -> Result<Vec<PathBuf>, Failure> {
    let beside = |file: &FileSum| manifest.with_file_name(&file.name);
    // One that cannot be looked at is named with its reason when it is read.
    let is_missing = |path: &PathBuf| path.try_exists().is_ok_and(|is_there| !is_there);
    let archive = checked.archive.as_ref().map(beside);
    if let Some(archive) = archive.iter().find(|path| !is_missing(path)) {
        return Ok(vec![archive.clone()]);
    }
    let files: Vec<PathBuf> = checked.files.iter().map(beside).collect();
    let Some(first) = files.iter().find(|path| is_missing(path)) else { return Ok(files) };
    let missing = archive.as_ref().filter(|_| files.iter().all(is_missing)).unwrap_or(first);
    Err(Failure::usage(format!(
        "{} is missing: it must lie beside the manifest; put it there, or give its path too",
        missing.display()
    )))
}

/// The text of a file that holds a key.
fn read_key(path: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(KEY_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// The key that is expected, and whose it is: the one that was given, else that of the store on this machine.
async fn expected_key(
    global: &Global,
    args: &VerifyArgs,
) -> Result<(Option<PublicKey>, &'static str), Failure> {
    if let Some(given) = &args.key {
        let text = read_key(given).unwrap_or_else(|_| given.clone());
        let key = PublicKey::from_hex(&text).ok_or_else(|| {
            Failure::usage(format!("--key {given}: 64 hex digits, or a file that holds them"))
        })?;
        return Ok((Some(key), "given"));
    }
    let config = config(global).await?;
    let store = Path::new(config.store.url.trim_start_matches("sqlite://"));
    match SigningKey::read(&signing_key_path(store)) {
        Ok(key) => Ok((Some(key.public()), "store")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((None, "manifest")),
        Err(error) => Err(Failure::usage(format!("the signing key of the store: {error}"))),
    }
}
