//! Digest authentication at the carrier for INVITE and REGISTER. The nonces verify themselves, so none is
//! stored.

use super::people;
use super::random::SimRng;
use paceline_core::sip::auth::{Algorithm, Answer, NonceMint, NonceState};
use paceline_core::sip::headers::HeaderName;
use paceline_core::sip::message::{Message, StartLine};
use paceline_core::time::{Duration, Time};

/// Lifetime of a nonce.
const NONCE_LIFE: Duration = Duration::from_secs(300);

/// The result of checking a request's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialState {
    NotNeeded,
    Missing,
    /// The credentials are right, the nonce is too old.
    Stale,
    Wrong,
    Right,
}

/// A response that rejects an unauthorised request: code, phrase and one header line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub code: u16,
    pub phrase: &'static str,
    pub header: String,
}

#[derive(Debug)]
pub struct DigestCheck {
    rules: people::Access,
    mint: NonceMint,
}

impl DigestCheck {
    pub fn new(rules: people::Access, seed: u64) -> Self {
        let mut rng = SimRng::keyed(seed, &[0x6e6f_6e63_6573]);
        let mut secret = [0; 32];
        secret.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&rng.next_u64().to_le_bytes()));
        DigestCheck { rules, mint: NonceMint::new(secret, NONCE_LIFE) }
    }

    /// Checks the credentials of `message`.
    pub fn verify(&self, now: Time, message: &Message<'_>) -> CredentialState {
        if !self.rules.challenge {
            return CredentialState::NotNeeded;
        }
        let name =
            if self.rules.as_registrar { HeaderName::Authorization } else { HeaderName::ProxyAuthorization };
        let StartLine::Request { method, .. } = message.start() else { return CredentialState::Missing };
        let in_realm = |answer: &Answer| answer.realm == self.rules.realm;
        let answer = message.headers(name).filter_map(|value| Answer::parse(&value)).find(in_realm);
        let Some(answer) = answer else { return CredentialState::Missing };
        let right = answer.username == self.rules.username
            && answer.is_right(&self.rules.password, method.as_str(), message.body());
        match self.mint.check(now, &self.rules.realm, &answer.nonce) {
            NonceState::Fresh if right => CredentialState::Right,
            NonceState::Stale if right => CredentialState::Stale,
            NonceState::Fresh | NonceState::Stale | NonceState::Forged => CredentialState::Wrong,
        }
    }

    /// The response that rejects a request with these credentials; `None` = the request is allowed.
    pub fn rejection(&self, now: Time, credentials: CredentialState) -> Option<Rejection> {
        match credentials {
            CredentialState::NotNeeded | CredentialState::Right => None,
            CredentialState::Wrong => Some(Rejection {
                code: 403,
                phrase: "Forbidden",
                header: "Warning: 399 carrier.example \"wrong credentials\"".into(),
            }),
            CredentialState::Missing | CredentialState::Stale => {
                let challenge = self.mint.challenge(
                    now,
                    &self.rules.realm,
                    Algorithm::Md5,
                    credentials == CredentialState::Stale,
                );
                let (code, phrase, name) = match self.rules.as_registrar {
                    true => (401, "Unauthorized", "WWW-Authenticate"),
                    false => (407, "Proxy Authentication Required", "Proxy-Authenticate"),
                };
                Some(Rejection { code, phrase, header: format!("{name}: {challenge}") })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::sip::auth::{Challenge, Credentials, authorize};

    fn access(as_registrar: bool) -> DigestCheck {
        DigestCheck::new(people::Access { challenge: true, as_registrar, ..people::Access::default() }, 1)
    }

    fn invite(authorization: &str) -> Vec<u8> {
        format!(
            "INVITE sip:13800138000@carrier.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:13800138000@carrier.example>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
             {authorization}Content-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }

    fn answered(access: &DigestCheck, now: Time, password: &str) -> Vec<u8> {
        let rejection = access.rejection(now, CredentialState::Missing).expect("a challenge");
        let (name, value) = rejection.header.split_once(": ").expect("a header");
        let challenge = Challenge::parse_all(value, name == "Proxy-Authenticate").remove(0);
        let credentials = Credentials { username: "paceline", password };
        let uri = "sip:13800138000@carrier.example";
        let answer = authorize(&challenge, &credentials, "INVITE", uri, b"", 1, "ours");
        invite(&format!("{}: {answer}\r\n", challenge.answer_header()))
    }

    fn verify(access: &DigestCheck, now: Time, bytes: &[u8]) -> CredentialState {
        access.verify(now, &Message::parse(bytes).expect("a whole INVITE"))
    }

    #[test]
    fn right_credentials_pass_and_wrong_ones_do_not() {
        for as_registrar in [false, true] {
            let access = access(as_registrar);
            let now = Time::from_millis(5_000);
            assert_eq!(verify(&access, now, &invite("")), CredentialState::Missing);
            assert_eq!(verify(&access, now, &answered(&access, now, "paceline")), CredentialState::Right);
            assert_eq!(verify(&access, now, &answered(&access, now, "guessed")), CredentialState::Wrong);
            assert_eq!(access.rejection(now, CredentialState::Right), None);
            let code = access.rejection(now, CredentialState::Missing).map(|rejection| rejection.code);
            assert_eq!(code, Some(if as_registrar { 401 } else { 407 }));
        }
    }

    #[test]
    fn an_old_nonce_is_stale_and_a_forged_one_is_wrong() {
        let access = access(false);
        let old = answered(&access, Time::ZERO, "paceline");
        let later = Time::from_millis(600_000);
        assert_eq!(verify(&access, later, &old), CredentialState::Stale);
        assert!(
            access
                .rejection(later, CredentialState::Stale)
                .expect("a challenge")
                .header
                .contains("stale=true")
        );
        let other = DigestCheck::new(people::Access { challenge: true, ..people::Access::default() }, 2);
        assert_eq!(verify(&other, Time::ZERO, &old), CredentialState::Wrong);
    }

    #[test]
    fn a_carrier_without_challenge_needs_no_credentials() {
        let access = DigestCheck::new(people::Access::default(), 1);
        assert_eq!(verify(&access, Time::ZERO, &invite("")), CredentialState::NotNeeded);
    }
}
