//! Splits CSV text into rows, and classifies each as regular enough for polars or not. Quotes are respected;
//! an unclosed quote spoils its own row and no other. Cells are split elsewhere.

use memchr::{memchr, memchr2};

/// Longest row in bytes; a longer one is refused. A spreadsheet cell has at most 32,767 characters.
pub const RECORD_MAX: usize = 128 * 1024;

/// Classification of a row before its cells are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowShape {
    Blank,
    /// Exactly as many cells as the header, quotes (if any) as in RFC 4180.
    Regular,
    /// Parsed one by one: another number of cells, a quote inside a cell, a stray carriage return.
    Odd,
    OpenQuote,
    TooLong,
    Nul,
}

/// One row: `start..end` without its line end. Blank rows count as rows, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowSpan {
    pub start: usize,
    pub end: usize,
    /// Start of the next row.
    pub next: usize,
    pub shape: RowShape,
}

/// Splits text into rows.
#[derive(Clone, Copy, Debug)]
pub struct RowSplitter {
    pub separator: u8,
    /// Cells of a regular row; `None` while the header is not known.
    pub width: Option<usize>,
}

impl RowSplitter {
    /// Adds the complete rows of `text` to `spans`; all rows if `last`. Returns the start of the rest.
    pub fn split(&self, text: &[u8], last: bool, spans: &mut Vec<RowSpan>) -> usize {
        let odd_bytes = OddBytes { carriage: memchr(b'\r', text).is_some(), nul: memchr(0, text).is_some() };
        let mut start = 0;
        let mut quote = memchr(b'"', text).unwrap_or(text.len());
        while start < text.len() {
            if quote < start {
                quote = memchr(b'"', &text[start..]).map_or(text.len(), |at| start + at);
            }
            let line = memchr(b'\n', &text[start..]).map(|at| start + at);
            if line.is_none() && !last {
                break;
            }
            let line_end = line.unwrap_or(text.len());
            let span = if quote > line_end {
                self.unquoted_row(text, start, line_end, odd_bytes)
            } else {
                match self.quoted_row(text, start, line_end, last) {
                    Some(span) => span,
                    None => break,
                }
            };
            start = span.next;
            spans.push(span);
        }
        start
    }

    /// A row without quotes is one line.
    fn unquoted_row(&self, text: &[u8], start: usize, line_end: usize, odd: OddBytes) -> RowSpan {
        let next = (line_end + 1).min(text.len());
        let end = if line_end > start && text[line_end - 1] == b'\r' { line_end - 1 } else { line_end };
        let row = &text[start..end];
        let shape = if row.len() > RECORD_MAX {
            RowShape::TooLong
        } else if odd.nul && memchr(0, row).is_some() {
            RowShape::Nul
        } else if self.is_blank(row) {
            RowShape::Blank
        } else if odd.carriage && memchr(b'\r', row).is_some() {
            RowShape::Odd
        } else {
            let cells = 1 + row.iter().filter(|b| **b == self.separator).count();
            if Some(cells) == self.width { RowShape::Regular } else { RowShape::Odd }
        };
        RowSpan { start, end, next, shape }
    }

    /// A row with a quote in its first line. `None`: more text is needed.
    fn quoted_row(&self, text: &[u8], start: usize, line_end: usize, last: bool) -> Option<RowSpan> {
        let line = self.unquoted_row(text, start, line_end, OddBytes { carriage: true, nul: true });
        if matches!(line.shape, RowShape::TooLong | RowShape::Nul) {
            return Some(line);
        }
        let window = &text[..text.len().min(start + RECORD_MAX)];
        match self.walk(window, start) {
            // A row without a line end is complete only at the end of the file.
            Walk::Row { next, .. } if text[next - 1] != b'\n' && !(last && next == text.len()) => {
                (window.len() < text.len()).then_some(RowSpan { shape: RowShape::OpenQuote, ..line })
            }
            Walk::Row { end, next, cells, stray } => {
                let fits = self.width.is_none_or(|width| width == cells);
                // Several lines with the wrong number of cells are not one row: an unclosed quote met the
                // quote of a later row. Only the first line is broken.
                if next > line.next && !fits {
                    return Some(RowSpan { shape: RowShape::OpenQuote, ..line });
                }
                let carriage = memchr(b'\r', &text[start..end]).is_some();
                let nul = memchr(0, &text[start..end]).is_some();
                let shape = match () {
                    () if nul => RowShape::Nul,
                    () if stray || carriage || self.width != Some(cells) => RowShape::Odd,
                    () => RowShape::Regular,
                };
                Some(RowSpan { start, end, next, shape })
            }
            Walk::RanOut if !last && window.len() == text.len() => None,
            Walk::RanOut | Walk::Broken => Some(RowSpan { shape: RowShape::OpenQuote, ..line }),
        }
    }

