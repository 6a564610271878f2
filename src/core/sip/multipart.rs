//! Multipart bodies (RFC 2046 section 5.1, RFC 5621): finds the one part that is wanted. Bounded in parts and depth;
//! nothing is copied.

use super::grammar::find_unquoted;

/// Most parts read of one body.
const PARTS_MAX: usize = 16;
/// Multipart bodies inside each other.
const DEPTH_MAX: usize = 3;
/// Longest boundary (RFC 2046 allows 70 characters).
const BOUNDARY_MAX: usize = 200;

/// The body itself if it is of the wanted media type, else the first part of a multipart body that is, at any
/// depth up to `DEPTH_MAX`. `content_type` = the Content-Type value of `body`. A part of another disposition than
/// `session`, or in an encoding that is not the plain bytes, is passed over.
pub fn find_part<'a>(content_type: &str, body: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    find_within(content_type, body, wanted, DEPTH_MAX)
}

fn find_within<'a>(content_type: &str, body: &'a [u8], wanted: &str, depth: usize) -> Option<&'a [u8]> {
    let kind = media_type(content_type);
    if kind == wanted {
        return Some(body);
    }
    if depth == 0 || !kind.starts_with("multipart/") {
        return None;
    }
    let boundary = parameter(content_type, "boundary")?;
    if boundary.is_empty() || boundary.len() > BOUNDARY_MAX {
        return None;
    }
    Parts { rest: body, boundary: boundary.as_bytes(), begun: false }.take(PARTS_MAX).find_map(|part| {
        let (headers, content) = split_headers(part);
        let value = |names: &[&str]| header(headers, names);
        let encoding = value(&["content-transfer-encoding"]).unwrap_or_default().to_ascii_lowercase();
        let disposition = media_type(&value(&["content-disposition"]).unwrap_or_default());
        let is_plain = matches!(encoding.as_str(), "" | "7bit" | "8bit" | "binary");
        if !is_plain || !matches!(disposition.as_str(), "" | "session") {
            return None;
        }
        find_within(&value(&["content-type", "c"]).unwrap_or_default(), content, wanted, depth - 1)
    })
}

/// The media type in lower case, without parameters and blanks.
fn media_type(value: &str) -> String {
    let kind = value.split(';').next().unwrap_or("");
    kind.split_ascii_whitespace().collect::<String>().to_ascii_lowercase()
}

/// The value of a parameter, quotes removed.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value;
    while let Some(at) = find_unquoted(rest, b';') {
        rest = &rest[at + 1..];
        let end = find_unquoted(rest, b';').unwrap_or(rest.len());
        if let Some((known, text)) = rest[..end].split_once('=')
            && known.trim().eq_ignore_ascii_case(name)
        {
            return Some(text.trim().trim_matches('"').to_owned());
        }
    }
    None
}

/// The parts of a multipart body, without preamble and epilogue. A body that is cut off ends its last part.
struct Parts<'a, 'b> {
    rest: &'a [u8],
    boundary: &'b [u8],
    begun: bool,
}

impl<'a> Iterator for Parts<'a, '_> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if !self.begun {
            let (_, after, closes) = self.next_delimiter(0)?;
            self.begun = true;
            self.rest = if closes { &[] } else { &self.rest[after..] };
        }
        if self.rest.is_empty() {
            return None;
        }
        match self.next_delimiter(0) {
            Some((start, after, closes)) => {
                let part = &self.rest[..start];
                self.rest = if closes { &[] } else { &self.rest[after..] };
                // The line end before a delimiter belongs to the delimiter.
                Some(part.strip_suffix(b"\r\n").or_else(|| part.strip_suffix(b"\n")).unwrap_or(part))
            }
            None => Some(std::mem::take(&mut self.rest)),
        }
    }
}

impl Parts<'_, '_> {
    /// Start and end of the next delimiter line, and whether it is the closing one.
    fn next_delimiter(&self, from: usize) -> Option<(usize, usize, bool)> {
        let mut start = from;
        loop {
            let line_end = self.rest[start..].iter().position(|byte| *byte == b'\n');
            let end = line_end.map_or(self.rest.len(), |at| start + at);
            if let Some(tail) =
                self.rest[start..end].strip_prefix(b"--").and_then(|line| line.strip_prefix(self.boundary))
            {
                let (tail, closes) = match tail.strip_prefix(b"--") {
                    Some(tail) => (tail, true),
                    None => (tail, false),
                };
                if tail.iter().all(u8::is_ascii_whitespace) {
                    return Some((start, (end + 1).min(self.rest.len()), closes));
                }
            }
            line_end?;
            start = end + 1;
        }
    }
}

