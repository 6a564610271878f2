//! Known header names with their compact forms. Any other name is `Extension` and is looked up by its text.

use std::fmt;

macro_rules! header_names {
    ($($variant:ident $text:literal $($compact:literal)?,)*) => {
        /// A header name. Case is ignored (RFC 3261 section 7.3.1), and a compact form equals its long form
        /// (section 7.3.3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs)]
        pub enum HeaderName {
            $($variant,)*
            /// A name that is not in this list.
            Extension,
        }

        impl HeaderName {
            /// Every known name, shortest first.
            pub const ALL: &'static [HeaderName] = &[$(HeaderName::$variant,)*];

            /// The long form as RFC 3261 writes it; empty for `Extension`.
            pub const fn as_str(self) -> &'static str {
                const TEXTS: &[&str] = &[$($text,)* ""];
                TEXTS[self as usize]
            }

            /// The one-letter form, if registered.
            pub const fn compact(self) -> Option<u8> {
                match self {
                    $($(HeaderName::$variant => Some($compact),)?)*
                    _ => None,
                }
            }
        }
    };
}

// Sorted by length, so that a lookup compares only names of one length; `STARTS` asserts the order.
header_names! {
    To "To" b't',
    Via "Via" b'v',
    Date "Date",
    From "From" b'f',
    CSeq "CSeq",
    Path "Path",
    RAck "RAck",
    RSeq "RSeq",
    Allow "Allow",
    Event "Event" b'o',
    Route "Route",
    Accept "Accept",
    MinSe "Min-SE",
    Reason "Reason",
    Server "Server",
    CallId "Call-ID" b'i',
    Contact "Contact" b'm',
    Expires "Expires",
    Privacy "Privacy",
    Require "Require",
    Subject "Subject" b's',
    Warning "Warning",
    Identity "Identity" b'y',
    ReferTo "Refer-To" b'r',
    Replaces "Replaces",
    ReplyTo "Reply-To",
    SipEtag "SIP-ETag",
    CallInfo "Call-Info",
    Diversion "Diversion",
    Supported "Supported" b'k',
    Timestamp "Timestamp",
    AlertInfo "Alert-Info",
    ErrorInfo "Error-Info",
    UserAgent "User-Agent",
    MinExpires "Min-Expires",
    ReferredBy "Referred-By" b'b',
    RetryAfter "Retry-After",
    Unsupported "Unsupported",
    AllowEvents "Allow-Events" b'u',
    ContentType "Content-Type" b'c',
    MaxForwards "Max-Forwards",
    MimeVersion "MIME-Version",
    RecordRoute "Record-Route",
    SipIfMatch "SIP-If-Match",
    IdentityInfo "Identity-Info" b'n',
    Authorization "Authorization",
    ProxyRequire "Proxy-Require",
    ServiceRoute "Service-Route",
    AcceptContact "Accept-Contact" b'a',
    ContentLength "Content-Length" b'l',
    RejectContact "Reject-Contact" b'j',
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    RemotePartyId "Remote-Party-ID",
    SessionExpires "Session-Expires" b'x',
    ContentEncoding "Content-Encoding" b'e',
    ContentLanguage "Content-Language",
    WwwAuthenticate "WWW-Authenticate",
    ProxyAuthenticate "Proxy-Authenticate",
    SubscriptionState "Subscription-State",
    AuthenticationInfo "Authentication-Info",
    ContentDisposition "Content-Disposition",
    PAssertedIdentity "P-Asserted-Identity",
    ProxyAuthorization "Proxy-Authorization",
    RequestDisposition "Request-Disposition" b'd',
    PPreferredIdentity "P-Preferred-Identity",
}

/// Length of the longest known name, plus two: `STARTS[n]..STARTS[n + 1]` are the names of n letters.
const LENGTHS: usize = 22;

const STARTS: [u8; LENGTHS] = {
    let mut starts = [0_u8; LENGTHS];
    let mut at = 0;
    let mut length = 0;
    while length < LENGTHS {
        starts[length] = at as u8;
        while at < HeaderName::ALL.len() && HeaderName::ALL[at].as_str().len() == length {
            at += 1;
        }
        length += 1;
    }
    assert!(at == HeaderName::ALL.len(), "the names are sorted by length");
    starts
};

/// Indexed by letter: the name with that compact form.
const COMPACT: [HeaderName; 26] = {
    let mut table = [HeaderName::Extension; 26];
    let mut at = 0;
    while at < HeaderName::ALL.len() {
        if let Some(letter) = HeaderName::ALL[at].compact() {
            table[(letter - b'a') as usize] = HeaderName::ALL[at];
        }
        at += 1;
    }
    table
};

impl HeaderName {
    /// The name for the text before the colon, in any case, long or compact.
    pub fn parse(text: &[u8]) -> HeaderName {
        if let [letter] = text {
            let letter = letter.to_ascii_lowercase();
            return if letter.is_ascii_lowercase() {
                COMPACT[usize::from(letter - b'a')]
            } else {
                HeaderName::Extension
            };
        }
        if text.len() + 1 >= LENGTHS {
            return HeaderName::Extension;
        }
        let names = &HeaderName::ALL[usize::from(STARTS[text.len()])..usize::from(STARTS[text.len() + 1])];
        // The first letter rules most of them out.
        let same = |name: &HeaderName| {
            let known = name.as_str().as_bytes();
            known.first().zip(text.first()).is_some_and(|(one, two)| (one ^ two) & !0x20 == 0)
                && known.eq_ignore_ascii_case(text)
        };
        names.iter().copied().find(same).unwrap_or(HeaderName::Extension)
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_by_its_compact_form() {
        for &name in HeaderName::ALL {
            assert_eq!(HeaderName::parse(name.as_str().as_bytes()), name);
            assert_eq!(HeaderName::parse(name.as_str().to_uppercase().as_bytes()), name);
            assert_eq!(HeaderName::parse(name.as_str().to_lowercase().as_bytes()), name);
            if let Some(letter) = name.compact() {
                assert_eq!(HeaderName::parse(&[letter]), name);
                assert_eq!(HeaderName::parse(&[letter.to_ascii_uppercase()]), name);
            }
        }
    }

    #[test]
    fn the_twenty_compact_forms_of_the_registry_are_known() {
        let letters: Vec<u8> = HeaderName::ALL.iter().filter_map(|name| name.compact()).collect();
        let mut sorted = letters.clone();
        sorted.sort_unstable();
        assert_eq!(String::from_utf8_lossy(&sorted), "abcdefijklmnorstuvxy");
    }

    #[test]
    fn an_unknown_name_is_an_extension() {
        for text in ["", "q", "1", "Vi", "Viaa", "X-Anything", "P-Preferred-Identities-And-More"] {
            assert_eq!(HeaderName::parse(text.as_bytes()), HeaderName::Extension, "{text}");
        }
    }
}
