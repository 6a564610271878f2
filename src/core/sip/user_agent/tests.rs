//! User agent tests: literal messages in, literal messages out, in virtual time.

mod callee;
mod caller;
mod days;
mod desk;
mod early;
mod in_dialog;
mod phone_calls;
mod phones;
mod recovered_dialogs;
mod recovered_phones;
mod sessions;
mod trunks;
