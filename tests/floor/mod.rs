//! The floor over real sockets: agents' phones register, callees answer, and what each hears is
//! measured.

mod crew;
mod rig;
mod talk;
