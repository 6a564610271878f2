//! A first look at a list file, also at one whose columns are not understood: how it is read, its sheets, the names of its
//! columns and the first rows.

use super::header::{WantedColumns, find_names};
use super::source::Source;
use super::{ListError, ListSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rows shown.
const ROWS_SHOWN: usize = 8;
/// Cells shown of a row, and bytes of a cell.
const CELLS_SHOWN: usize = 200;
const CELL_BYTES_SHOWN: usize = 400;

/// What a file looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    /// `UTF-8`, `gb18030` and so on; for a workbook `xlsx`.
    pub encoding: String,
    /// Empty for a workbook.
    pub separator: String,
    pub sheets: Vec<SheetPreview>,
    /// Of the text, or of the first sheet that is read; absent when it has none.
    pub header_row: Option<u64>,
    pub columns: Vec<String>,
    /// The first rows with their numbers, those above the header included.
    pub sample: Vec<SampleLine>,
}

/// One sheet of a workbook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SheetPreview {
    pub name: String,
    pub is_visible: bool,
}

/// One row as it stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SampleLine {
    pub row: u64,
    pub cells: Vec<String>,
}

/// Looks at a file. The columns need not be understood.
///
/// # Errors
/// The file cannot be read at all.
pub fn preview(spec: &ListSpec) -> Result<Preview, ListError> {
    let mut source = Source::open(&spec.file, &spec.reading)?;
    let mut found = Preview::default();
    let sample = match &mut source {
        Source::Text(text) => {
            let sample = text.sample();
            found.encoding = text.encoding_name().into();
            found.separator = char::from(text.separator).into();
            sample
        }
        Source::Book(book) => {
            found.encoding = "xlsx".into();
            let sheets = book.sheets();
            let is_read = |name: &str| match spec.sheets.as_slice() {
                [] => true,
                named => named.iter().any(|wish| wish.trim() == name.trim()),
            };
            let chosen = sheets.iter().filter(|it| it.has_cells && it.is_visible && is_read(&it.name));
            let mut sample = Vec::new();
            for sheet in chosen {
                let Ok(form) = book.form(&sheet.name) else { continue };
                sample = book.sample(&sheet.name, &form).unwrap_or_default();
                if sample.len() > 1 {
                    break;
                }
            }
            found.sheets = sheets
                .into_iter()
                .filter(|sheet| sheet.has_cells)
                .map(|sheet| SheetPreview { name: sheet.name, is_visible: sheet.is_visible })
                .collect();
            sample
        }
    };
    if !sample.is_empty() {
        (found.header_row, found.columns) = find_names(&spec.file, &sample, WantedColumns::of(spec))?;
    }
    let shown = sample.into_iter().take(ROWS_SHOWN);
    found.sample = shown.map(|row| SampleLine { row: row.row, cells: shortened(row.cells) }).collect();
    Ok(found)
}

fn shortened(mut cells: Vec<String>) -> Vec<String> {
    cells.truncate(CELLS_SHOWN);
    for cell in cells.iter_mut().filter(|cell| cell.len() > CELL_BYTES_SHOWN) {
        cell.truncate(cell.floor_char_boundary(CELL_BYTES_SHOWN));
    }
    cells
}
