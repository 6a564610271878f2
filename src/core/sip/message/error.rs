//! Parse errors, and the response each one earns.

use crate::sip::headers::HeaderName;

/// Why a message was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("nothing but line ends (a keep-alive)")]
    Empty,
    #[error("larger than 64 KiB")]
    TooLarge,
    #[error("the first line is no SIP request or response line")]
    StartLine,
    #[error("a SIP version other than 2.0")]
    Version,
    #[error("the request URI is not one")]
    RequestUri,
    #[error("a header line without a name and a colon")]
    HeaderLine,
    #[error("more than 256 header lines")]
    TooManyHeaders,
    #[error("the header part ends in the middle of a line")]
    Unfinished,
    #[error("Content-Length is no length")]
    ContentLength,
    #[error("the body is shorter than Content-Length says")]
    Truncated,
    #[error("no {0} header")]
    Missing(HeaderName),
    #[error("more than one {0} header")]
    Repeated(HeaderName),
    #[error("the {0} header cannot be read")]
    Bad(HeaderName),
    #[error("the method of CSeq is not that of the request")]
    MethodMismatch,
}

impl ParseError {
    /// The response to a *request* with this fault; a faulty response is always dropped. `None` = drop
    /// silently: there is nothing to answer to. `build::refusal` makes the bytes.
    pub fn response(self) -> Option<(u16, &'static str)> {
        Some(match self {
            ParseError::Empty | ParseError::StartLine | ParseError::Missing(HeaderName::Via) => return None,
            ParseError::Version => (505, "Version Not Supported"),
            ParseError::TooLarge | ParseError::TooManyHeaders => (513, "Message Too Large"),
            ParseError::RequestUri => (400, "Bad Request-URI"),
            ParseError::HeaderLine | ParseError::Unfinished => (400, "Bad Header Line"),
            ParseError::ContentLength => (400, "Bad Content-Length"),
            ParseError::Truncated => (400, "Body Shorter Than Content-Length"),
            ParseError::MethodMismatch => (400, "CSeq Method Mismatch"),
            ParseError::Missing(HeaderName::From) => (400, "Missing From"),
            ParseError::Missing(HeaderName::To) => (400, "Missing To"),
            ParseError::Missing(HeaderName::CallId) => (400, "Missing Call-ID"),
            ParseError::Missing(HeaderName::CSeq) => (400, "Missing CSeq"),
            ParseError::Repeated(_) => (400, "Repeated Header"),
            ParseError::Bad(HeaderName::Via) => (400, "Bad Via"),
            ParseError::Bad(HeaderName::From) => (400, "Bad From"),
            ParseError::Bad(HeaderName::To) => (400, "Bad To"),
            ParseError::Bad(HeaderName::CallId) => (400, "Bad Call-ID"),
            ParseError::Bad(HeaderName::CSeq) => (400, "Bad CSeq"),
            ParseError::Bad(HeaderName::Contact) => (400, "Bad Contact"),
            ParseError::Missing(_) | ParseError::Bad(_) => (400, "Bad Request"),
        })
    }
}
