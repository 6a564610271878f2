//! Splits a TCP or TLS byte stream into messages by Content-Length, with the keep-alives of RFC 5626
//! between them. Reading the socket is the caller's task.

use super::grammar::find_byte;
use super::message::{Index, MAX_MESSAGE, content_length};

/// One unit of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A double CRLF between messages (RFC 5626 section 4.4.1), answered with one CRLF. A single CRLF is
    /// the far side's reply to our own and is skipped.
    Ping,
    /// One whole message, for `Message::parse`.
    Message(Vec<u8>),
}

/// The stream has lost its message boundaries: nothing after this point can be trusted, so close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a message of more than 64 KiB")]
    TooLarge,
    #[error("a message without Content-Length, which a stream needs")]
    NoLength,
    #[error("Content-Length is no length, or two that differ")]
    BadLength,
}

/// The framer of one connection. It holds at most one unfinished message and the bytes received with it.
#[derive(Clone, Debug, Default)]
pub struct StreamFramer {
    bytes: Vec<u8>,
    /// Bytes before this index have been returned by `next`.
    start: usize,
    /// Start of the head line being scanned, from `start`.
    line: usize,
    /// The bytes from `line` to here hold no line feed; from `start`.
    searched: usize,
    /// Length of the whole message that begins at `start`, once its head was read.
    whole: Option<usize>,
    broken: bool,
}

impl StreamFramer {
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends bytes read from the connection; ignored after an error.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a message has begun and is not whole.
    pub fn holds_part(&self) -> bool {
        self.bytes[self.start..].iter().any(|byte| !matches!(byte, b'\r' | b'\n'))
    }

    /// The next whole message or keep-alive; `None` = more bytes are needed. Call it until it returns
    /// `None`.
    #[expect(clippy::should_implement_trait, reason = "it goes on after `None`, so it is no iterator")]
    pub fn next(&mut self) -> Option<Result<Frame, FrameError>> {
        if self.broken {
            return None;
        }
        let found = self.next_frame().transpose()?;
        if found.is_err() {
            self.broken = true;
            self.bytes = Vec::new();
            self.start = 0;
        }
        Some(found)
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.whole.is_none() && self.line == 0 && self.searched == 0 {
            match &self.bytes[self.start..] {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.start += 4;
                    return Ok(Some(Frame::Ping));
                }
                [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return Ok(None),
                [b'\r', b'\n', ..] => self.start += 2,
                _ => {}
            }
        }
        let whole = match self.whole {
            Some(whole) => whole,
            None => match self.find_length()? {
                Some(whole) => whole,
                None => return Ok(None),
            },
        };
        self.whole = Some(whole);
        let Some(message) = self.bytes[self.start..].get(..whole) else { return Ok(None) };
        let message = message.to_vec();
        self.start += whole;
        (self.line, self.searched, self.whole) = (0, 0, None);
        Ok(Some(Frame::Message(message)))
    }

    /// The length of the message at `start`, once its head is complete.
    fn find_length(&mut self) -> Result<Option<usize>, FrameError> {
        let bytes = &self.bytes[self.start..];
        while let Some(feed) = find_byte(&bytes[self.searched..], b'\n').map(|at| self.searched + at) {
            let line = &bytes[self.line..feed];
            let empty = line.is_empty() || line == b"\r";
            if empty && self.line > 0 {
                return message_length(&bytes[..=feed]).map(Some);
            }
            self.line = feed + 1;
            self.searched = feed + 1;
        }
        self.searched = bytes.len();
        if bytes.len() > MAX_MESSAGE { Err(FrameError::TooLarge) } else { Ok(None) }
    }
}

fn message_length(head: &[u8]) -> Result<usize, FrameError> {
    if head.len() > MAX_MESSAGE {
        return Err(FrameError::TooLarge);
    }
    let headers_start = find_byte(head, b'\n').map_or(0, |feed| feed + 1);
    let index = Index::read_leniently(head, headers_start);
    let length = content_length(head, &index).map_err(|_| FrameError::BadLength)?;
    let whole = head.len().saturating_add(length.ok_or(FrameError::NoLength)?);
    if whole > MAX_MESSAGE { Err(FrameError::TooLarge) } else { Ok(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nl: 4\r\nX: \r\n y\r\n\r\n\r\n\r\n";
    const TWO: &[u8] = b"SIP/2.0 200 OK\nContent-Length  :\r\n  0\n\n";

    fn frames(framer: &mut StreamFramer) -> Vec<Frame> {
        std::iter::from_fn(|| framer.next()).map(|frame| frame.expect("a frame")).collect()
    }

    #[test]
    fn messages_are_framed_however_the_stream_is_split() {
        let stream = [b"\r\n\r\n\r\n", ONE, b"\r\n", TWO, b"\r\n\r\n", ONE].concat();
        let expected = [
            Frame::Ping,
            Frame::Message(ONE.into()),
            Frame::Message(TWO.into()),
            Frame::Ping,
            Frame::Message(ONE.into()),
        ];
        for size in 1..=stream.len() {
            let mut framer = StreamFramer::new();
            let mut seen = Vec::new();
            for piece in stream.chunks(size) {
                framer.push(piece);
                seen.extend(frames(&mut framer));
            }
            assert_eq!(seen, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_framing_error_is_reported_once_and_ends_the_stream() {
        let table: [(&[u8], FrameError); 5] = [
            (b"OPTIONS sip:a@b SIP/2.0\r\nX: y\r\n\r\n", FrameError::NoLength),
            (b"OPTIONS sip:a@b SIP/2.0\r\nl: -1\r\n\r\n", FrameError::BadLength),
            (b"OPTIONS sip:a@b SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n", FrameError::BadLength),
            (b"OPTIONS sip:a@b SIP/2.0\r\nl: 65535\r\n\r\n", FrameError::TooLarge),
            (&[b'x'; MAX_MESSAGE + 1], FrameError::TooLarge),
        ];
        for (bytes, error) in table {
            let mut framer = StreamFramer::new();
            framer.push(bytes);
            assert_eq!(framer.next(), Some(Err(error)));
            framer.push(ONE);
            assert_eq!(framer.next(), None);
            assert!(framer.bytes.is_empty());
        }
    }

    #[test]
    fn a_single_crlf_waits_for_more_bytes() {
        let mut framer = StreamFramer::new();
        framer.push(b"\r\n");
        assert_eq!(framer.next(), None);
        framer.push(b"\r\n");
        assert_eq!(framer.next(), Some(Ok(Frame::Ping)));
        assert_eq!(framer.next(), None);
    }
}
