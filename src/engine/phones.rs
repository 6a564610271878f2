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
struct SavedContact {
    contact: KnownContact,
    /// When the registration expires, in milliseconds of UTC.
    until: i64,
}

/// Contacts as last saved (`on_disk`), and those of an earlier process for accounts not yet defined
/// (`recovered`).
#[derive(Debug, Default)]
pub(super) struct SavedPhones {
    on_disk: BTreeMap<AgentId, Vec<SavedContact>>,
    recovered: BTreeMap<AgentId, String>,
}

/// Many phones register every half minute. The row is written only when its expiry moves by this much, and
/// an expired contact is still asked for this long.
const SLACK: Duration = Duration::from_secs(600);

/// Shortest binding given to an expected phone; its next REGISTER renews it.
const EXPECTED_MIN: Duration = Duration::from_secs(90);

impl Engine {
    /// Takes the contacts that the last process saved, JSON by agent.
    pub(super) fn set_saved_phones(&mut self, phones: BTreeMap<AgentId, String>) {
        self.saved_phones.recovered = phones;
    }

    /// A phone has registered, unregistered or refreshed: saves its contacts if they changed.
    pub(super) fn save_phone_contacts(&mut self, agent: AgentId, user: &str) {
        let utc = Clock::utc();
        let known = self.ua.known_contacts(self.clock.now(), user).into_iter();
        let now: Vec<SavedContact> =
            known.map(|(contact, left)| SavedContact { contact, until: (utc + left).as_millis() }).collect();
        let before = self.saved_phones.on_disk.get(&agent);
        if before.is_some_and(|before| is_nearly_same(before, &now)) {
            return;
        }
        let contacts = serde_json::to_string(&now).unwrap_or_default();
        self.saved_phones.on_disk.insert(agent, now);
        self.send_to_store(Command::SavePhoneContacts { agent, contacts });
    }

    /// Asks the phones of a newly defined account at their saved contacts. Happens once an account.
    pub(super) fn ask_saved_phones(&mut self, agent: AgentId, user: &str) {
        let Some(text) = self.saved_phones.recovered.remove(&agent) else { return };
        let kept: Vec<SavedContact> = serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(%agent, %error, "the saved contacts of a phone cannot be read; it must register again");
            Vec::new()
        });
        let utc = Clock::utc();
        let now = self.clock.now();
        for SavedContact { contact, until } in kept {
            if Utc::from_millis(until) + SLACK > utc {
                let left = Utc::from_millis(until).since(utc).max(EXPECTED_MIN);
                self.ua.restore_phone(now, user, contact, left);
            }
        }
        self.sockets.set_phones(self.ua.phone_peers());
    }
}

fn is_nearly_same(before: &[SavedContact], now: &[SavedContact]) -> bool {
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

    fn kept(port: u16, until: i64) -> SavedContact {
        let peer = Peer { transport: Transport::Udp, address: ([192, 0, 2, 1], port).into() };
        let contact = KnownContact {
            contact: "sip:8001@10.0.0.9".into(),
            instance: String::new(),
            peer,
            product: "Phone/1".into(),
        };
        SavedContact { contact, until }
    }

    #[test]
    fn contacts_are_saved_again_when_they_moved_or_much_later() {
        let before = [kept(5060, 1_000_000)];
        assert!(is_nearly_same(&before, &[kept(5060, 1_000_000 + 599_999)]));
        assert!(!is_nearly_same(&before, &[kept(5060, 1_000_000 + 600_000)]));
        assert!(!is_nearly_same(&before, &[kept(5062, 1_000_000)]));
        assert!(!is_nearly_same(&before, &[]));
    }

    #[test]
    fn saved_contacts_read_back() {
        let all = vec![kept(5060, 7)];
        let text = serde_json::to_string(&all).expect("text");
        assert_eq!(serde_json::from_str::<Vec<SavedContact>>(&text).expect("read"), all);
    }
}
