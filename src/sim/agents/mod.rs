//! Simulated agents: their profile, the next action of one agent, and a whole floor of agents in virtual time
//! (`workforce`) or on real phones (`phone_agents`).

pub mod legs;
pub mod phone_agents;
pub mod profile;
pub mod sim_agent;
pub mod workforce;

pub use phone_agents::{Act, PhoneAgents, PhoneAgentsOptions, PhoneAgentsSeen};
pub use profile::AgentProfile;
pub use sim_agent::WorkContext;
pub use workforce::Workforce;
