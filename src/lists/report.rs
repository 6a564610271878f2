//! The list report of a check or an import, `results/list-report.json`. Counts reconcile: rows read = leads +
//! refused rows.

use super::header::{Basis, Role};
use paceline_core::outcome::Reason;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The report on one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListReport {
    pub file: String,
    /// `UTF-8`, `UTF-16LE`, `gb18030` and so on; for a workbook `xlsx`.
    pub encoding: String,
    /// `,`, `\t`, `;` or `|`; empty for a workbook.
    pub separator: String,
    /// The sheet that was read; empty for text, and when several sheets were read.
    pub sheet: String,
    /// Every sheet that was read, in the order of the workbook.
    #[serde(default)]
    pub sheets: Vec<SheetReport>,
    /// Every sheet that was not read, with the reason.
    #[serde(default)]
    pub unread_sheets: Vec<UnreadSheet>,
    /// The row of the header (of the first sheet), counted from 1; absent when the list has none.
    pub header_row: Option<u64>,
    pub columns: Vec<ColumnReport>,
    /// Rows below the header that are not blank.
    pub rows_read: u64,
    /// Blank rows between the others: the file has them, and nothing is made of them.
    #[serde(default)]
    pub empty_rows: u64,
    pub leads: u64,
    pub refused_rows: u64,
    /// Refused rows by reason.
    pub refused: BTreeMap<String, u64>,
    /// Phone numbers of all leads.
    pub phones: u64,
    /// Different households among the leads; leads without one are not counted.
    pub households: u64,
    /// Leads with a number that may be dialled, judged by the list alone.
    pub expected_dialable: u64,
    pub blacklists: Vec<BlacklistReport>,
    pub warnings: Vec<Warning>,
    /// The first rows, as they were read.
    pub sample: Vec<Vec<String>>,
}

/// One sheet of a workbook that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SheetReport {
    pub name: String,
    pub header_row: Option<u64>,
    pub rows_read: u64,
    pub leads: u64,
    pub refused_rows: u64,
    /// Rows that are hidden or filtered out, and were left out.
    pub hidden_rows: u64,
    /// Merged regions; each of their cells has the text of the first.
    pub merged_regions: u64,
}

/// A sheet that was not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnreadSheet {
    pub name: String,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnReport {
    pub name: String,
    pub role: Role,
    #[serde(default)]
    pub basis: Basis,
    /// How many of the values in the first rows are phone numbers, in percent.
    #[serde(default)]
    pub numbers_pct: u8,
}

/// One blacklist and its hits in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlacklistReport {
    /// The file's name, or `system`.
    pub name: String,
    pub numbers: u64,
    /// Prefixes, such as `0755*`, each of which blocks every number that begins with it.
    #[serde(default)]
    pub prefixes: u64,
    /// Numbers of the list that are on this blacklist and on none before it.
    pub hits: u64,
    /// Rows with something that is no number and no prefix: it blocks nothing.
    pub unreadable: u64,
    /// The first of those rows.
    pub unreadable_rows: Vec<u64>,
    /// What was found there, and what to do.
    #[serde(default)]
    pub unreadable_hints: Vec<String>,
    /// Sheets of a workbook that were not read.
    #[serde(default)]
    pub unread_sheets: Vec<UnreadSheet>,
}

/// A finding that refused no row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    pub what: String,
    /// The sheet of the rows, if several sheets were read.
    #[serde(default)]
    pub sheet: String,
    pub count: u64,
    /// The first rows with this finding.
    pub rows: Vec<u64>,
}

/// Most rows named in a warning.
pub(crate) const ROWS_NAMED: usize = 5;
/// Sample rows in the report.
pub(crate) const ROWS_SHOWN: usize = 5;

impl ListReport {
    pub(crate) fn refuse(&mut self, reason: Reason) {
        self.refused_rows += 1;
        match self.refused.get_mut(reason.word()) {
            Some(count) => *count += 1,
            None => {
                self.refused.insert(reason.word().into(), 1);
            }
        }
    }

    /// `sheet`: empty unless several sheets are read; `row`: 0 = of the whole list.
    pub(crate) fn warn(&mut self, what: &str, sheet: &str, row: u64) {
        let is_same = |warning: &Warning| warning.what == what && warning.sheet == sheet;
        let at = self.warnings.iter().position(is_same).unwrap_or_else(|| {
            self.warnings.push(Warning { what: what.into(), sheet: sheet.into(), ..Warning::default() });
            self.warnings.len() - 1
        });
        let warning = &mut self.warnings[at];
        warning.count += 1;
        if warning.rows.len() < ROWS_NAMED && row > 0 {
            warning.rows.push(row);
        }
    }

    /// True if every row that was read is a lead or a refused row.
    pub fn reconciles(&self) -> bool {
        self.rows_read == self.leads + self.refused_rows
            && self.refused.values().sum::<u64>() == self.refused_rows
    }
}