    /// Walks through one row cell by cell.
    fn walk(&self, text: &[u8], start: usize) -> Walk {
        let (mut at, mut cells, mut stray) = (start, 1, false);
        loop {
            if text.get(at) == Some(&b'"') {
                match closing_quote(text, at + 1) {
                    Some(close) => at = close + 1,
                    None => return Walk::RanOut,
                }
                if text.get(at) == Some(&b'\r') && matches!(text.get(at + 1), None | Some(b'\n')) {
                    at += 1;
                }
                if !matches!(text.get(at), None | Some(b'\n')) && text[at] != self.separator {
                    return Walk::Broken;
                }
            } else {
                let rest = text.get(at..).unwrap_or(&[]);
                let stop = memchr2(self.separator, b'\n', rest).unwrap_or(rest.len());
                stray |= memchr(b'"', &rest[..stop]).is_some();
                at += stop;
            }
            match text.get(at) {
                Some(b'\n') | None => {
                    let end = if at > start && text[at - 1] == b'\r' { at - 1 } else { at };
                    return Walk::Row { end, next: (at + 1).min(text.len()), cells, stray };
                }
                Some(_) => {
                    at += 1;
                    cells += 1;
                }
            }
        }
    }

    /// Nothing but separators and spaces, as spreadsheets leave below the last row.
    fn is_blank(&self, row: &[u8]) -> bool {
        let empty = |b: &u8| *b == self.separator || matches!(*b, b' ' | b'\t' | b'\r');
        row.first().is_none_or(empty) && row.iter().all(empty)
    }
}

#[derive(Clone, Copy)]
struct OddBytes {
    carriage: bool,
    nul: bool,
}

enum Walk {
    Row {
        end: usize,
        next: usize,
        cells: usize,
        stray: bool,
    },
    /// The text ended inside quotes.
    RanOut,
    /// Text follows a closing quote.
    Broken,
}

/// Finds the quote that closes a cell; a doubled quote is an escaped one.
fn closing_quote(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr(b'"', text.get(at..)?)?;
        if text.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(text: &str, width: usize) -> Vec<(&str, RowShape)> {
        let mut spans = Vec::new();
        let splitter = RowSplitter { separator: b',', width: Some(width) };
        let rest = splitter.split(text.as_bytes(), true, &mut spans);
        assert_eq!(rest, text.len());
        spans.iter().map(|span| (&text[span.start..span.end], span.shape)).collect()
    }

    #[test]
    fn rows_end_at_line_ends_outside_quotes() {
        assert_eq!(
            shapes("a,b\r\n\n\"x\ny\",2\n,,\n1,2,3\n\"q\"\"q\",\"\"\nend,1", 2),
            [
                ("a,b", RowShape::Regular),
                ("", RowShape::Blank),
                ("\"x\ny\",2", RowShape::Regular),
                (",,", RowShape::Blank),
                ("1,2,3", RowShape::Odd),
                ("\"q\"\"q\",\"\"", RowShape::Regular),
                ("end,1", RowShape::Regular),
            ]
        );
    }

    #[test]
    fn an_unclosed_quote_spoils_its_own_row_only() {
        assert_eq!(
            shapes("a,\"b\nc,d\ne,f\n", 2),
            [("a,\"b", RowShape::OpenQuote), ("c,d", RowShape::Regular), ("e,f", RowShape::Regular)]
        );
        assert_eq!(
            shapes("a,\"b\n\"c\",d\ne,\"f\"\n", 2),
            [("a,\"b", RowShape::OpenQuote), ("\"c\",d", RowShape::Regular), ("e,\"f\"", RowShape::Regular)]
        );
        assert_eq!(
            shapes("a,\"b\nx,y\",z\ne,f\n", 2),
            [("a,\"b", RowShape::OpenQuote), ("x,y\",z", RowShape::Odd), ("e,f", RowShape::Regular)]
        );
    }

    #[test]
    fn quotes_inside_a_cell_are_text() {
        assert_eq!(
            shapes("O\"Brien,1\n5\" pipe,2\n", 2),
            [("O\"Brien,1", RowShape::Odd), ("5\" pipe,2", RowShape::Odd)]
        );
    }

    #[test]
    fn long_rows_and_nul_bytes_are_marked() {
        let long = "x".repeat(RECORD_MAX + 1);
        let text = format!("a,b\n{long},1\nc\0,d\n\"{long}\",2\ne,f\n");
        let found: Vec<RowShape> = shapes(&text, 2).into_iter().map(|(_, shape)| shape).collect();
        assert_eq!(
            found,
            [RowShape::Regular, RowShape::TooLong, RowShape::Nul, RowShape::TooLong, RowShape::Regular]
        );
    }

    #[test]
    fn text_in_two_pieces_gives_the_same_rows() {
        let text = "a,b\r\n\"x\ny\",2\n\n\"open,1\nq,\"\"\"z\"\n\"last\",1";
        let whole = shapes(text, 2);
        for cut in 1..text.len() {
            let (mut pieces, mut start) = (Vec::new(), 0);
            let splitter = RowSplitter { separator: b',', width: Some(2) };
            for (end, last) in [(cut, false), (text.len(), true)] {
                let mut spans = Vec::new();
                let rest = splitter.split(&text.as_bytes()[start..end], last, &mut spans);
                pieces.extend(
                    spans.iter().map(|span| (&text[start + span.start..start + span.end], span.shape)),
                );
                start += rest;
            }
            assert_eq!(pieces, whole, "cut at {cut}");
        }
    }
}