/// Headers and content of a part. A part may begin with an empty line: it has no headers.
fn split_headers(part: &[u8]) -> (&[u8], &[u8]) {
    let mut start = 0;
    loop {
        let Some(at) = part[start..].iter().position(|byte| *byte == b'\n') else { return (part, &[]) };
        let line = &part[start..start + at];
        if line.is_empty() || line == b"\r" {
            return (&part[..start], &part[start + at + 1..]);
        }
        start += at + 1;
    }
}

/// The value of the first header with one of these names, lower case.
fn header(headers: &[u8], names: &[&str]) -> Option<String> {
    let text = String::from_utf8_lossy(headers);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if !names.contains(&name.trim().to_ascii_lowercase().as_str()) {
            continue;
        }
        let mut value = value.trim().to_owned();
        while let Some(fold) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
            value.push(' ');
            value.push_str(fold.trim());
        }
        return Some(value);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdp(kind: &str, body: &str) -> Option<String> {
        find_part(kind, body.as_bytes(), "application/sdp")
            .map(|part| String::from_utf8_lossy(part).into_owned())
    }

    #[test]
    fn a_description_is_found_alone_in_a_part_and_in_a_part_of_a_part() {
        let mixed = "preamble\r\n--b1\r\nContent-Type: application/isup;version=itu-t92+\r\n\
                     Content-Disposition: signal;handling=optional\r\n\r\n\x01\x02\r\n--b1  \r\n\
                     c: Application/SDP\r\n\r\nv=0\r\no=x\r\n--b1--\r\nepilogue --b1\r\n";
        let nested = "--o\r\nContent-Type: multipart/alternative;\r\n boundary=\"i n\"\r\n\r\n--i n\r\n\r\nplain\r\n\
                      --i n\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: 8bit\r\n\r\nv=0\r\n--i n--\r\n--o--";
        for (kind, body, found) in [
            ("application/sdp", "v=0\r\n", Some("v=0\r\n")),
            ("Application/SDP; charset=utf-8", "v=0", Some("v=0")),
            ("text/plain", "v=0", None),
            ("multipart/mixed;boundary=b1", mixed, Some("v=0\r\no=x")),
            ("multipart/mixed; boundary=\"b1\"", mixed, Some("v=0\r\no=x")),
            ("multipart/mixed;boundary=b", mixed, None),
            ("multipart/mixed", mixed, None),
            ("multipart/mixed;boundary=\"o\"", nested, Some("v=0")),
            ("multipart/related;boundary=b", "--b\nContent-Type: application/sdp\n\nv=0\n--b--", Some("v=0")),
            (
                "multipart/mixed;boundary=b",
                "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n",
                Some("v=0\r\n"),
            ),
            ("multipart/mixed;boundary=b", "--b--\r\nContent-Type: application/sdp\r\n\r\nv=0", None),
            (
                "multipart/mixed;boundary=b",
                "--b\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--b--",
                None,
            ),
            (
                "multipart/mixed;boundary=b",
                "--b\r\nContent-Type: application/sdp\r\nContent-Disposition: early-session\r\n\r\nv=0\r\n--b--",
                None,
            ),
            ("multipart/mixed;boundary=", "----\r\n", None),
        ] {
            assert_eq!(sdp(kind, body).as_deref(), found, "{kind}: {body:?}");
        }
    }

    #[test]
    fn parts_and_depth_are_bounded() {
        let many =
            "--b\r\n\r\nx\r\n".repeat(PARTS_MAX) + "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--";
        assert_eq!(sdp("multipart/mixed;boundary=b", &many), None);
        let mut deep = "Content-Type: application/sdp\r\n\r\nv=0".to_owned();
        for level in 0..=DEPTH_MAX {
            deep = format!(
                "Content-Type: multipart/mixed;boundary=b{level}\r\n\r\n--b{level}\r\n{deep}\r\n--b{level}--"
            );
        }
        let (kind, body) = deep.split_once("\r\n\r\n").expect("headers");
        assert_eq!(sdp(kind.trim_start_matches("Content-Type: "), body), None);
    }

    #[test]
    fn no_cut_of_a_body_panics() {
        let body = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n";
        for end in 0..=body.len() {
            for start in 0..=end {
                let _ = sdp("multipart/mixed;boundary=b", &body[start..end]);
            }
        }
    }
}
