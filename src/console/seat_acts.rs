//! What an agent may do at this moment, as words of the actions: screens draw the other buttons grey. The dialer decides
//! each action by itself; a word here is a promise only until the next event of the seat.

use super::views::Names;
use paceline_core::agent::{Activity, Availability, PartyKind, SeatView};
use serde_json::Value;

pub(super) fn of(seat: &SeatView, names: &Names) -> Value {
    words(seat, names).into()
}

fn words(seat: &SeatView, names: &Names) -> Vec<&'static str> {
    if seat.availability == Availability::SignedOut {
        return vec!["sign_in"];
    }
    let mut can = vec!["sign_out", "change_endpoint", "pause"];
    if seat.availability != Availability::Available || seat.leaving {
        can.push("ready");
    }
    let Some(work) = &seat.work else {
        if seat.activity == Activity::Idle && seat.supervising.is_none() {
            can.extend(["call", "call_lead"]);
        }
        if seat.supervising.is_some() {
            can.push("stop_supervising");
        }
        return can;
    };
    match seat.activity {
        // A preview, until it is dialled; then the agent's own call, which has an attempt.
        Activity::Reserved if work.attempt.is_none() && work.lead.is_some() => {
            can.extend(["dial", "skip", "extend", "next", "call", "call_lead"]);
        }
        Activity::WrapUp => can.extend(["summarise", "extend", "next"]),
        Activity::Talking | Activity::Consulting => can.extend(in_call(seat, names)),
        Activity::Idle => can.extend(["call", "call_lead"]),
        Activity::Reserved | Activity::Ringing => can.push("hang_up"),
    }
    can
}

/// In a conversation: what depends on whose it is, and on who else is in it.
fn in_call(seat: &SeatView, names: &Names) -> Vec<&'static str> {
    let Some(work) = &seat.work else { return Vec::new() };
    let mut can = vec!["hang_up"];
    let is_own =
        work.parties.iter().any(|party| party.kind == PartyKind::Agent && party.agent == Some(seat.agent));
    if !is_own {
        return can;
    }
    can.extend(["mute", "send_digits", "summarise"]);
    if names.on_demand.contains(&work.campaign) {
        can.push("record");
    }
    match work.parties.iter().find(|party| party.kind == PartyKind::Consulted) {
        None => {
            let is_held = work.parties.iter().any(|party| party.kind == PartyKind::Callee && party.held);
            can.push(if is_held { "retrieve" } else { "hold" });
            can.push("consult");
        }
        Some(consulted) => {
            can.push("cancel_consult");
            if consulted.up {
                can.push("transfer");
            }
            if consulted.up && seat.activity == Activity::Consulting {
                can.push("conference");
            }
        }
    }
    can
}
