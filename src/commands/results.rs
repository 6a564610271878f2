//! `paceline results verify`: checks files of an export against their manifest, on any machine.

use super::{Failure, config};
use crate::cli::{Exit, Global, ResultsAction, ResultsArgs, VerifyArgs};
use crate::output::{error_line, print_line};
use crate::results::manifest::Manifest;
use crate::results::signing::{PublicKey, SigningKey, signing_key_path};
use crate::results::verify::{VerifyFault, verify_files};
use serde_json::json;
use std::path::{Path, PathBuf};

/// A manifest is some kilobytes; with many recordings some megabytes.
const MANIFEST_MAX: u64 = 256 << 20;

pub async fn results(global: &Global, args: ResultsArgs) -> Result<Exit, Failure> {
    match args.action {
        ResultsAction::Verify(args) => verify(global, &args).await,
    }
}

/// Whether a file looks like a manifest: the signed document names itself.
fn is_manifest(path: &Path) -> bool {
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let is_small = std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= MANIFEST_MAX);
    is_json && is_small && std::fs::read(path).is_ok_and(|bytes| has_name(&bytes))
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
    let bytes = std::fs::read(&manifest)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", manifest.display())))?;
    let (key, whose) = expected_key(global, args).await?;
    let checked = Manifest::checked(&bytes, key).map_err(Failure::refused)?;
    if files.is_empty() {
        // The files lie beside the manifest, under the names that they were written with.
        let beside = |name: &str| manifest.with_file_name(name);
        files = match &checked.archive {
            Some(archive) if beside(&archive.name).exists() => vec![beside(&archive.name)],
            _ => checked.files.iter().map(|file| beside(&file.name)).collect(),
        };
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

/// The key that is expected, and whose it is: the one that was given, else that of the store on this machine.
async fn expected_key(
    global: &Global,
    args: &VerifyArgs,
) -> Result<(Option<PublicKey>, &'static str), Failure> {
    if let Some(given) = &args.key {
        let text = std::fs::read_to_string(given).unwrap_or_else(|_| given.clone());
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
