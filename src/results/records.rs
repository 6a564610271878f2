//! Tables of records: the audit and the blacklist.

use super::local_time::LocalTime;
use super::table::{self, Cell, Column, Kind};
use crate::store::{AuditRow, BlacklistEntry};
use jiff::tz::TimeZone;
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;

/// The columns of an exported audit; the chain lets a reader check that no row is missing.
pub fn audit_columns() -> Vec<Column> {
    table::columns(&[
        ("audit_id", Kind::Whole),
        ("at", Kind::Text),
        ("actor_kind", Kind::Text),
        ("actor", Kind::Text),
        ("address", Kind::Text),
        ("action", Kind::Text),
        ("subject_kind", Kind::Text),
        ("subject", Kind::Text),
        ("before", Kind::Text),
        ("after", Kind::Text),
        ("chain", Kind::Text),
    ])
}

/// The columns of an exported blacklist. The first is read again by an import.
pub fn blacklist_columns() -> Vec<Column> {
    table::columns(&[
        ("number", Kind::Text),
        ("scope", Kind::Text),
        ("campaign", Kind::Text),
        ("source", Kind::Text),
        ("reason", Kind::Text),
        ("added_by", Kind::Text),
        ("added_at", Kind::Text),
        ("until", Kind::Text),
    ])
}

/// Writes the rows of records, on the clock of UTC.
pub struct RecordRows {
    clock: LocalTime,
}

impl Default for RecordRows {
    fn default() -> Self {
        RecordRows { clock: LocalTime::of(TimeZone::UTC) }
    }
}

impl RecordRows {
    pub fn audit(&mut self, row: AuditRow) -> Vec<Cell> {
        vec![
            Cell::Whole(row.id),
            Cell::moment(Some(row.at), &mut self.clock),
            Cell::text(Some(row.actor_kind)),
            Cell::text(Some(row.actor)),
            Cell::text(Some(row.address)),
            Cell::text(Some(row.action)),
            Cell::text(Some(row.subject_kind)),
            Cell::text(Some(row.subject)),
            Cell::text(row.before),
            Cell::text(row.after),
            Cell::text(Some(row.chain.iter().map(|byte| format!("{byte:02x}")).collect())),
        ]
    }

    /// `campaign`: its name; `None` = every campaign.
    pub fn blacklist(&mut self, row: BlacklistEntry, campaign: Option<&str>) -> Vec<Cell> {
        let exact =
            (!row.pattern.is_prefix()).then(|| PhoneNumber::from_e164(row.pattern.digits())).flatten();
        let number = exact.map_or_else(|| row.pattern.to_string(), PhoneNumber::national);
        vec![
            Cell::text(Some(number)),
            Cell::text(Some(if campaign.is_some() { "campaign" } else { "system" }.to_owned())),
            Cell::text(campaign.map(str::to_owned)),
            Cell::text(Some(row.source)),
            Cell::text(row.reason),
            Cell::text(row.added_by),
            Cell::moment(Some(row.added_at.as_millis()), &mut self.clock),
            Cell::moment(row.until.map(Utc::as_millis), &mut self.clock),
        ]
    }
}
