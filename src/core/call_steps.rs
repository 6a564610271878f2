//! What one call did: the first line of each SIP message, keys, plays, joins and holds, each with its time. Bounded
//! in entries and bytes whatever a far end sends; the text is JSON as the store keeps it.

use crate::time::{Duration, Time};
use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt::Write;
use std::hash::{Hash, Hasher};

/// Most entries of a record, the one that stands for those left out included.
pub const STEPS_MAX: usize = 64;
/// Largest JSON of a record, in bytes.
pub const BYTES_MAX: usize = 4_096;

/// Bytes of one entry's text that are kept.
const TEXT_MAX: usize = 160;
/// Bytes of a far end's address that are kept: `tls [` + 39 + `]:65535` and some.
const PEER_MAX: usize = 64;
/// The first entries, which are never left out: they show how the call was set up.
const HEAD_MAX: usize = 24;
const HEAD_BYTES: usize = 1_536;
/// Room for the entry that counts those left out.
const GAP_BYTES: usize = 64;

/// Whose doing a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A message that we sent.
    Out,
    /// A message that we received.
    In,
    /// No message: a key, a play, a join, a measurement.
    Note,
    /// Stands for entries that were left out.
    Gap,
}

impl Direction {
    pub const fn word(self) -> &'static str {
        match self {
            Direction::Out => "out",
            Direction::In => "in",
            Direction::Note => "note",
            Direction::Gap => "gap",
        }
    }
}

/// One entry of a record, as it is read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Milliseconds since the first message, which is the INVITE of an outbound call.
    pub at_ms: u32,
    pub dir: Direction,
    /// `INVITE sip:13800138000@198.51.100.7`, `180 Ringing`, `200 OK (BYE)`, `key 1 rtp`, `12 left out`.
    pub text: String,
    /// The message repeats an earlier one of the record: same start line and CSeq.
    #[serde(default)]
    pub again: bool,
    /// Where an INVITE went: `udp 198.51.100.7:5060`.
    #[serde(default)]
    pub peer: Option<String>,
}

/// One entry as JSON, and what tells it from others.
#[derive(Clone, Debug)]
struct Entry {
    at_ms: u32,
    /// Hash of direction, text and CSeq; 0 = no message.
    key: u64,
    json: Box<str>,
}

/// The bounded record of one call. Costs one allocation an entry; beyond the bounds the oldest entries between the
/// first ones and the last ones are dropped, and one entry counts them.
#[derive(Clone, Debug, Default)]
pub struct CallSteps {
    /// When the first message left or came.
    begun: Option<Time>,
    head: Vec<Entry>,
    head_bytes: usize,
    tail: VecDeque<Entry>,
    tail_bytes: usize,
    left_out: u32,
    /// Time of the first entry that was left out.
    gap_at_ms: u32,
}

impl CallSteps {
    /// Adds a message by its text and CSeq number. `peer` = where it went, for the messages that show it.
    pub fn add_message(&mut self, now: Time, dir: Direction, text: &str, cseq: u32, peer: Option<&str>) {
        let begun = *self.begun.get_or_insert(now);
        let mut hasher = FxHasher::default();
        (dir.word(), cseq, text, peer).hash(&mut hasher);
        let key = hasher.finish().max(1);
        let again = self.head.iter().chain(&self.tail).any(|entry| entry.key == key);
        self.add(millis(now.since(begun)), dir, text, key, again, peer);
    }

    /// Adds what is no message. Before the first message the time is 0.
    pub fn add_note(&mut self, now: Time, text: &str) {
        let at_ms = self.begun.map_or(0, |begun| millis(now.since(begun)));
        self.add(at_ms, Direction::Note, text, 0, false, None);
    }

