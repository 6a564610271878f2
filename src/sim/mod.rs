//! A world to dial into. In reading order: `people` (who lives there), `fate` (what one of them does
//! when called), `line` (calls without SIP, for whole days in virtual time), `books` (a store in memory),
//! `agents` (the people who answer), `day` (the dialer, the books, a far end and the agents), `forecast`
//! (days asked "what if"), `carrier` (the far end in SIP) with its `access`, `limits` and `ledger`, `world`
//! (a network in virtual time between a user agent and the carrier), `serve` (the carrier over real
//! sockets) with its `tones` and `voices`, `phones` (agents' telephones over real sockets). `floor` is a
//! world of its own for pacing alone: agents and callees as numbers, without a dialer.

pub mod agents;
pub mod carrier;
pub mod day;
pub mod digest_check;
pub mod fate;
pub mod floor;
pub mod forecast;
pub mod ledger;
pub mod limits;
pub mod line;
pub mod memory_store;
pub mod people;
pub mod phones;
pub mod random;
pub mod serve;
pub mod tones;
pub mod voices;
pub mod world;

pub use fate::{Behaviour, Fate};
pub use ledger::Ledger;
pub use people::{People, PeopleError};
