//! The people who answer: their habits, what one of them does next, and a whole floor of them in
//! virtual time. The same people at real SIP phones are in `phones`.

pub mod habits;
pub mod legs;
pub mod person;
pub mod workforce;

pub use habits::Habits;
pub use person::Scene;
pub use workforce::Workforce;