    /// Entries of the record.
    pub fn len(&self) -> usize {
        self.head.len() + self.tail.len() + usize::from(self.left_out > 0)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A JSON array of [`Step`]s: at most [`STEPS_MAX`] of them, at most [`BYTES_MAX`] bytes.
    pub fn to_json(&self) -> String {
        let mut json = String::with_capacity(self.bytes());
        json.push('[');
        let gap = (self.left_out > 0).then(|| {
            let text = format!("{} left out", self.left_out);
            entry_json(self.gap_at_ms, Direction::Gap, &text, false, None)
        });
        let head = self.head.iter().map(|entry| &*entry.json);
        let tail = self.tail.iter().map(|entry| &*entry.json);
        for (n, entry) in head.chain(gap.as_deref()).chain(tail).enumerate() {
            if n > 0 {
                json.push(',');
            }
            json.push_str(entry);
        }
        json.push(']');
        json
    }

    fn add(&mut self, at_ms: u32, dir: Direction, text: &str, key: u64, again: bool, peer: Option<&str>) {
        let json = entry_json(at_ms, dir, text, again, peer).into_boxed_str();
        // With the comma after it.
        let bytes = json.len() + 1;
        let entry = Entry { at_ms, key, json };
        let is_first = self.tail.is_empty() && self.left_out == 0;
        if is_first && self.head.len() < HEAD_MAX && self.head_bytes + bytes <= HEAD_BYTES {
            self.head_bytes += bytes;
            self.head.push(entry);
            return;
        }
        self.tail_bytes += bytes;
        self.tail.push_back(entry);
        while self.len() > STEPS_MAX || self.bytes() > BYTES_MAX {
            let Some(oldest) = self.tail.pop_front() else { return };
            self.tail_bytes -= oldest.json.len() + 1;
            if self.left_out == 0 {
                self.gap_at_ms = oldest.at_ms;
            }
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// An upper bound of the JSON's length.
    fn bytes(&self) -> usize {
        let gap = if self.left_out > 0 { GAP_BYTES } else { 0 };
        2 + self.head_bytes + self.tail_bytes + gap
    }
}

fn millis(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

/// One entry as JSON. Fields that are false or absent are left out.
fn entry_json(at_ms: u32, dir: Direction, text: &str, again: bool, peer: Option<&str>) -> String {
    let mut json = String::with_capacity(48 + text.len().min(TEXT_MAX));
    let _ = write!(json, "{{\"at_ms\":{at_ms},\"dir\":\"{}\",\"text\":\"", dir.word());
    escape(&mut json, text, TEXT_MAX);
    json.push('"');
    if again {
        json.push_str(",\"again\":true");
    }
    if let Some(peer) = peer {
        json.push_str(",\"peer\":\"");
        escape(&mut json, peer, PEER_MAX);
        json.push('"');
    }
    json.push('}');
    json
}

/// Appends at most `max` bytes of the text as the inside of a JSON string; control characters become blanks.
fn escape(json: &mut String, text: &str, max: usize) {
    for letter in text[..text.floor_char_boundary(max)].chars() {
        match letter {
            '"' | '\\' => json.extend(['\\', letter]),
            _ if letter.is_control() => json.push(' '),
            _ => json.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    fn at(millis: u64) -> Time {
        Time::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn times_count_from_the_first_message_and_repeated_messages_are_marked() {
        let mut steps = CallSteps::default();
        steps.add_note(at(900), "not_registered");
        steps.add_message(at(1_000), Direction::Out, "INVITE sip:1@h", 1, Some("udp 192.0.2.1:5060"));
        steps.add_message(at(1_500), Direction::Out, "INVITE sip:1@h", 1, Some("udp 192.0.2.1:5060"));
        steps.add_message(at(1_531), Direction::In, "401 Unauthorized", 1, None);
        steps.add_message(at(1_540), Direction::Out, "INVITE sip:1@h", 2, Some("udp 192.0.2.1:5060"));
        assert_eq!(
            steps.to_json(),
            r#"[{"at_ms":0,"dir":"note","text":"not_registered"},"#.to_owned()
                + r#"{"at_ms":0,"dir":"out","text":"INVITE sip:1@h","peer":"udp 192.0.2.1:5060"},"#
                + r#"{"at_ms":500,"dir":"out","text":"INVITE sip:1@h","again":true,"peer":"udp 192.0.2.1:5060"},"#
                + r#"{"at_ms":531,"dir":"in","text":"401 Unauthorized"},"#
                + r#"{"at_ms":540,"dir":"out","text":"INVITE sip:1@h","peer":"udp 192.0.2.1:5060"}]"#
        );
        assert_eq!(CallSteps::default().to_json(), "[]");
    }

    #[test]
    fn the_first_and_the_last_entries_stay_and_the_others_are_counted() {
        let mut steps = CallSteps::default();
        for n in 0..1_000 {
            steps.add_note(at(n), &format!("note {n}"));
        }
        let json = steps.to_json();
        assert!(json.contains("\"note 0\"") && json.contains("\"note 23\""), "{json}");
        assert!(json.contains("\"note 999\"") && !json.contains("\"note 500\""), "{json}");
        let left_out = 1_000 - (steps.len() - 1);
        assert!(json.contains(&format!("\"dir\":\"gap\",\"text\":\"{left_out} left out\"")), "{json}");
        assert!(steps.len() <= STEPS_MAX && json.len() <= BYTES_MAX, "{} {}", steps.len(), json.len());
    }

    /// Any sequence of texts: the bounds hold after every entry.
    #[test]
    fn no_sequence_exceeds_the_bounds() {
        let letters: Vec<char> = "aZ 0\"\\\n\0\u{7f}é中💣".chars().collect();
        for seed in 0..300u64 {
            let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let mut steps = CallSteps::default();
            let mut added = 0usize;
            for n in 0..random.random_range(0..400u64) {
                let length = random.random_range(0..400);
                let text: String =
                    (0..length).map(|_| letters[random.random_range(0..letters.len())]).collect();
                let long = random.random_bool(0.3);
                let text = if long { text.as_str() } else { &text[..text.floor_char_boundary(12)] };
                let peer = random.random_bool(0.2).then_some(text);
                match random.random_range(0..3) {
                    0 => steps.add_note(at(n * 700_000_000), text),
                    1 => steps.add_message(at(n), Direction::In, text, 1, peer),
                    _ => steps.add_message(at(u64::from(u32::MAX) * n), Direction::Out, text, 2, peer),
                }
                added += 1;
                let json = steps.to_json();
                assert!(json.len() <= BYTES_MAX, "seed {seed}: {} bytes\n{json}", json.len());
                assert!(steps.len() <= STEPS_MAX, "seed {seed}: {} entries", steps.len());
                let kept = steps.head.len() + steps.tail.len();
                assert_eq!(kept + steps.left_out as usize, added, "seed {seed}: every entry is counted");
                assert!(!steps.tail.is_empty() || steps.left_out == 0, "seed {seed}: the last entry stays");
            }
        }
    }
}
