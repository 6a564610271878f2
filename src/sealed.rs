//! Secrets that the store must be able to say again, such as passwords of trunks, under a key that lies in a file of its
//! own: a copy of the database alone gives none of them away.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a random nonce, written as hex: nonce, ciphertext, tag. What the
//! secret belongs to is authenticated with it, so one row's secret is of no use in another.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use std::fmt;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const KEY: usize = 32;
const NONCE: usize = 24;

/// The key of an installation.
#[derive(Clone)]
pub struct SealKey {
    cipher: XChaCha20Poly1305,
}

#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("the key file {file} cannot be used: {source}")]
    File { file: PathBuf, source: io::Error },
    #[error("the key file {file} has no key: it has other than 64 hexadecimal digits")]
    NoKey { file: PathBuf },
    #[error("it was sealed under another key")]
    OtherKey,
    #[error("the random number generator of this machine failed")]
    NoRandom,
}

/// Without the key, so that no log line holds it.
impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey")
    }
}

impl SealKey {
    /// Reads the key, or makes one where there is no such file: for its owner alone.
    ///
    /// # Errors
    /// The file cannot be read or made, or holds no key.
    pub fn load_or_make(file: &Path) -> Result<SealKey, SealError> {
        let failed = |source| SealError::File { file: file.to_owned(), source };
        match std::fs::read_to_string(file) {
            Ok(text) => {
                let bytes = unhex(text.trim()).filter(|bytes| bytes.len() == KEY);
                let bytes = bytes.ok_or_else(|| SealError::NoKey { file: file.to_owned() })?;
                SealKey::of(&bytes).ok_or_else(|| SealError::NoKey { file: file.to_owned() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut bytes = [0; KEY];
                getrandom::fill(&mut bytes).map_err(|_| SealError::NoRandom)?;
                let mut options = std::fs::OpenOptions::new();
                let made = options.write(true).create_new(true).mode(0o600).open(file);
                let mut made = made.map_err(failed)?;
                made.write_all(format!("{}\n", hex(&bytes)).as_bytes()).map_err(failed)?;
                made.sync_all().map_err(failed)?;
                SealKey::of(&bytes).ok_or_else(|| SealError::NoKey { file: file.to_owned() })
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn of(bytes: &[u8]) -> Option<SealKey> {
        Some(SealKey { cipher: XChaCha20Poly1305::new_from_slice(bytes).ok()? })
    }

    /// `of` = what the secret belongs to. An empty secret stays empty.
    pub fn seal(&self, secret: &str, of: &str) -> Result<String, SealError> {
        if secret.is_empty() {
            return Ok(String::new());
        }
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SealError::NoRandom)?;
        let payload = Payload { msg: secret.as_bytes(), aad: of.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::NoRandom)?;
        Ok(hex(&nonce) + &hex(&sealed))
    }

    /// # Errors
    /// It was sealed under another key, for something else, or is damaged.
    pub fn open(&self, sealed: &str, of: &str) -> Result<String, SealError> {
        if sealed.is_empty() {
            return Ok(String::new());
        }
        let bytes = unhex(sealed).filter(|bytes| bytes.len() > NONCE).ok_or(SealError::OtherKey)?;
        let (nonce, body) = bytes.split_at(NONCE);
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| SealError::OtherKey)?;
        let payload = Payload { msg: body, aad: of.as_bytes() };
        let opened = self.cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::OtherKey)?;
        String::from_utf8(opened).map_err(|_| SealError::OtherKey)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_is_said_again_under_its_key_for_its_owner_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("paceline.secret");
        let key = SealKey::load_or_make(&file).expect("a key");
        let sealed = key.seal("密码 5 words", "trunk 3").expect("sealed");
        assert!(!sealed.contains("words") && sealed != key.seal("密码 5 words", "trunk 3").expect("sealed"));
        assert_eq!(std::fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
        let again = SealKey::load_or_make(&file).expect("the same key");
        assert_eq!(again.open(&sealed, "trunk 3").expect("opened"), "密码 5 words");
        assert!(matches!(again.open(&sealed, "trunk 4"), Err(SealError::OtherKey)));
        let other = SealKey::load_or_make(&dir.path().join("other.secret")).expect("another key");
        assert!(matches!(other.open(&sealed, "trunk 3"), Err(SealError::OtherKey)));
        assert_eq!(key.open(&key.seal("", "x").expect("sealed"), "x").expect("opened"), "");
        std::fs::write(&file, "no key").expect("written");
        assert!(matches!(SealKey::load_or_make(&file), Err(SealError::NoKey { .. })));
    }
}
