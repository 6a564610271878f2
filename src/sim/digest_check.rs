//! Digest authentication at the carrier for INVITE and REGISTER. The nonces verify themselves, so none is
//! stored.

use super::people;
use super::random::Dice;
use paceline_core::sip::auth::{Algorithm, Answer, NonceMint, NonceState};
use paceline_core::sip::headers::HeaderName;
use paceline_core::sip::message::{Message, StartLine};
use paceline_core::time::{Duration, Time};

/// Lifetime of a nonce.
const NONCE_LIFE: Duration = Duration::from_secs(300);

/// The result of checking a request's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    NotNeeded,
    Missing,
    /// The credentials are right, the nonce is too old.
    Stale,
    Wrong,
    Right,
}

/// A response that rejects an unauthorised request: code, phrase and one header line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    pub code: u16,
    pub phrase: &'static str,
    pub header: String,
}

#[derive(Debug)]
pub struct Access {
    rules: people::Access,
    mint: NonceMint,
}

impl Access {
    pub fn new(rules: people::Access, seed: u64) -> Self {
        let mut dice = Dice::keyed(seed, &[0x6e6f_6e63_6573]);
        let mut secret = [0; 32];
        secret.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&dice.next_u64().to_le_bytes()));
        Access { rules, mint: NonceMint::new(secret, NONCE_LIFE) }
    }

    /// Checks the credentials of `message`.
    pub fn proof(&self, now: Time, message: &Message<'_>) -> Proof {
        if !self.rules.challenge {
            return Proof::NotNeeded;
        }
        let name =
            if self.rules.as_registrar { HeaderName::Authorization } else { HeaderName::ProxyAuthorization };
        let StartLine::Request { method, .. } = message.start() else { return Proof::Missing };
        let ours = |answer: &Answer| answer.realm == self.rules.realm;
        let answer = message.headers(name).filter_map(|value| Answer::parse(&value)).find(ours);
        let Some(answer) = answer else { return Proof::Missing };
        let right = answer.username == self.rules.username
            && answer.is_right(&self.rules.password, method.as_str(), message.body());
        match self.mint.check(now, &self.rules.realm, &answer.nonce) {
            NonceState::Fresh if right => Proof::Right,
            NonceState::Stale if right => Proof::Stale,
            NonceState::Fresh | NonceState::Stale | NonceState::Forged => Proof::Wrong,
        }
    }

    /// The response that rejects a request with these credentials; `None` = the request is allowed.
    pub fn turn_away(&self, now: Time, proof: Proof) -> Option<TurnedAway> {
        match proof {
            Proof::NotNeeded | Proof::Right => None,
            Proof::Wrong => Some(TurnedAway {
                code: 403,
                phrase: "Forbidden",
                header: "Warning: 399 carrier.example \"wrong credentials\"".into(),
            }),
            Proof::Missing | Proof::Stale => {
                let challenge =
                    self.mint.challenge(now, &self.rules.realm, Algorithm::Md5, proof == Proof::Stale);
                let (code, phrase, name) = match self.rules.as_registrar {
                    true => (401, "Unauthorized", "WWW-Authenticate"),
                    false => (407, "Proxy Authentication Required", "Proxy-Authenticate"),
                };
                Some(TurnedAway { code, phrase, header: format!("{name}: {challenge}") })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::sip::auth::{Challenge, Credentials, authorize};

    fn access(as_registrar: bool) -> Access {
        Access::new(people::Access { challenge: true, as_registrar, ..people::Access::default() }, 1)
    }

    fn invite(authorization: &str) -> Vec<u8> {
        format!(
            "INVITE sip:13800138000@carrier.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:13800138000@carrier.example>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
             {authorization}Content-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }

    fn answered(access: &Access, now: Time, password: &str) -> Vec<u8> {
        let turned_away = access.turn_away(now, Proof::Missing).expect("a challenge");
        let (name, value) = turned_away.header.split_once(": ").expect("a header");
        let challenge = Challenge::parse_all(value, name == "Proxy-Authenticate").remove(0);
        let credentials = Credentials { username: "paceline", password };
        let uri = "sip:13800138000@carrier.example";
        let answer = authorize(&challenge, &credentials, "INVITE", uri, b"", 1, "ours");
        invite(&format!("{}: {answer}\r\n", challenge.answer_header()))
    }

    fn proof(access: &Access, now: Time, bytes: &[u8]) -> Proof {
        access.proof(now, &Message::parse(bytes).expect("a whole INVITE"))
    }

    #[test]
    fn right_credentials_pass_and_wrong_ones_do_not() {
        for as_registrar in [false, true] {
            let access = access(as_registrar);
            let now = Time::from_millis(5_000);
            assert_eq!(proof(&access, now, &invite("")), Proof::Missing);
            assert_eq!(proof(&access, now, &answered(&access, now, "paceline")), Proof::Right);
            assert_eq!(proof(&access, now, &answered(&access, now, "guessed")), Proof::Wrong);
            assert_eq!(access.turn_away(now, Proof::Right), None);
            let code = access.turn_away(now, Proof::Missing).map(|turned_away| turned_away.code);
            assert_eq!(code, Some(if as_registrar { 401 } else { 407 }));
        }
    }

    #[test]
    fn an_old_nonce_is_stale_and_a_forged_one_is_wrong() {
        let access = access(false);
        let old = answered(&access, Time::ZERO, "paceline");
        let later = Time::from_millis(600_000);
        assert_eq!(proof(&access, later, &old), Proof::Stale);
        assert!(access.turn_away(later, Proof::Stale).expect("a challenge").header.contains("stale=true"));
        let other = Access::new(people::Access { challenge: true, ..people::Access::default() }, 2);
        assert_eq!(proof(&other, Time::ZERO, &old), Proof::Wrong);
    }

    #[test]
    fn a_carrier_without_challenge_needs_no_credentials() {
        let access = Access::new(people::Access::default(), 1);
        assert_eq!(proof(&access, Time::ZERO, &invite("")), Proof::NotNeeded);
    }
}
