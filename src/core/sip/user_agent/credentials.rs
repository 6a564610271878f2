//! What we answer challenges with, per call or registration: the challenges met so far, each with its
//! nonce count. The arithmetic is `sip::auth`.

use super::names::Names;
use crate::sip::auth::{self, Challenge};
use crate::sip::headers::HeaderName;
use crate::sip::message::Message;

/// A path has one realm, or a proxy's and the far end's.
const CHALLENGES_MAX: usize = 4;

#[derive(Debug)]
pub(super) struct Credentials {
    username: String,
    password: String,
    met: Vec<Met>,
}

#[derive(Debug)]
struct Met {
    challenge: Challenge,
    /// How often the nonce was used.
    count: u32,
}

impl Credentials {
    pub fn new(username: &str, password: &str) -> Self {
        Credentials { username: username.into(), password: password.into(), met: Vec::new() }
    }

    /// Takes the challenges of a 401 or 407. `false` = there is nothing new to say: no user name, no
    /// algorithm that we know, or our answer was refused already and not for its age.
    pub fn take_challenges(&mut self, response: &Message<'_>) -> bool {
        if self.username.is_empty() {
            return false;
        }
        let mut news = false;
        let room = CHALLENGES_MAX - self.met.len().min(CHALLENGES_MAX);
        for challenge in auth::strongest(response.challenges()) {
            let known = self.met.iter().position(|met| {
                met.challenge.proxy == challenge.proxy && met.challenge.realm == challenge.realm
            });
            let known = known.map(|at| &mut self.met[at]);
            match known {
                // The same again after it was answered means that the password is wrong, unless the
                // nonce was stale, or it is another one and ours was used before.
                Some(met) if challenge.stale || (met.challenge.nonce != challenge.nonce && met.count > 1) => {
                    *met = Met { challenge, count: 0 };
                    news = true;
                }
                Some(_) => {}
                None if room > 0 => {
                    self.met.push(Met { challenge, count: 0 });
                    news = true;
                }
                None => {}
            }
        }
        news
    }

    /// The Authorization lines of a request, one for each challenge met.
    pub fn lines(
        &mut self,
        method: &str,
        uri: &str,
        body: &[u8],
        names: &mut Names,
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
