//! XML of strangers, event by event, each of a bounded size: an element or a text is held in memory while it is read.

use quick_xml::Reader;
use quick_xml::events::Event;
use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// Octets of one event: a tag, a text, a comment.
const EVENT_MAX: u64 = 1 << 20;

/// Why the next event is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum XmlFault {
    /// It is larger than any that a workbook has.
    TooLarge,
    Damaged(String),
}

impl std::fmt::Display for XmlFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            XmlFault::TooLarge => write!(f, "a piece of it is larger than {} MB", EVENT_MAX >> 20),
            XmlFault::Damaged(what) => f.write_str(what),
        }
    }
}

/// The events of a part.
pub(crate) struct BoundedXml<R: BufRead> {
    reader: Reader<Bounded<R>>,
    left: Rc<Cell<u64>>,
    buffer: Vec<u8>,
}

impl<R: BufRead> BoundedXml<R> {
    /// An empty element is read as its start and its end.
    pub fn new(xml: R) -> Self {
        let left = Rc::new(Cell::new(EVENT_MAX));
        let mut reader = Reader::from_reader(Bounded { xml, left: left.clone() });
        reader.config_mut().expand_empty_elements = true;
        BoundedXml { reader, left, buffer: Vec::new() }
    }

    pub fn next(&mut self) -> Result<Event<'_>, XmlFault> {
        self.buffer.clear();
        self.left.set(EVENT_MAX);
        let left = &self.left;
        self.reader.read_event_into(&mut self.buffer).map_err(|error| match left.get() {
            0 => XmlFault::TooLarge,
            _ => XmlFault::Damaged(error.to_string()),
        })
    }
}

/// Fails once so many octets were taken; the count begins anew with each event.
struct Bounded<R> {
    xml: R,
    left: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(bytes.len());
        bytes[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.left.get() {
            0 => Err(io::Error::other(XmlFault::TooLarge.to_string())),
            _ => self.xml.fill_buf(),
        }
    }

    fn consume(&mut self, count: usize) {
        self.left.set(self.left.get().saturating_sub(count as u64));
        self.xml.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn an_event_of_any_kind_is_bounded_and_their_number_is_not() {
        let long = "<".repeat(3 << 20);
        let end = |xml: &str| {
            let mut events = BoundedXml::new(BufReader::new(xml.as_bytes()));
            loop {
                match events.next() {
                    Ok(Event::Eof) => return Ok(()),
                    Ok(_) => {}
                    Err(fault) => return Err(fault),
                }
            }
        };
        for xml in [
            format!("<a><![CDATA[{long}]]></a>"),
            format!("<a><!--{long}--></a>"),
            format!("<a x=\"{long}\"/>"),
            format!("<a>{}</a>", "x".repeat(3 << 20)),
            format!("<?x {long}?>"),
        ] {
            assert_eq!(end(&xml), Err(XmlFault::TooLarge), "{}", &xml[..12]);
        }
        assert_eq!(end(&format!("<a>{}</a>", "<b>text</b>".repeat(300_000))), Ok(()));
    }
}
