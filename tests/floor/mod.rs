//! The agent floor over real sockets: agents' phones register, callees answer, and the audio that reaches
//! each leg is measured.

mod crew;
pub mod rig;
mod talk;
