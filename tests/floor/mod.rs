//! The floor over real sockets: agents' phones register, callees answer, and what each hears is
//! measured.

mod crew;
pub mod rig;
mod talk;
