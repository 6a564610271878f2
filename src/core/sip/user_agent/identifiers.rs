//! Generated identifiers: Call-IDs, tags, branches. All derive from the configured seed, so a call's
//! identifiers are known before it is placed, and a run is reproducible.

use crate::ids::CallId;

/// Use of a generated number; streams never collide.
#[derive(Clone, Copy)]
enum Stream {
    CallIdHigh = 1,
    CallIdLow,
    Tag,
    Branch,
    Text,
    Fresh,
}

#[derive(Debug)]
pub(super) struct Identifiers {
    seed: u64,
    given: u64,
}

impl Identifiers {
    pub fn new(seed: u64) -> Self {
        Identifiers { seed, given: 0 }
    }

    fn number(&self, stream: Stream, n: u64) -> u64 {
        // The seed is mixed in before and after, so that one number does not reveal the next. All 64 bits
        // of `n` count: the top bits separate incoming calls, outgoing calls and agents' legs.
        let inner = mix(self.seed ^ mix(mix(n).wrapping_add(stream as u64)));
        mix(inner.wrapping_add(self.seed.rotate_left(29)))
    }

    pub fn call_id(&self, call: CallId) -> String {
        format!(
            "{:016x}{:016x}",
            self.number(Stream::CallIdHigh, call.0),
            self.number(Stream::CallIdLow, call.0)
        )
    }

    /// Our dialog tag of a call; [`tag_text`] formats it.
    pub fn tag(&self, call: CallId) -> u64 {
        self.number(Stream::Tag, call.0)
    }

    /// The Via branch of a call's INVITE.
    pub fn invite_branch(&self, call: CallId) -> u64 {
        self.number(Stream::Branch, call.0)
    }

    /// A number derived from a text.
    pub fn of_text(&self, text: &str) -> u64 {
        let hash = text.bytes().fold(0, |hash, byte| mix(hash ^ u64::from(byte)));
        self.number(Stream::Text, hash)
    }

    /// A number never returned before: the branch of any other request, a tag, a cnonce.
    pub fn fresh(&mut self) -> u64 {
        self.given += 1;
        self.number(Stream::Fresh, self.given)
    }
}

/// The finaliser of splitmix64.
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

pub(super) fn tag_text(tag: u64) -> String {
    format!("{tag:016x}")
}

pub(super) fn parse_tag(text: &str) -> Option<u64> {
    sixteen_hex(text)
}

fn sixteen_hex(text: &str) -> Option<u64> {
    let plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// Key of a client transaction: branch, index of the re-sent INVITE (after a challenge or a redirection),
/// and whether it is the CANCEL that shares the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ClientKey {
    pub branch: u64,
    pub resend: u8,
    pub cancel: bool,
}

impl ClientKey {
    pub fn new(branch: u64) -> Self {
        ClientKey { branch, resend: 0, cancel: false }
    }

    /// `z9hG4bK`, sixteen hex digits, and `-1`, `-2` for re-sent INVITEs.
    pub fn branch_text(self) -> String {
        match self.resend {
            0 => format!("z9hG4bK{:016x}", self.branch),
            resend => format!("z9hG4bK{:016x}-{resend}", self.branch),
        }
    }

    /// `None` if the branch is not ours.
    pub fn from_branch(text: &str, cancel: bool) -> Option<Self> {
        let (cookie, rest) = text.split_at_checked(7)?;
        if !cookie.eq_ignore_ascii_case("z9hG4bK") {
            return None;
        }
        let (branch, resend) = match rest.split_once('-') {
            Some((branch, resend)) => (branch, resend.parse().ok().filter(|resend| *resend > 0)?),
            None => (rest, 0),
        };
        Some(ClientKey { branch: sixteen_hex(branch)?, resend, cancel })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_reads_back_as_its_key() {
        for (branch, resend) in [(0, 0), (u64::MAX, 1), (0x0123_4567_89ab_cdef, 9)] {
            for cancel in [false, true] {
                let key = ClientKey { branch, resend, cancel };
                assert_eq!(ClientKey::from_branch(&key.branch_text(), cancel), Some(key));
            }
        }
        for text in
            ["", "z9hG4bK", "z9hG4bK123", "z9hG4bK0123456789abcdeg", "z9hG4bK0123456789abcdef-0", "中中中中"]
        {
            assert_eq!(ClientKey::from_branch(text, false), None, "{text}");
        }
    }

    #[test]
    fn names_follow_from_the_seed_and_never_meet() {
        let (one, again, other) = (Identifiers::new(7), Identifiers::new(7), Identifiers::new(8));
        assert_eq!(one.call_id(CallId(3)), again.call_id(CallId(3)));
        assert_ne!(one.call_id(CallId(3)), other.call_id(CallId(3)));
        let mut seen = std::collections::BTreeSet::new();
        let mut fresh = Identifiers::new(7);
        for n in 0..10_000 {
            for number in [one.tag(CallId(n)), one.invite_branch(CallId(n)), fresh.fresh()] {
                assert!(seen.insert(number), "a number twice at {n}");
            }
        }
    }

    #[test]
    fn legs_of_every_kind_have_names_of_their_own() {
        let names = Identifiers::new(7);
        let kinds = [0, 1 << 62, 2 << 62, 3 << 62];
        let calls: Vec<CallId> =
            kinds.iter().flat_map(|kind| (1..=100).map(move |n| CallId(kind | n))).collect();
        let branches: std::collections::BTreeSet<u64> =
            calls.iter().map(|call| names.invite_branch(*call)).collect();
        let call_ids: std::collections::BTreeSet<String> =
            calls.iter().map(|call| names.call_id(*call)).collect();
        assert_eq!((branches.len(), call_ids.len()), (400, 400));
    }
}
