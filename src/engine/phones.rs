//! Saves the contacts of agents' phones, so that the next process can ask them at once (OPTIONS) instead
//! of waiting for their next REGISTER.

use super::Engine;
use crate::net::clock::Clock;
use crate::store::Command;
use paceline_core::ids::AgentId;
use paceline_core::sip::user_agent::KnownContact;
use paceline_core::time::{Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One contact as the store keeps it (JSON).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    contact: KnownContact,
    /// When the registration expires, in milliseconds of UTC.
    until: i64,
}

/// Contacts on disk (`kept`), and those of an earlier process whose account is not defined yet (`left`).
#[derive(Debug, Default)]
pub(super) struct PhoneBook {
    kept: BTreeMap<AgentId, Vec<Kept>>,
    left: BTreeMap<AgentId, String>,
}

/// Many phones register every half minute. The row is written only when its expiry moves by this much, and
/// an expired contact is still asked for this long.
const SLACK: Duration = Duration::from_secs(600);

/// Shortest binding given to an expected phone; its next REGISTER renews it.
const ASKED_MIN: Duration = Duration::from_secs(90);

impl Engine {
    /// Takes the contacts that the last process saved, JSON by agent.
    pub(super) fn phones_left(&mut self, phones: BTreeMap<AgentId, String>) {
        self.phone_book.left = phones;
    }

    /// A phone has registered, unregistered or refreshed: saves its contacts if they changed.
    pub(super) fn phone_registered(&mut self, agent: AgentId, user: &str) {
        let utc = Clock::utc();
        let known = self.ua.known_contacts(self.clock.now(), user).into_iter();
        let now: Vec<Kept> =
            known.map(|(contact, left)| Kept { contact, until: (utc + left).as_millis() }).collect();
        let before = self.phone_book.kept.get(&agent);
        if before.is_some_and(|before| is_much_the_same(before, &now)) {
            return;
        }
        let contacts = serde_json::to_string(&now).unwrap_or_default();
        self.phone_book.kept.insert(agent, now);
        self.tell_store(Command::SavePhones { agent, contacts });
    }

    /// Asks the phones of a newly defined account at their saved contacts. Happens once an account.
    pub(super) fn expect_phones(&mut self, agent: AgentId, user: &str) {
        let Some(text) = self.phone_book.left.remove(&agent) else { return };
        let kept: Vec<Kept> = serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(%agent, %error, "where her phone was cannot be read; it has to sign in again");
            Vec::new()
        });
        let utc = Clock::utc();
        let now = self.clock.now();
        for Kept { contact, until } in kept {
            if Utc::from_millis(until) + SLACK > utc {
                let left = Utc::from_millis(until).since(utc).max(ASKED_MIN);
                self.ua.expect_phone(now, user, contact, left);
            }
        }
        self.sockets.set_phones(self.ua.phone_peers());
    }
}

fn is_much_the_same(before: &[Kept], now: &[Kept]) -> bool {
    let slack = SLACK.as_millis() as i64;
    before.len() == now.len()
        && before
            .iter()
            .zip(now)
            .all(|(before, now)| before.contact == now.contact && (now.until - before.until).abs() < slack)
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::sip::user_agent::{Peer, Transport};

    fn kept(port: u16, until: i64) -> Kept {
        let peer = Peer { transport: Transport::Udp, address: ([192, 0, 2, 1], port).into() };
        let contact = KnownContact {
            contact: "sip:8001@10.0.0.9".into(),
            instance: String::new(),
            peer,
            product: "Phone/1".into(),
        };
        Kept { contact, until }
    }

    #[test]
    fn a_phone_is_written_again_when_it_moved_or_much_later() {
        let before = [kept(5060, 1_000_000)];
        assert!(is_much_the_same(&before, &[kept(5060, 1_000_000 + 599_999)]));
        assert!(!is_much_the_same(&before, &[kept(5060, 1_000_000 + 600_000)]));
        assert!(!is_much_the_same(&before, &[kept(5062, 1_000_000)]));
        assert!(!is_much_the_same(&before, &[]));
    }

    #[test]
    fn what_is_kept_reads_back() {
        let all = vec![kept(5060, 7)];
        let text = serde_json::to_string(&all).expect("text");
        assert_eq!(serde_json::from_str::<Vec<Kept>>(&text).expect("read"), all);
    }
}
