//! The key that manifests are signed with (Ed25519): a seed in a file beside the store, readable by its owner alone,
//! made when it is needed first.

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Path of the signing key of a store.
pub fn signing_key_path(store: &Path) -> PathBuf {
    let mut name = store.file_name().unwrap_or_default().to_owned();
    name.push(".signing");
    store.with_file_name(name)
}

/// A key that signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// Reads the key, or makes one.
    ///
    /// # Errors
    /// The file cannot be read or written, or is no key.
    pub fn open(path: &Path) -> io::Result<SigningKey> {
        match SigningKey::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            read => return read,
        }
        let mut seed = [0; 32];
        SystemRandom::new()
            .fill(&mut seed)
            .map_err(|_| io::Error::other("the system gives no random numbers"))?;
        match write_new(path, &hex(&seed)) {
            // Another task was first.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            written => written?,
        }
        SigningKey::read(path)
    }

    /// Reads the key.
    ///
    /// # Errors
    /// As [`SigningKey::open`], and where there is none.
    pub fn read(path: &Path) -> io::Result<SigningKey> {
        let text = std::fs::read_to_string(path)?;
        let damaged =
            || io::Error::new(io::ErrorKind::InvalidData, format!("{} is no signing key", path.display()));
        let seed: [u8; 32] = unhex(text.trim()).ok_or_else(damaged)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| damaged())?;
        Ok(SigningKey { pair })
    }

    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(key)
    }

    /// The signature, in hex.
    pub fn sign(&self, message: &[u8]) -> String {
        hex(self.pair.sign(message).as_ref())
    }
}

/// Writes a file that must not be there yet, whole or not at all.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension(format!("signing.{}", std::process::id()));
    let _ = std::fs::remove_file(&temporary);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    // A link fails where the name is taken; a rename would replace another task's key.
    let linked = std::fs::hard_link(&temporary, path);
    std::fs::remove_file(&temporary)?;
    linked
}

/// A key that signatures are checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// From 64 hex digits.
    pub fn from_hex(text: &str) -> Option<PublicKey> {
        unhex(text.trim()).map(PublicKey)
    }

    pub fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// The first 16 bytes of its SHA-256 in groups of four digits, to be compared by eye.
    pub fn fingerprint(self) -> String {
        let digits = hex(&Sha256::digest(self.0)[..16]);
        digits.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four)).collect::<Vec<_>>().join(" ")
    }

    /// Whether the signature (hex) over the message was made with this key.
    pub fn has_signed(self, message: &[u8], signature: &str) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        unhex::<64>(signature).is_some_and(|signature| key.verify(message, &signature).is_ok())
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lower-case hex of exactly this length.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}
