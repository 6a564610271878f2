//! The user agent as the wire sees it: literal messages in, literal messages out, in virtual time.

mod callee;
mod caller;
mod days;
mod desk;
mod early;
mod in_dialog;
mod leftover_phones;
mod leftovers;
mod phone_calls;
mod phones;
mod sessions;
mod trunks;
