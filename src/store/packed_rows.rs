//! Rows that cross from the database's thread many at a time, as one text. A row for a row, each crossing wakes a
//! thread, and each value costs an allocation on both sides: with result tables that was most of the time.
//!
//! A row is its numbers and fixed words, then the lengths of its free texts in octets, each followed by a space; then
//! those texts without anything between them, and a line feed. A value that is missing is [`NONE`]. Texts may
//! hold anything, since only their lengths say where they end.

use super::StoreError;
use futures_util::future::maybe_done;
use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::task::Poll;

/// What stands for a value that is missing, and for an empty word.
const NONE: &str = "-";

/// Rows a chunk: some hundred KiB, and few enough that the first ones come at once.
pub(super) const CHUNK_ROWS: i64 = 1_024;

/// Consecutive rows.
pub(super) struct Chunk {
    /// The rows, one after the other; none = there are no more.
    pub rows: Option<String>,
    /// The key of the last row.
    pub last: i64,
}

/// Reads chunk after chunk and gives each to `receive`, which answers how many rows it held; the next one is read
/// meanwhile. `fetch` reads up to that many rows behind a key. Ends after `limit` rows, or with a chunk that is not full.
pub(super) async fn each_chunk<E>(
    conn: &mut sqlx::SqliteConnection,
    after: i64,
    limit: u32,
    fetch: impl AsyncFn(&mut sqlx::SqliteConnection, i64, i64) -> Result<Chunk, E>,
    mut receive: impl FnMut(&str) -> Result<i64, E>,
) -> Result<(), E> {
    let mut left = i64::from(limit);
    let mut asked = left.min(CHUNK_ROWS);
    let mut chunk = fetch(conn, after, asked).await?;
    while let Some(rows) = chunk.rows.take() {
        let next_asked = (left - asked).min(CHUNK_ROWS);
        let mut next = pin!(maybe_done(fetch(conn, chunk.last, next_asked)));
        if next_asked > 0 {
            // The first poll hands the statement to the database's thread.
            poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx).is_ready())).await;
        }
        let held = receive(&rows)?;
        left -= held;
        if held < asked || next_asked <= 0 {
            break;
        }
        next.as_mut().await;
        let Some(read) = next.as_mut().take_output() else { break };
        (chunk, asked) = (read?, next_asked);
    }
    Ok(())
}

/// Reads the rows of a chunk.
pub(super) struct PackedRows<'a> {
    rest: &'a str,
    is_whole: bool,
}

impl<'a> PackedRows<'a> {
    pub fn of(rows: &'a str) -> Self {
        PackedRows { rest: rows, is_whole: true }
    }

    /// Whether another row follows.
    pub fn has_row(&self) -> bool {
        self.is_whole && !self.rest.is_empty()
    }

    pub fn word(&mut self) -> Option<&'a str> {
        let Some((word, rest)) = self.rest.split_once(' ') else {
            self.is_whole = false;
            return None;
        };
        self.rest = rest;
        (word != NONE).then_some(word)
    }

    pub fn text_word(&mut self) -> Option<String> {
        self.word().map(str::to_owned)
    }

    pub fn number(&mut self) -> Option<i64> {
        let word = self.word()?;
        let number = word.parse().ok();
        self.is_whole &= number.is_some();
        number
    }

    pub fn flag(&mut self) -> bool {
        self.word() == Some("1")
    }

    /// The lengths of this row's texts, in octets.
    pub fn lengths<const N: usize>(&mut self) -> [Option<i64>; N] {
        std::array::from_fn(|_| self.number())
    }

    /// The next text of the row.
    pub fn text(&mut self, octets: Option<i64>) -> Option<String> {
        let octets = octets?;
        match usize::try_from(octets).ok().and_then(|octets| self.rest.split_at_checked(octets)) {
            Some((text, rest)) => {
                self.rest = rest;
                Some(text.to_owned())
            }
            None => {
                self.is_whole = false;
                None
            }
        }
    }

    /// The end of a row; an error where the row was not what it said.
    pub fn end_row(&mut self, path: &Path) -> Result<(), StoreError> {
        match self.rest.strip_prefix('\n').filter(|_| self.is_whole) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(StoreError::Damaged {
                path: path.to_path_buf(),
                why: "a row of results is shorter than its parts".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_content_come_back_and_a_row_that_is_cut_is_an_error() {
        let path = Path::new("x.db");
        let texts = ["a b\n- 3", "", "王强\u{1e}", "-"];
        let lengths: Vec<String> = texts.iter().map(|text| text.len().to_string()).collect();
        let row = format!("7 - 1 {} - {}\n", lengths.join(" "), texts.concat());
        let rows = row.repeat(2);
        let mut packed = PackedRows::of(&rows);
        let mut count = 0;
        while packed.has_row() {
            assert_eq!((packed.number(), packed.word(), packed.flag()), (Some(7), None, true));
            let lengths: [_; 5] = packed.lengths();
            let back: Vec<_> = lengths.iter().filter_map(|octets| packed.text(*octets)).collect();
            assert_eq!(back, texts);
            packed.end_row(path).expect("a whole row");
            count += 1;
        }
        assert_eq!(count, 2);
        for cut in 1..row.len() {
            let Some(short) = row.get(..cut) else { continue };
            let mut packed = PackedRows::of(short);
            let _ = (packed.number(), packed.word(), packed.flag());
            let lengths: [_; 5] = packed.lengths();
            lengths.iter().for_each(|octets| drop(packed.text(*octets)));
            assert!(packed.end_row(path).is_err(), "{short:?}");
        }
    }
}
