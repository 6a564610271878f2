//! User agent tests: literal messages in, literal messages out, in virtual time.

mod carriers;
mod days;
mod desk;
mod early;
mod in_dialog;
mod incoming_calls;
mod outgoing_calls;
mod phone_calls;
mod phones;
mod recovered_dialogs;
mod recovered_phones;
mod sessions;
mod trunks;
