//! The moments of a call in their order, and the marks on its recording.

use super::call_detail::WholeCall;
use super::shown_number::{NumberSight, shown_text};
use super::views::millis;
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
    if let Some(invite) = call.steps.iter().find(|step| step.dir == Direction::Out) {
        let clock = StepClock::of(
            RowMoments {
                opened: row.at,
                ringing: row.ringing_at,
                answered: row.answered_at,
                ended: row.ended_at,
            },
            &call.steps,
        );
        add(Some(clock.at(invite.at_ms)), "left", None, row.trunk.clone());
        for (at_ms, _, rest) in notes(&call.steps).filter(|(_, kind, _)| *kind == NoteKind::Key) {
            let key = rest.split(' ').next().unwrap_or_default().to_owned();
            add(Some(clock.at(at_ms)), "key", None, Some(key));
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

/// The moments that a call's row has.
#[derive(Clone, Copy)]
pub(super) struct RowMoments {
    pub opened: i64,
    pub ringing: Option<i64>,
    pub answered: Option<i64>,
    pub ended: Option<i64>,
}

/// What turns the milliseconds of a call's steps into moments of its row. Steps count from the INVITE by a clock of their
/// own; a step whose moment the row has is at that moment, and the others are counted from it.
pub(super) struct StepClock {
    opened: i64,
    /// Steps whose moment the row has: their milliseconds, and the moment. Both rise.
    known: Vec<(u32, i64)>,
}

/// The row notes a message when the dialer handles it, so much after the step at most, in milliseconds.
const HANDLED_WITHIN: u64 = 50;

impl StepClock {
    pub fn of(row: RowMoments, steps: &[Step]) -> StepClock {
        let is_response = |step: &Step, starts: &[char]| {
            step.dir == Direction::In && step.text.starts_with(starts) && !step.text.ends_with(')')
        };
        let rang = steps.iter().find(|step| is_response(step, &['1']) && step.text.starts_with("18"));
        let was_answered = steps.iter().find(|step| is_response(step, &['2']));
        let mut clock = StepClock { opened: row.opened, known: Vec::new() };
        clock.know(rang, row.ringing);
        clock.know(was_answered, row.answered);
        // Which message ended the call is known by its moment: either side may hang up, refuse or give up.
        let ends = |step: &&Step| {
            is_response(step, &['3', '4', '5', '6'])
                || ["BYE ", "CANCEL "].iter().any(|method| step.text.starts_with(method))
        };
        if let Some(ended) = row.ended {
            let far = |step: &&Step| clock.at(step.at_ms).abs_diff(ended);
            let last = steps.iter().filter(ends).min_by_key(far).filter(|step| far(step) <= HANDLED_WITHIN);
            clock.know(last, Some(ended));
        }
        clock
    }

    fn know(&mut self, step: Option<&Step>, at: Option<i64>) {
        let Some((step, at)) = step.zip(at) else { return };
        if self.known.last().is_none_or(|(at_ms, before)| *at_ms < step.at_ms && *before <= at) {
            self.known.push((step.at_ms, at));
        }
    }

    /// The moment of a step. The INVITE follows the store, whatever the two clocks say.
    pub fn at(&self, at_ms: u32) -> i64 {
        let next = self.known.iter().position(|(known, _)| *known > at_ms).unwrap_or(self.known.len());
        let (before, after) = self.known.split_at(next);
        let counted = match (before.last(), after.first()) {
            (Some((known, at)), _) => at + i64::from(at_ms - known),
            (None, Some((known, at))) => (at - i64::from(known - at_ms)).max(self.opened),
            (None, None) => self.opened + i64::from(at_ms),
        };
        after.first().map_or(counted, |(_, at)| counted.min(*at))
    }
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
    fn steps_stand_at_the_moments_of_the_row_and_never_run_backwards() {
        let step = |at_ms, dir, text: &str| Step { at_ms, dir, text: text.into(), again: false, peer: None };
        let steps = [
            step(0, Direction::Out, "INVITE sip:1@h"),
            step(20, Direction::In, "100 Trying"),
            step(900, Direction::In, "180 Ringing"),
            step(901, Direction::Note, "key 1 rtp"),
            step(2_000, Direction::In, "200 OK"),
            step(9_000, Direction::In, "BYE sip:1@h"),
            step(9_001, Direction::Out, "200 OK (BYE)"),
        ];
        let row =
            RowMoments { opened: 1_000, ringing: Some(2_258), answered: Some(3_357), ended: Some(10_360) };
        let of = |row| {
            let clock = StepClock::of(row, &steps);
            steps.iter().map(|step| clock.at(step.at_ms)).collect::<Vec<_>>()
        };
        assert_eq!(of(row), [1_358, 1_378, 2_258, 2_259, 3_357, 10_360, 10_361]);
        // The store's clock is ahead of the steps': no message leaves before the call is written.
        let late = RowMoments { opened: 2_000, ..row };
        assert_eq!(of(late), [2_000, 2_000, 2_258, 2_259, 3_357, 10_360, 10_361]);
        // An end far from every message is none of them.
        let lost = RowMoments { ended: Some(30_000), ..row };
        assert_eq!(of(lost)[5..], [10_357, 10_358]);
        let alone = RowMoments { ringing: None, answered: None, ended: None, ..row };
        assert_eq!(of(alone), [1_000, 1_020, 1_900, 1_901, 3_000, 10_000, 10_001]);
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
