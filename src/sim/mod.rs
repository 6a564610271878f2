//! The simulated far end and its callees, agents and networks. In reading order: `people` (the people file:
//! callees and carrier settings), `call_scenario` (the scenario of one call), `line` (calls without SIP, for whole
//! days in virtual time), `memory_store` (a store in memory), `agents` (simulated agents), `day` (dialer,
//! memory store, far end and agents in one event queue), `forecast` (days run to answer "what if"), `carrier`
//! (the far end in SIP) with its `digest_check`, `limits` and `ledger`, `world` (a network in virtual time
//! between a user agent and the carrier), `serve` (the carrier over real sockets) with its `tones` and
//! `voices`, `phones` (agents' telephones over real sockets), `near_service` (their way to a service on this machine). `floor` simulates pacing alone: agents and
//! callees as numbers, without a dialer.

pub mod agents;
pub mod call_scenario;
pub mod carrier;
pub mod day;
pub mod digest_check;
mod due_leads;
pub mod floor;
pub mod forecast;
pub mod lead_changes;
pub mod ledger;
pub mod limits;
pub mod line;
pub mod memory_store;
pub mod near_service;
pub mod people;
pub mod phones;
pub mod random;
pub mod serve;
pub mod tones;
pub mod voices;
pub mod world;

pub use call_scenario::{Behaviour, CallScenario};
pub use ledger::Ledger;
pub use people::{Population, PopulationError};
