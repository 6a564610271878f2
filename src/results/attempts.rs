//! The attempts table: one row per attempt, in order of id.

use super::local_time::LocalTime;
use super::summary::Tally;
use super::table::{self, Cell, Column, Kind, Sink};
use super::{CampaignRecord, Reader, ResultsError};
use crate::store::result_rows::AttemptRow;
use paceline_core::outcome::Outcome;

/// The campaign mode without agents.
const ANNOUNCE: &str = "announce";

/// The columns; names and order are a published contract.
pub const COLUMNS: [(&str, Kind); 31] = [
    ("attempt_id", Kind::Whole),
    ("call_id", Kind::Text),
    ("lead_id", Kind::Whole),
    ("row", Kind::Whole),
    ("household", Kind::Text),
    ("phone", Kind::Text),
    ("phone_given", Kind::Text),
    ("name", Kind::Text),
    ("attempt", Kind::Whole),
    ("mode", Kind::Text),
    ("trunk", Kind::Text),
    ("caller_id", Kind::Text),
    ("placed_at", Kind::Text),
    ("ringing_at", Kind::Text),
    ("answered_at", Kind::Text),
    ("connected_at", Kind::Text),
    ("ended_at", Kind::Text),
    ("ring_secs", Kind::Secs),
    ("talk_secs", Kind::Secs),
    ("wait_secs", Kind::Secs),
    ("outcome", Kind::Text),
    ("cause", Kind::Text),
    ("sip_code", Kind::Whole),
    ("ended_by", Kind::Text),
    ("keys", Kind::Text),
    ("result", Kind::Text),
    ("agent", Kind::Text),
    ("disposition", Kind::Text),
    ("note", Kind::Text),
    ("recording", Kind::Text),
    ("counted", Kind::Flag),
];

pub(super) fn columns() -> Vec<Column> {
    table::columns(&COLUMNS)
}

pub(super) async fn fill(
    reader: &mut Reader,
    campaign: &CampaignRecord,
    clock: &mut LocalTime,
    sink: &mut dyn Sink,
    tally: &mut Tally,
) -> Result<(), ResultsError> {
    reader
        .each_attempt(campaign.id, i64::MIN, u32::MAX, |row| {
            tally.attempt(&row, &campaign.mode);
            sink.row(&cells(row, &campaign.mode, clock))
        })
        .await
}

/// Whether the callee waited for an agent in vain: no agent was free, or an agent's phone failed.
fn waited_in_vain(row: &AttemptRow) -> bool {
    let outcome = row.outcome.as_deref();
    outcome == Some(Outcome::Abandoned.word()) || outcome == Some(Outcome::AgentFailed.word())
}

/// Start and end of the callee's wait for an agent. Without a connection only an abandoned callee waited.
pub(super) fn wait_span(row: &AttemptRow) -> (Option<i64>, Option<i64>) {
    let abandoned = waited_in_vain(row);
    (row.answered_at, row.connected_at.or(observed_end(row).filter(|_| abandoned)))
}

/// Start and end of the talk: with an agent from the connection, with an announcement from the answer.
pub(super) fn talk_span(row: &AttemptRow, mode: &str) -> (Option<i64>, Option<i64>) {
    let abandoned = waited_in_vain(row);
    let announced = row.answered_at.filter(|_| mode == ANNOUNCE && !abandoned);
    (row.connected_at.or(announced), observed_end(row))
}

/// End of the call as the dialer saw it: the last commit for an interrupted call.
pub(super) fn observed_end(row: &AttemptRow) -> Option<i64> {
    row.alive_at.or(row.ended_at)
}

pub(super) fn cells(row: AttemptRow, mode: &str, clock: &mut LocalTime) -> Vec<Cell> {
    let mut moment = |millis| Cell::moment(millis, clock);
    let end = observed_end(&row);
    let (waited, talked) = (wait_span(&row), talk_span(&row, mode));
    vec![
        Cell::Whole(row.id),
        Cell::text(Some(row.call_id)),
        Cell::whole(row.lead_id),
        Cell::whole(row.list_row),
        Cell::text(row.household),
        Cell::phone(Some(row.number)),
        Cell::text(row.given),
        Cell::text(row.name),
        Cell::Whole(row.ordinal),
        Cell::text(Some(mode.to_string())),
        Cell::text(Some(row.trunk)),
        Cell::phone(row.caller_id),
        moment(Some(row.placed_at)),
        moment(row.ringing_at),
        moment(row.answered_at),
        moment(row.connected_at),
        moment(row.ended_at),
        Cell::span(row.ringing_at, row.answered_at.or(end)),
        Cell::span(talked.0, talked.1),
        Cell::span(waited.0, waited.1),
        Cell::text(row.outcome),
        Cell::text(Some(row.cause)),
        Cell::whole(row.sip_code),
        Cell::text(row.ended_by),
        Cell::text(Some(row.keys)),
        Cell::text(row.result),
        Cell::text(row.agent),
        Cell::text(row.disposition),
        Cell::text(row.note),
        Cell::text(row.recording),
        Cell::Flag(row.counted),
    ]
}
