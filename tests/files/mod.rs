//! The object store: what is complete is there under a private name, what is not leaves nothing.

use futures_util::stream;
use paceline::files::{Files, Kind, Limits, PutError, Reserve};
use paceline_core::time::Utc;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

const NOW: Utc = Utc::from_millis(1_795_996_800_000);
const NO_RESERVE: Reserve = Reserve { bytes: 0, percent: 0 };
const LIMITS: Limits = Limits { bytes: 1_000_000, idle: Duration::from_secs(20) };

type Piece = Result<Vec<u8>, String>;

fn pieces(all: Vec<Piece>) -> impl futures_util::Stream<Item = Piece> {
    stream::iter(all)
}

/// Every file below a folder, relative to it.
fn all_files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path.strip_prefix(root).unwrap().display().to_string()),
            }
        }
    }
    found
}

#[tokio::test]
async fn an_object_is_private_hashed_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("files");
    let files = Files::open_with(&root, NO_RESERVE).unwrap();
    let body = vec![Ok(b"abc".to_vec()), Ok(vec![7; 100_000]), Ok(Vec::new())];
    let stored = files.put(3, Kind::List, NOW, Some(100_003), LIMITS, pieces(body)).await.unwrap();
    let mut whole = b"abc".to_vec();
    whole.extend(vec![7; 100_000]);
    assert_eq!(stored.bytes, 100_003);
    assert_eq!(stored.sha256.to_vec(), Sha256::digest(&whole).to_vec());
    assert!(stored.path.starts_with("3/list/2026-11/"), "{}", stored.path);
    let file = files.file(&stored.path).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), whole);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap()), mode(&root)), (0o600, 0o700, 0o700));
    assert_eq!(all_files(&root), std::slice::from_ref(&stored.path));
    files.delete(&stored.path).unwrap();
    files.delete(&stored.path).unwrap();
    assert_eq!(all_files(&root), Vec::<String>::new());
}

#[tokio::test]
async fn an_upload_that_is_not_complete_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::open_with(dir.path(), NO_RESERVE).unwrap();
    let put = async |announced, limits, body: Vec<Piece>| {
        files.put(1, Kind::Audio, NOW, announced, limits, pieces(body)).await.unwrap_err()
    };
    let few = Limits { bytes: 10, ..LIMITS };
    let error = put(Some(11), few, vec![]).await;
    assert!(matches!(error, PutError::TooLarge { limit: 10 }), "{error}");
    let error = put(None, few, vec![Ok(vec![1; 10]), Ok(vec![1])]).await;
    assert!(matches!(error, PutError::TooLarge { limit: 10 }), "{error}");
    let error = put(None, LIMITS, vec![Ok(vec![1; 10]), Err("reset".into())]).await;
    assert!(matches!(&error, PutError::Broken { bytes: 10, why } if why == "reset"), "{error}");
    let error = put(Some(11), LIMITS, vec![Ok(vec![1; 10])]).await;
    assert!(matches!(error, PutError::Short { announced: 11, bytes: 10 }), "{error}");
    // A sender that goes silent.
    let silent = stream::pending::<Piece>();
    let soon = Limits { idle: Duration::from_millis(20), ..LIMITS };
    let error = files.put(1, Kind::Audio, NOW, None, soon, silent).await.unwrap_err();
    assert!(matches!(error, PutError::Idle { .. }), "{error}");
    assert_eq!(all_files(dir.path()), Vec::<String>::new());
    // What a killed process left is removed by the next.
    std::fs::write(dir.path().join("tmp/half"), "x").unwrap();
    drop(Files::open_with(dir.path(), NO_RESERVE).unwrap());
    assert_eq!(all_files(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_nearly_full_disk_takes_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::open_with(dir.path(), Reserve { bytes: u64::MAX / 2, percent: 0 }).unwrap();
    let error = files.put(1, Kind::List, NOW, None, LIMITS, pieces(vec![Ok(vec![1])])).await.unwrap_err();
    assert!(matches!(error, PutError::DiskLow), "{error}");
    let all = Files::open_with(dir.path(), Reserve { bytes: 0, percent: 100 }).unwrap();
    assert!(!all.has_room(1).unwrap());
}

#[test]
fn paths_of_others_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::open_with(dir.path(), NO_RESERVE).unwrap();
    for path in [
        "../../etc/passwd",
        "/etc/passwd/a/b",
        "1/list/../x",
        "1/list/2026-11/../../x",
        "a/b/c",
        "a/b/c/d.e",
        "",
    ] {
        assert!(files.file(path).is_err(), "{path}");
        assert!(files.delete(path).is_err(), "{path}");
    }
}

#[tokio::test]
async fn old_objects_without_a_row_are_swept() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::open_with(dir.path(), NO_RESERVE).unwrap();
    let mut paths = Vec::new();
    for byte in 0..3 {
        let stored = files.put(1, Kind::List, NOW, None, LIMITS, pieces(vec![Ok(vec![byte])])).await;
        paths.push(stored.unwrap().path);
    }
    let day = Duration::from_secs(24 * 3_600);
    let long_ago = SystemTime::now() - day * 2;
    for path in &paths[..2] {
        let file = std::fs::OpenOptions::new().write(true).open(files.file(path).unwrap()).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    let known = BTreeSet::from([paths[0].clone()]);
    assert_eq!(files.sweep(&known, SystemTime::now()).unwrap(), 1);
    let mut left = all_files(dir.path());
    left.sort();
    let mut wanted = vec![paths[0].clone(), paths[2].clone()];
    wanted.sort();
    assert_eq!(left, wanted, "the one with a row and the young one stay");
}
