//! A world to dial into. In reading order: `people` (who lives there), `fate` (what one of them does
//! when called), `line` (calls without SIP, for whole days in virtual time), `books` (a store in memory),
//! `day` (the dialer, the books and a far end), `carrier` (the far end in SIP), `world` (a network in
//! virtual time between a user agent and the carrier), `serve` (the carrier over real sockets).

pub mod books;
pub mod day;
pub mod dice;
pub mod fate;
pub mod line;
pub mod people;

pub use fate::{Behaviour, Fate};
pub use people::{People, PeopleError};
