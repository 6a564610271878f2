//! Effects of accepted agent actions: after an accepted action the agent, the agent's leg and the callee are
//! in the state that the action's name says.

use super::judge::Callee;
use paceline_core::agent::{AgentAction, Availability, SeatView};
use paceline_core::dialer::output::SoundName;

/// The fault, if the state does not match the action; `None` = it matches. `callee` = the agent's callee
/// after the action.
pub fn mismatch(act: &AgentAction, seat: &SeatView, callee: Option<&Callee>) -> Option<&'static str> {
    let here = |callee: &Callee| !callee.ended && !callee.hung_up;
    let callee = callee.filter(|callee| here(callee));
    let out_of_the_mix = callee.is_some_and(|callee| callee.mix.is_none());
    let no_music = callee.is_some_and(|callee| callee.playing != Some(SoundName::HoldMusic));
    let signed_in = seat.availability != Availability::SignedOut;
    match act {
        AgentAction::Conference | AgentAction::Retrieve | AgentAction::CancelConsult if out_of_the_mix => {
            Some("the callee is still out of it")
        }
        AgentAction::Conference | AgentAction::Retrieve | AgentAction::CancelConsult
            if callee.is_some_and(|callee| callee.playing == Some(SoundName::HoldMusic)) =>
        {
            Some("the callee still hears music")
        }
        AgentAction::Hold if callee.is_some_and(|callee| callee.mix.is_some()) => {
            Some("the callee hears her")
        }
        AgentAction::Hold if no_music => Some("the callee hears nothing"),
        AgentAction::Pause { .. } if !matches!(seat.availability, Availability::Paused { .. }) => {
            Some("she is not paused")
        }
        AgentAction::Ready if seat.availability != Availability::Available => Some("she is not available"),
        AgentAction::SignOut if signed_in && !seat.leaving => Some("she is neither out nor leaving"),
        AgentAction::SignIn { .. } if !signed_in => Some("she is not in"),
        AgentAction::Mute { on } if seat.muted != *on => Some("she is muted wrongly"),
        _ => None,
    }
}
