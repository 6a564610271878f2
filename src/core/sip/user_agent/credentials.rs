//! Credentials of one call or registration: the digest challenges received, each with its nonce count.
//! `sip::auth` computes the answers.

use super::SipTrunk;
use super::identifiers::Identifiers;
use crate::sip::auth::{self, Challenge};
use crate::sip::headers::HeaderName;
use crate::sip::message::Message;

/// Most challenges kept; a path has one realm, or a proxy's and the far end's.
const CHALLENGES_MAX: usize = 4;

#[derive(Debug)]
pub(super) struct Credentials {
    username: String,
    password: String,
    /// The only realm that is answered; empty = any.
    realm: String,
    met: Vec<ReceivedChallenge>,
}

#[derive(Debug)]
struct ReceivedChallenge {
    challenge: Challenge,
    /// Requests sent with this nonce.
    count: u32,
}

impl Credentials {
    /// The account of this trunk.
    pub fn of(trunk: &SipTrunk) -> Self {
        Credentials {
            username: trunk.username.clone(),
            password: trunk.password.clone(),
            realm: trunk.realm.clone(),
            met: Vec::new(),
        }
    }

    /// Stores the challenges of a 401 or 407. `false` = nothing new to answer: no user name, another realm, no
    /// supported algorithm, or our answer was refused and not as stale.
    pub fn store_challenges(&mut self, response: &Message<'_>) -> bool {
        if self.username.is_empty() {
            return false;
        }
        let mut news = false;
        let room = CHALLENGES_MAX - self.met.len().min(CHALLENGES_MAX);
        for challenge in auth::strongest(response.challenges()) {
            if !self.realm.is_empty() && challenge.realm != self.realm {
                continue;
            }
            let known = self.met.iter().position(|met| {
                met.challenge.proxy == challenge.proxy && met.challenge.realm == challenge.realm
            });
            let known = known.map(|at| &mut self.met[at]);
            match known {
                // A repeated challenge means a wrong password, unless the nonce was stale, or it is a new
                // nonce and ours was used before.
                Some(met) if challenge.stale || (met.challenge.nonce != challenge.nonce && met.count > 1) => {
                    *met = ReceivedChallenge { challenge, count: 0 };
                    news = true;
                }
                Some(_) => {}
                None if room > 0 => {
                    self.met.push(ReceivedChallenge { challenge, count: 0 });
                    news = true;
                }
                None => {}
            }
        }
        news
    }

    /// The authorization headers of a request, one per stored challenge.
    pub fn lines(
        &mut self,
        method: &str,
        uri: &str,
        body: &[u8],
        names: &mut Identifiers,
    ) -> Vec<(HeaderName, String)> {
        let mut lines = Vec::new();
        for met in &mut self.met {
            met.count += 1;
            let cnonce = format!("{:016x}", names.fresh());
            let value = auth::authorize(
                &met.challenge,
                &auth::Credentials { username: &self.username, password: &self.password },
                method,
                uri,
                body,
                met.count,
                &cnonce,
            );
            let name =
                if met.challenge.proxy { HeaderName::ProxyAuthorization } else { HeaderName::Authorization };
            lines.push((name, value));
        }
        lines
    }
}
