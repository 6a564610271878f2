//! The people who answer: their habits, what one of them does next, and a whole floor of them in
//! virtual time (`workforce`) or at real telephones (`crew`).

pub mod crew;
pub mod habits;
pub mod legs;
pub mod person;
pub mod workforce;

pub use crew::{Act, AgentPhones, CrewOptions, CrewSeen};
pub use habits::Habits;
pub use person::Scene;
pub use workforce::Workforce;
