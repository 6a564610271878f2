//! Whether a request proves that it comes from the account it names. A user who does not exist costs the
//! same work and hears the same words.

use super::guesses::Source;
use super::nonces::Standing;
use super::{KNOWN_MAX, Registrar};
use crate::sip::auth::{Algorithm, Answer, NonceState, Qop, escape_quoted};
use crate::sip::headers::HeaderName;
use crate::sip::message::{Message, StartLine};
use crate::sip::uri::Uri;
use crate::sip::user_agent::Peer;
use crate::time::Time;

/// What a request hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It said nothing that can be judged: challenge it. `stale` = with a nonce that is no good (any more).
    Challenge { stale: bool },
    /// 403: wrong, altered, or one guess too many.
    Forbidden,
    /// It comes from this account.
    Proved { user: String },
}

impl Registrar {
    /// The two challenges, the stronger first (RFC 8760 section 2.4).
    pub fn challenges(&self, now: Time, from: Peer, stale: bool) -> [String; 2] {
        let realm = escape_quoted(&self.config.realm);
        let nonce = self.mint.nonce(now, &self.scope(from));
        let stale = if stale { ", stale=true" } else { "" };
        [Algorithm::Sha256, Algorithm::Md5].map(|algorithm| {
            let algorithm = algorithm.as_str();
            format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={algorithm}, qop=\"auth\"{stale}")
        })
    }

    /// Nonces are good for the address that they were given to, so nobody spends another's guesses.
    fn scope(&self, from: Peer) -> String {
        format!("{} {}", Source::of(from).text(), self.config.realm)
    }

    /// Whether the request answers a challenge of ours at all.
    pub fn is_answered(&self, request: &Message<'_>) -> bool {
        self.answer(request).is_some()
    }

    fn answer(&self, request: &Message<'_>) -> Option<Answer> {
        let realm = escape_quoted(&self.config.realm);
        [HeaderName::Authorization, HeaderName::ProxyAuthorization]
            .into_iter()
            .flat_map(|name| request.headers(name))
            .take(8)
            .filter_map(|line| Answer::parse(&line))
            .find(|answer| answer.realm == realm)
    }

    pub fn judge(&mut self, now: Time, from: Peer, request: &Message<'_>) -> Judgement {
        let StartLine::Request { method, uri } = request.start() else { return Judgement::Forbidden };
        let Some(answer) = self.answer(request) else { return Judgement::Challenge { stale: false } };
        // An answer that leaves out what we asked for, or was made for another request.
        let offered = matches!(answer.algorithm, Algorithm::Md5 | Algorithm::Sha256);
        if answer.qop == Qop::None || answer.nc == 0 || !offered || !is_for(&answer.uri, uri) {
            return Judgement::Forbidden;
        }
        let phone = self.phones.get(&answer.username);
        let standing = phone.map_or(Standing::New, |it| it.nonces.standing(now, &answer.nonce, answer.nc));
        let nonce = self.mint.check(now, &self.scope(from), &answer.nonce);
        match (standing, nonce) {
            (Standing::Live, _) | (Standing::New, NonceState::Fresh) => {}
            _ => return Judgement::Challenge { stale: true },
        }
        // Who answers a nonce that only this phone and we know of needs no allowance.
        let source = Source::of(from);
        let known = phone.is_some_and(|phone| phone.known.contains(&source));
        let allowed = standing == Standing::Live
            || (phone.is_none_or(|phone| phone.wrong.allows(now, known))
                && self.guesses.allows(now, from, known));
        if !allowed {
            return Judgement::Forbidden;
        }
        let hash = phone.map_or(self.nobody, |phone| phone.account.hash());
        let right = answer.is_right_for(&hash, method.as_str(), request.body());
        match self.phones.get_mut(&answer.username) {
            Some(phone) if right => {
                phone.nonces.prove(now, &answer.nonce, answer.nc);
                phone.known.retain(|known| *known != source);
                phone.known.push_back(source);
                if phone.known.len() > KNOWN_MAX {
                    phone.known.pop_front();
                }
                Judgement::Proved { user: answer.username }
            }
            wrong => {
                if let Some(phone) = wrong {
                    phone.wrong.note(now);
                    phone.nonces.doubt(&answer.nonce);
                }
                self.guesses.note(now, from);
                Judgement::Forbidden
            }
        }
    }
}

/// Whether the digest was made for this request URI.
fn is_for(digest: &str, request: &str) -> bool {
    if digest == request {
        return true;
    }
    match (Uri::parse(digest), Uri::parse(request)) {
        (Some(one), Some(two)) => one.same_as(&two),
        _ => false,
    }
}
