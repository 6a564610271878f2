//! Digest authentication of phones: checks that a request comes from the account it names. An unknown user
//! costs the same work and gets the same response as a wrong password.

use super::nonces::Standing;
use super::throttle::SourceNetwork;
use super::{KNOWN_MAX, Registrar};
use crate::sip::auth::{Algorithm, Answer, NonceState, Qop};
use crate::sip::grammar::escape_quoted;
use crate::sip::headers::HeaderName;
use crate::sip::message::{Message, StartLine};
use crate::sip::peer::Peer;
use crate::sip::uri::Uri;
use crate::time::Time;

/// Result of authenticating a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthOutcome {
    /// No usable digest answer: send a challenge. `stale` = its nonce is unknown, used or expired.
    Challenge { stale: bool },
    /// 403: wrong or altered answer, or throttled.
    Forbidden,
    /// The request comes from this account.
    Authenticated { user: String },
}

impl Registrar {
    /// The digest challenges, stronger first (RFC 8760 section 2.4) unless this product cannot read that
    /// order.
    pub fn challenges(&self, now: Time, from: Peer, stale: bool, product: &str) -> Vec<String> {
        let realm = escape_quoted(&self.config.realm);
        let nonce = self.mint.nonce(now, &self.nonce_scope(from));
        let stale = if stale { ", stale=true" } else { "" };
        let challenge = |algorithm: &Algorithm| {
            let algorithm = algorithm.as_str();
            format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={algorithm}, qop=\"auth\"{stale}")
        };
        offered_algorithms(product).iter().map(challenge).collect()
    }

    /// Nonces are valid only for the source network they were issued to, so a stranger cannot use up
    /// another network's failed attempts.
    fn nonce_scope(&self, from: Peer) -> String {
        format!("{} {}", SourceNetwork::of(from).text(), self.config.realm)
    }

    /// Whether the request carries a digest answer for our realm.
    pub fn has_digest_answer(&self, request: &Message<'_>) -> bool {
        self.digest_answer(request).is_some()
    }

    fn digest_answer(&self, request: &Message<'_>) -> Option<Answer> {
        let realm = escape_quoted(&self.config.realm);
        [HeaderName::Authorization, HeaderName::ProxyAuthorization]
            .into_iter()
            .flat_map(|name| request.headers(name))
            .take(8)
            .filter_map(|line| Answer::parse(&line))
            .find(|answer| answer.realm == realm)
    }

    pub fn authenticate(&mut self, now: Time, from: Peer, request: &Message<'_>) -> AuthOutcome {
        let StartLine::Request { method, uri } = request.start() else { return AuthOutcome::Forbidden };
        let Some(answer) = self.digest_answer(request) else {
            return AuthOutcome::Challenge { stale: false };
        };
        // Reject an answer without a required parameter, or computed for another request.
        let supported = matches!(answer.algorithm, Algorithm::Md5 | Algorithm::Sha256);
        if answer.qop == Qop::None
            || answer.nc == 0
            || !supported
            || !self.is_digest_uri_for(&answer.uri, uri)
        {
            return AuthOutcome::Forbidden;
        }
        let phone = self.phones.get(&answer.username);
        let standing = phone.map_or(Standing::New, |it| it.nonces.standing(now, &answer.nonce, answer.nc));
        let nonce = self.mint.check(now, &self.nonce_scope(from), &answer.nonce);
        match (standing, nonce) {
            (Standing::Live, _) | (Standing::New, NonceState::Fresh) => {}
            _ => return AuthOutcome::Challenge { stale: true },
        }
        // A live nonce is known only to this phone and us, so its answers bypass the throttle.
        let source = SourceNetwork::of(from);
        let known = phone.is_some_and(|phone| phone.known_networks.contains(&source));
        let allowed = standing == Standing::Live
            || (phone.is_none_or(|phone| phone.throttle.allows(now, known))
                && self.source_throttle.allows(now, from, known));
        if !allowed {
            return AuthOutcome::Forbidden;
        }
        let hash = phone.map_or(self.decoy, |phone| phone.account.hash());
        let right = answer.is_right_for(&hash, method.as_str(), request.body());
        match self.phones.get_mut(&answer.username) {
            Some(phone) if right => {
                phone.nonces.record_success(now, &answer.nonce, answer.nc);
                phone.known_networks.retain(|known| *known != source);
                phone.known_networks.push_back(source);
                if phone.known_networks.len() > KNOWN_MAX {
                    phone.known_networks.pop_front();
                }
                AuthOutcome::Authenticated { user: answer.username }
            }
            wrong => {
                if let Some(phone) = wrong {
                    phone.throttle.record_failure(now);
                    phone.nonces.record_failure(&answer.nonce);
                }
                self.source_throttle.record_failure(now, from);
                AuthOutcome::Forbidden
            }
        }
    }
}

/// Algorithms offered to a product. baresip before 3.0 gives up at any challenge it does not know, even
/// behind a known one; clients without a User-Agent and SIPp read only the first challenge. All others
/// choose the best.
fn offered_algorithms(product: &str) -> &'static [Algorithm] {
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
    /// Whether the digest URI matches the request URI: same user at the same host. Phones vary ports and
    /// parameters there, and some write our address instead of our domain, without a user.
    pub(super) fn is_digest_uri_for(&self, digest: &str, request: &str) -> bool {
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
