//! Offer and answer (RFC 4566, RFC 3264): audio over RTP/AVP with telephone events.
