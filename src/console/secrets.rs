//! Passwords, session cookies and bearer tokens: generated, hashed and compared. The store keeps hashes
//! only (argon2id for passwords, SHA-256 for cookies and tokens, HA1 for SIP).

use super::problem::Problem;
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use paceline_core::sip::auth::PasswordHash;
use sha2::{Digest, Sha256};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Hashes at once; the others queue. One takes 19 MiB and tens of milliseconds.
const HASHING_AT_ONCE: usize = 2;

/// In bytes; bounds the work of hashing.
pub const PASSWORD_MAX: usize = 256;

const PASSWORD_MIN: usize = 8;

/// Has no letters that look alike: agents type these passwords into phones.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyzACDEFHJK2";

/// Hashes and compares passwords, `HASHING_AT_ONCE` at a time.
#[derive(Clone, Debug)]
pub struct Hasher {
    permits: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        Hasher { permits: Arc::new(Semaphore::new(HASHING_AT_ONCE)) }
    }
}

impl Hasher {
    /// The argon2id hash of a password, with parameters and salt.
    pub async fn hash(&self, password: &str) -> Result<String, Problem> {
        let password = password.to_owned();
        self.work(move || hashed(&password)).await
    }

    /// Whether the password matches the hash. An account without a password (`kept` empty) and an unknown
    /// account take the same time, so that timing tells a guesser nothing.
    pub async fn is_right(&self, password: &str, kept: &str) -> Result<bool, Problem> {
        let (password, kept) = (password.to_owned(), kept.to_owned());
        self.work(move || {
            let stand_in = if kept.is_empty() { dummy_hash()? } else { kept.as_str() };
            let parsed = phc::PasswordHash::new(stand_in).map_err(|error| error.to_string())?;
            let right = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
            Ok(right && !kept.is_empty())
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = self.permits.clone().acquire_owned().await.map_err(Problem::internal)?;
        let worked = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also when the request was dropped.
            let _permit = permit;
            work()
        });
        worked.await.map_err(Problem::internal)?.map_err(Problem::internal)
    }
}

fn hashed(password: &str) -> Result<String, String> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

/// Hash of a random password, compared with for unknown accounts.
fn dummy_hash() -> Result<&'static str, String> {
    static DUMMY: OnceLock<String> = OnceLock::new();
    if let Some(kept) = DUMMY.get() {
        return Ok(kept);
    }
    let made = hashed(&random_password().map_err(|_| "no chance at hand")?)?;
    Ok(DUMMY.get_or_init(|| made))
}

/// Checks the length of a new password.
pub fn check_password(password: &str) -> Result<(), Problem> {
    let chars = password.chars().count();
    if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&chars) {
        return Err(Problem::of_field(
            "/password",
            &format!("a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters"),
            &format!("密码为 {PASSWORD_MIN} 到 {PASSWORD_MAX} 个字符"),
        ));
    }
    Ok(())
}

/// A random password that a person can type: 20 letters, 100 bits.
pub fn random_password() -> Result<String, Problem> {
    let mut bytes = [0; 20];
    fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| ALPHABET[usize::from(byte % 32)] as char).collect())
}

/// A random session cookie or bearer token: 256 bits, hex.
pub fn random_key() -> Result<String, Problem> {
    let mut bytes = [0; 32];
    fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// A random number.
pub fn random_number() -> Result<u64, Problem> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn fill(bytes: &mut [u8]) -> Result<(), Problem> {
    getrandom::fill(bytes).map_err(Problem::internal)
}

/// SHA-256 of a cookie or token, hex, as the store keeps it.
pub fn key_hash(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

/// HA1 of a SIP password, H(user:realm:password), as MD5 and SHA-256, hex (RFC 8760).
pub fn phone_hashes(user: &str, realm: &str, password: &str) -> (String, String) {
    let hash = PasswordHash::new(user, realm, password);
    (hex(&hash.md5), hex(&hash.sha256))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Decodes hex; `None` = not hex, or another length.
pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_hash_and_an_empty_hash_matches_none() {
        let hasher = Hasher::default();
        let kept = hasher.hash("correct horse").await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(hasher.is_right("correct horse", &kept).await.unwrap());
        for (password, kept) in [("correct horsf", kept.as_str()), ("", ""), ("correct horse", "")] {
            assert!(!hasher.is_right(password, kept).await.unwrap(), "{password} {kept}");
        }
        assert_ne!(kept, hasher.hash("correct horse").await.unwrap(), "salted");
    }

    #[test]
    fn random_keys_and_passwords_do_not_repeat() {
        let drawn: std::collections::BTreeSet<String> =
            (0..200).flat_map(|_| [random_key().unwrap(), random_password().unwrap()]).collect();
        assert_eq!(drawn.len(), 400);
        assert!(drawn.iter().all(|text| text.len() == 64 || text.len() == 20));
        assert_eq!(ALPHABET.iter().collect::<std::collections::BTreeSet<_>>().len(), 32);
    }

    #[test]
    fn hex_round_trips_and_bad_hex_is_refused() {
        assert_eq!(unhex(&hex(&[0, 17, 255])), Some([0, 17, 255]));
        for not in ["", "0011f", "0011fg", "+0+1+2", "äöü"] {
            assert_eq!(unhex::<3>(not), None, "{not}");
        }
    }
}
