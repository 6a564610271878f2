//! The table of inbound calls: one row per call, in order of id.

use super::local_time::LocalTime;
use super::summary::Tally;
use super::table::{self, Cell, Column, Kind, Sink};
use super::{CampaignRecord, Reader, ResultsError};
use crate::store::inbound_calls::InboundCallRow;

/// Rows per query.
const PAGE: u32 = 2_000;

pub const COLUMNS: [(&str, Kind); 18] = [
    ("call_in_id", Kind::Whole),
    ("phone", Kind::Text),
    ("lead_id", Kind::Whole),
    ("row", Kind::Whole),
    ("household", Kind::Text),
    ("name", Kind::Text),
    ("came_at", Kind::Text),
    ("answered_at", Kind::Text),
    ("connected_at", Kind::Text),
    ("ended_at", Kind::Text),
    ("wait_secs", Kind::Secs),
    ("talk_secs", Kind::Secs),
    ("agent", Kind::Text),
    ("ended_by", Kind::Text),
    ("cause", Kind::Text),
    ("disposition", Kind::Text),
    ("note", Kind::Text),
    ("recording", Kind::Text),
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
    let mut after = i64::MIN;
    loop {
        let page = reader.inbound_calls(Some(campaign.id), after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for row in page {
            tally.call_in(&row);
            sink.row(&cells(row, clock))?;
        }
    }
}

pub(super) fn cells(row: InboundCallRow, clock: &mut LocalTime) -> Vec<Cell> {
    let mut moment = |millis| Cell::moment(millis, clock);
    vec![
        Cell::Whole(row.id),
        Cell::phone(row.number),
        Cell::whole(row.lead_id),
        Cell::whole(row.list_row),
        Cell::text(row.household),
        Cell::text(row.name),
        moment(row.began_at),
        moment(row.answered_at),
        moment(row.connected_at),
        moment(row.ended_at),
        Cell::span(row.answered_at, row.connected_at.or(row.ended_at)),
        Cell::span(row.connected_at, row.ended_at),
        Cell::text(row.agent),
        Cell::text(row.ended_by),
        Cell::text(Some(row.cause)),
        Cell::text(row.disposition),
        Cell::text(row.note),
        Cell::text(row.recording),
    ]
}
