//! How simulated agents work: durations and shares from which each action is drawn.

use crate::sim::people::Spread;
use serde::Deserialize;

/// Parameters of all agents of one floor. Shares are between 0 and 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentProfile {
    /// From the floor's opening to the agent's sign-in, and the length of the shift.
    pub late: Spread,
    pub shift: Spread,
    /// Time between two breaks, and the length of one break.
    pub between_breaks: Spread,
    pub a_break: Spread,
    /// From the bridge to the agent's next action, mostly ending the call.
    pub talk: Spread,
    pub wrap_up: Spread,
    /// Time spent on a preview or in a consult.
    pub think: Spread,
    /// From ringing to picking up the agent's phone.
    pub answer: Spread,
    /// Time between two spontaneous actions of an idle agent.
    pub whim: Spread,
    /// Share of agents with a nailed-up leg for the whole shift; the phones of the others ring per call.
    pub nailed_up: f64,
    /// Share of agents on ordinary telephones (PSTN), of those who have a telephone number.
    pub telephone: f64,
    /// Share of agents who choose their own work mode: inbound, outbound or both.
    pub own_mode: f64,
    /// Share of agents who never pick up.
    pub deaf: f64,
    /// Share of rings that the agent does not notice, and of rings that the agent declines.
    pub misses: f64,
    pub declines: f64,
    /// Shares of actions in a conversation other than ending it.
    pub holds: f64,
    pub consults: f64,
    pub mutes: f64,
    pub moves_phone: f64,
    pub loses_network: f64,
    /// Share of conversations that the agent ends with the phone's own hang-up key.
    pub puts_down: f64,
    /// Shares of wrap-ups that time out and of those that are extended, and of calls summarised during the
    /// call.
    pub forgets_summary: f64,
    pub extends: f64,
    pub summarises_early: f64,
    /// Share of summaries that book a callback.
    pub callbacks: f64,
    /// Share of previews that the agent skips.
    pub skips: f64,
    /// Shares of spontaneous actions: the phone restarts; the agent places an own call; the agent sends an
    /// action that is invalid in this state.
    pub phone_crashes: f64,
    pub own_calls: f64,
    pub clumsy: f64,
    /// Share of shifts that end without a sign-out.
    pub forgets_sign_out: f64,
    /// Share of a supervisor's spontaneous actions that concern another agent.
    pub supervises: f64,
}

impl Default for AgentProfile {
    fn default() -> Self {
        AgentProfile {
            late: Spread::new(60.0, 1.0, 0.0, 1_800.0),
            shift: Spread::new(28_800.0, 0.1, 14_400.0, 36_000.0),
            between_breaks: Spread::new(4_500.0, 0.5, 600.0, 14_400.0),
            a_break: Spread::new(600.0, 0.6, 60.0, 3_600.0),
            talk: Spread::new(60.0, 0.7, 3.0, 1_200.0),
            wrap_up: Spread::new(9.0, 0.6, 1.0, 60.0),
            think: Spread::new(8.0, 0.7, 0.5, 120.0),
            answer: Spread::new(2.5, 0.5, 0.4, 12.0),
            whim: Spread::new(300.0, 0.7, 20.0, 1_800.0),
            nailed_up: 0.6,
            telephone: 0.2,
            own_mode: 0.3,
            deaf: 0.0,
            misses: 0.02,
            declines: 0.01,
            holds: 0.05,
            consults: 0.04,
            mutes: 0.02,
            moves_phone: 0.005,
            loses_network: 0.01,
            puts_down: 0.3,
            forgets_summary: 0.1,
            extends: 0.05,
            summarises_early: 0.1,
            callbacks: 0.05,
            skips: 0.1,
            phone_crashes: 0.03,
            own_calls: 0.05,
            clumsy: 0.05,
            forgets_sign_out: 0.05,
            supervises: 0.7,
        }
    }
}

impl AgentProfile {
    /// A profile in which every failure happens often.
    pub fn wild() -> Self {
        AgentProfile {
            late: Spread::new(120.0, 1.5, 0.0, 3_600.0),
            between_breaks: Spread::new(900.0, 0.8, 60.0, 7_200.0),
            a_break: Spread::new(200.0, 0.8, 5.0, 3_600.0),
            talk: Spread::new(25.0, 0.9, 0.5, 600.0),
            whim: Spread::new(60.0, 1.0, 2.0, 900.0),
            deaf: 0.1,
            misses: 0.15,
            declines: 0.05,
            holds: 0.15,
            consults: 0.2,
            mutes: 0.05,
            moves_phone: 0.04,
            loses_network: 0.06,
            forgets_summary: 0.25,
            extends: 0.15,
            callbacks: 0.15,
            skips: 0.25,
            phone_crashes: 0.15,
            own_calls: 0.15,
            clumsy: 0.3,
            forgets_sign_out: 0.2,
            ..AgentProfile::default()
        }
    }
}
