//! Files with numbers, names or voices: only the user of the process may read them (0600), in folders that only
//! this user may enter (0700). A folder that exists already is the user's own and stays as it is.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Rights of group and others.
const OTHERS: u32 = 0o077;

/// Creates a folder and its missing parents for this user alone. An existing folder stays unchanged; where others
/// may write into it, and so replace its files, the log says so.
pub fn create_dir(dir: &Path) -> io::Result<()> {
    if let Ok(found) = fs::metadata(dir) {
        // With the sticky bit, as in /tmp, nobody replaces the files of others.
        if found.is_dir() && found.permissions().mode() & 0o1002 == 0o002 {
            tracing::warn!(dir = %dir.display(), "every user of this machine may write into this folder; chmod o-w it");
        }
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Creates or empties a file that only this user may read.
pub fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    restrict(path)?;
    Ok(file)
}

/// Takes the rights of group and others from an existing file.
pub fn restrict(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & OTHERS != 0 {
        fs::set_permissions(path, Permissions::from_mode(mode & 0o7777 & !OTHERS))?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn new_files_and_folders_are_private_and_an_existing_folder_is_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        create_dir(&dir.path().join("a/b")).unwrap();
        create_dir(dir.path()).unwrap();
        assert_eq!((mode(dir.path()), mode(&dir.path().join("a"))), (0o755, 0o700));
        let file = dir.path().join("a/b/numbers.csv");
        fs::write(&file, "open to all").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        create(&file).unwrap();
        assert_eq!((mode(&file), fs::read(&file).unwrap().len()), (0o600, 0));
        fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
        restrict(&file).unwrap();
        assert_eq!(mode(&file), 0o400, "no right is added");
    }
}
