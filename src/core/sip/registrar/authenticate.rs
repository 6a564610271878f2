//! Whether a request proves that it comes from the account it names. A user who does not exist costs the
//! same work and hears the same words.

use super::nonces::Standing;
use super::throttle::Source;
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
    /// The challenges, the stronger first (RFC 8760 section 2.4) unless this product could not read that.
    pub fn challenges(&self, now: Time, from: Peer, stale: bool, product: &str) -> Vec<String> {
        let realm = escape_quoted(&self.config.realm);
        let nonce = self.mint.nonce(now, &self.scope(from));
        let stale = if stale { ", stale=true" } else { "" };
        let challenge = |algorithm: &Algorithm| {
            let algorithm = algorithm.as_str();
            format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={algorithm}, qop=\"auth\"{stale}")
        };
        offered(product).iter().map(challenge).collect()
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
        if answer.qop == Qop::None || answer.nc == 0 || !offered || !self.is_for(&answer.uri, uri) {
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

/// What a product is offered. baresip before 3.0 gives up when it meets any challenge that it does not
/// know, even behind one that it does; who does not say what it is (SIPp among others) reads only the
/// first. Everybody else takes the best that it can.
fn offered(product: &str) -> &'static [Algorithm] {
    let old = ["baresip v0.", "baresip v1.", "baresip v2."];
    if old.iter().any(|old| product.starts_with(old)) {
        &[Algorithm::Md5]
    } else if product.is_empty() || product.starts_with("SIPp") {
        &[Algorithm::Md5, Algorithm::Sha256]
    } else {
        &[Algorithm::Sha256, Algorithm::Md5]
    }
}

impl Registrar {
    /// Whether the digest was made for this request URI: for the same user at the same host. Phones write
    /// ports and parameters there as they like, and some our address in place of our domain and no user.
    pub(super) fn is_for(&self, digest: &str, request: &str) -> bool {
        if digest == request {
            return true;
        }
        let (Some(digest), Some(request)) = (Uri::parse(digest), Uri::parse(request)) else { return false };
        let ours = self.hosts.iter().any(|host| host.eq_ignore_ascii_case(&digest.host));
        let same_host = ours || digest.host.eq_ignore_ascii_case(&request.host);
        let same_user = digest.user_text() == request.user_text() || (ours && digest.user.is_none());
        digest.is_sip() && same_host && same_user
    }
}
