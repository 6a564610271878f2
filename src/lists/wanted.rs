//! Whether the reading of a file is still wanted. A task that is cancelled, or a service that stops, ends the reading at its
//! next byte, wherever in a library it is.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// Each ends the readings of this thread once it is true.
    static ENDS: RefCell<Vec<Arc<AtomicBool>>> = const { RefCell::new(Vec::new()) };
}

/// Does work whose readings end with an error once one of `ends` is true.
pub fn while_wanted<T>(ends: &[Arc<AtomicBool>], work: impl FnOnce() -> T) -> T {
    /// Sets back what was there, after a panic too.
    struct Back(Vec<Arc<AtomicBool>>);
    impl Drop for Back {
        fn drop(&mut self) {
            ENDS.set(std::mem::take(&mut self.0));
        }
    }
    let _back = Back(ENDS.replace(ends.to_vec()));
    work()
}

fn is_wanted() -> bool {
    ENDS.with_borrow(|ends| !ends.iter().any(|end| end.load(Ordering::Acquire)))
}

/// A file that is read as long as that is wanted.
#[derive(Debug)]
pub(crate) struct WantedFile(File);

impl WantedFile {
    pub fn open(path: &Path) -> io::Result<WantedFile> {
        File::open(path).map(WantedFile)
    }
}

impl Read for WantedFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if !is_wanted() {
            return Err(io::Error::other("its reading was cancelled"));
        }
        self.0.read(bytes)
    }
}

impl Seek for WantedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_ends_when_it_is_not_wanted_and_the_next_one_is_free() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("list.csv");
        std::fs::write(&path, "phone\n13800138000\n").expect("a file");
        let end = Arc::new(AtomicBool::new(false));
        let mut file = WantedFile::open(&path).expect("a file");
        while_wanted(std::slice::from_ref(&end), || {
            let mut byte = [0];
            assert_eq!(file.read(&mut byte).expect("a byte"), 1);
            end.store(true, Ordering::Release);
            assert!(file.read(&mut byte).is_err());
        });
        let mut rest = String::new();
        file.read_to_string(&mut rest).expect("the rest");
        assert_eq!(rest, "hone\n13800138000\n");
    }
}
