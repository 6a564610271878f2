//! Lists in, clean leads and refused rows out. polars lives here and nowhere else.

use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Reason;
use std::path::PathBuf;

/// What the campaign says about its list: the `[list]` table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListSpec {
    pub file: PathBuf,
    /// Column names; empty = found by header name.
    pub phones: Vec<String>,
    pub household: String,
    pub name: String,
    /// For numbers without a country code, ISO 3166 alpha-2.
    pub region: String,
    pub blacklists: Vec<PathBuf>,
}

/// A row that became a lead.
#[derive(Clone, Debug, PartialEq)]
pub struct LeadRow {
    /// As people count: the header is row 1. In XLSX the sheet's own row number.
    pub row: u64,
    pub household: Option<String>,
    pub name: Option<String>,
    /// In order, each with the text as it was given.
    pub phones: Vec<(PhoneNumber, String)>,
    /// Every cell of the row, in the order of the header.
    pub cells: Vec<String>,
}

/// A row that was not taken: as given, why, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedRow {
    pub row: u64,
    pub cells: Vec<String>,
    pub reason: Reason,
    /// For a blacklist hit: which list.
    pub hint: String,
}
