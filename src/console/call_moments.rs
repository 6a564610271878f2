//! The moments of a call in their order, and the marks on its recording.

use super::call_detail::WholeCall;
use super::shown_number::{NumberSight, shown_text};
use super::views::millis;
use crate::store::call_detail::CallDetailRow;
use paceline_core::call_note::{NoteKind, Played};
use paceline_core::call_steps::{Direction, Step};
use serde_json::{Value, json};

/// Marks on one part of a recording.
const MARKS_MAX: usize = 64;

/// A moment of a call; `detail` = the trunk, a key, a disposition.
struct Moment {
    at: i64,
    kind: &'static str,
    agent: Option<(String, String)>,
    detail: Option<String>,
}

/// The moments of the row, and what signalling and seats add to them, in order.
pub(super) fn timeline(call: &WholeCall, sight: NumberSight) -> Vec<Value> {
    let row = &call.row;
    let mut moments = Vec::new();
    let mut add = |at: Option<i64>, kind, agent: Option<(String, String)>, detail: Option<String>| {
        moments.extend(at.map(|at| Moment { at, kind, agent, detail }));
    };
    let agent = row.agent.clone().map(|number| (number, row.agent_name.clone().unwrap_or_default()));
    add(Some(row.at), if call.inbound { "arrived" } else { "written" }, None, None);
    if let Some(begun) = signalling_began(row, &call.steps) {
        // The INVITE follows the store, whatever the two clocks say.
        add(Some(begun.max(row.at)), "left", None, row.trunk.clone());
        for (at_ms, _, rest) in notes(&call.steps).filter(|(_, kind, _)| *kind == NoteKind::Key) {
            let key = rest.split(' ').next().unwrap_or_default().to_owned();
            add(Some(begun + i64::from(at_ms)), "key", None, Some(key));
        }
    }
    add(row.ringing_at, "ringing", None, None);
    add(row.answered_at, "answered", None, None);
    // Who spoke first has the row's own moment; who took the call over later has its seat's.
    let mut speakers: Vec<i64> = Vec::new();
    for seat in call.seats.iter().filter(|seat| seat.activity == "talking") {
        if speakers.contains(&seat.agent_id) {
            continue;
        }
        let who = Some((seat.agent.clone(), seat.agent_name.clone()));
        let at = if speakers.is_empty() { row.connected_at.or(Some(seat.at)) } else { Some(seat.at) };
        speakers.push(seat.agent_id);
        add(at, "connected", who, None);
    }
    if speakers.is_empty() {
        add(row.connected_at, "connected", agent.clone(), None);
    }
    add(row.ended_at, "ended", None, row.ended_by.clone());
    for it in &call.summaries {
        let who = it.agent.clone().map(|number| (number, it.agent_name.clone().unwrap_or_default()));
        add(Some(it.at), "summary", who, Some(shown_text(&it.disposition, sight)));
    }
    moments.sort_by_key(|moment| moment.at);
    let shown = moments.into_iter().map(|moment| {
        let (agent, agent_name) = moment.agent.unzip();
        json!({
            "at": millis(Some(moment.at)),
            "kind": moment.kind,
            "agent": agent,
            "agent_name": agent_name,
            "detail": moment.detail,
        })
    });
    shown.collect()
}

/// When the INVITE left, by a message that the row has the moment of; `None` = nothing left.
fn signalling_began(row: &CallDetailRow, steps: &[Step]) -> Option<i64> {
    steps.iter().find(|step| step.dir == Direction::Out)?;
    let response = |start: char| {
        let fits = |step: &&Step| {
            step.dir == Direction::In && step.text.starts_with(start) && !step.text.ends_with(')')
        };
        steps.iter().find(fits).map(|step| i64::from(step.at_ms))
    };
    let answered = row.answered_at.zip(response('2'));
    let ringing = || {
        let rings = steps.iter().find(|step| step.dir == Direction::In && step.text.starts_with("18"));
        row.ringing_at.zip(rings.map(|step| i64::from(step.at_ms)))
    };
    Some(answered.or_else(ringing).map_or(row.at, |(at, after)| at - after))
}

/// The notes among the steps: milliseconds since the INVITE, kind, and the rest.
fn notes(steps: &[Step]) -> impl Iterator<Item = (u32, NoteKind, &str)> {
    let notes = steps.iter().filter(|step| step.dir == Direction::Note);
    notes.filter_map(|step| NoteKind::parse(&step.text).map(|(kind, rest)| (step.at_ms, kind, rest)))
}

/// What happened while a part of the recording ran: holds and keys, in milliseconds of the part. `place` = the part's place
/// among all that were begun.
pub(super) fn marks(steps: &[Step], place: usize, length: i64) -> Vec<Value> {
    let mut begun = notes(steps).filter(|(_, kind, _)| *kind == NoteKind::Record);
    let Some((start, ..)) = begun.nth(place) else { return Vec::new() };
    let at = |at_ms: u32| (i64::from(at_ms) - i64::from(start)).clamp(0, length);
    let end = i64::from(start) + length;
    let mut marks = Vec::new();
    // Where the callee was put on hold and not yet taken back.
    let mut held: Option<u32> = None;
    let within = |at_ms: u32| at_ms >= start && i64::from(at_ms) <= end;
    for (at_ms, kind, rest) in notes(steps) {
        match kind {
            NoteKind::Key if within(at_ms) => {
                let key = rest.split(' ').next().unwrap_or_default();
                marks.push(json!({ "kind": "key", "at_ms": at(at_ms), "until_ms": null, "key": key }));
            }
            NoteKind::Play if rest == Played::HoldMusic.word() => {
                held.get_or_insert(at_ms);
            }
            NoteKind::Join | NoteKind::HangUp => {
                if let Some(from) = held.take().filter(|from| within(*from) || within(at_ms)) {
                    marks.push(hold(at(from), at(at_ms)));
                }
            }
            _ => {}
        }
    }
    if let Some(from) = held.filter(|from| within(*from)) {
        marks.push(hold(at(from), length));
    }
    marks.sort_by_key(|mark| mark["at_ms"].as_i64());
    marks.truncate(MARKS_MAX);
    marks
}

fn hold(from: i64, until: i64) -> Value {
    json!({ "kind": "hold", "at_ms": from, "until_ms": until, "key": null })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(lines: &[(u32, &str)]) -> Vec<Step> {
        let note = |(at_ms, text): &(u32, &str)| Step {
            at_ms: *at_ms,
            dir: Direction::Note,
            text: (*text).to_owned(),
            again: false,
            peer: None,
        };
        lines.iter().map(note).collect()
    }

    #[test]
    fn holds_and_keys_stand_where_they_are_heard_in_their_part() {
        let steps = steps(&[
            (500, "key 9 rtp"),
            (1_000, "record"),
            (3_000, "key 1 rtp"),
            (5_000, "play hold_music"),
            (8_000, "join"),
            (9_000, "stop_recording"),
            (20_000, "record"),
            (21_000, "play hold_music"),
        ]);
        let of = |place, length| Value::from(marks(&steps, place, length));
        assert_eq!(
            of(0, 8_000),
            json!([
                { "kind": "key", "at_ms": 2_000, "until_ms": null, "key": "1" },
                { "kind": "hold", "at_ms": 4_000, "until_ms": 7_000, "key": null },
            ])
        );
        assert_eq!(
            of(1, 5_000),
            json!([{ "kind": "hold", "at_ms": 1_000, "until_ms": 5_000, "key": null }]),
            "a hold without an end lasts to the end"
        );
        assert_eq!(of(2, 5_000), json!([]));
    }
}
