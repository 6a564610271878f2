//! Simulated agents: their profile, the next action of one agent, and a whole floor of agents in virtual time
//! (`workforce`) or on real phones (`crew`).

pub mod crew;
pub mod habits;
pub mod legs;
pub mod person;
pub mod workforce;

pub use crew::{Act, AgentPhones, CrewOptions, CrewSeen};
pub use habits::Habits;
pub use person::Scene;
pub use workforce::Workforce;
