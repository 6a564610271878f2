//! Ended calls as they judge the number that they showed, and each number's calls beside those of the others.

use super::{CalleeNetwork, Compared, Counts, Stratum};
use crate::ids::CampaignId;
use crate::number::{PhoneNumber, ShownNumber};
use crate::outcome::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// SIP responses that refuse a call for the caller's sake: forbidden, declined (RFC 3261), unwanted (RFC 8197),
/// rejected (RFC 8688).
const REFUSALS: [u16; 4] = [403, 603, 607, 608];

/// A call that ended, or talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedCall {
    pub campaign: CampaignId,
    pub shown: ShownNumber,
    pub callee: PhoneNumber,
    /// 1 for the first attempt at the number.
    pub ordinal: u32,
    /// `None` = it talks.
    pub outcome: Option<Outcome>,
    pub sip_code: Option<u16>,
    pub rang: bool,
    pub answered: bool,
}

/// One call as its caller ID is judged by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JudgedCall {
    pub number: ShownNumber,
    pub stratum: Stratum,
    /// Of this one call.
    pub counts: Counts,
}

impl JudgedCall {
    /// `None` = it says nothing of the number: a line fault, or a call that was stopped here before the answer.
    pub fn of(call: &EndedCall) -> Option<JudgedCall> {
        let is_ours = matches!(
            call.outcome,
            Some(Outcome::LineFault | Outcome::AgentFailed | Outcome::Interrupted | Outcome::Cancelled)
        );
        if is_ours && !call.answered {
            return None;
        }
        let is_blocked = call.outcome == Some(Outcome::CarrierBlock);
        let is_cold = !call.rang && call.sip_code.is_some_and(|code| REFUSALS.contains(&code));
        let counts = Counts {
            calls: 1,
            answered: u32::from(call.answered),
            refused: u32::from(!call.answered && (is_blocked || is_cold)),
        };
        let (network, is_first) = (CalleeNetwork::of(call.callee), call.ordinal <= 1);
        Some(JudgedCall {
            number: call.shown,
            stratum: Stratum { campaign: call.campaign, network, is_first },
            counts,
        })
    }
}

/// Each number's calls beside those of the others. Numbers that are suspected are nobody's control.
pub fn compare(
    calls: &[JudgedCall],
    suspected: &BTreeSet<ShownNumber>,
) -> BTreeMap<ShownNumber, Vec<Compared>> {
    let mut all: BTreeMap<Stratum, Counts> = BTreeMap::new();
    let mut own: BTreeMap<(ShownNumber, Stratum), Counts> = BTreeMap::new();
    for call in calls {
        if !suspected.contains(&call.number) {
            all.entry(call.stratum).or_default().add(call.counts);
        }
        own.entry((call.number, call.stratum)).or_default().add(call.counts);
    }
    let mut compared: BTreeMap<ShownNumber, Vec<Compared>> = BTreeMap::new();
    for ((number, stratum), own) in own {
        let all = all.get(&stratum).copied().unwrap_or_default();
        let control = if suspected.contains(&number) { all } else { all.without(own) };
        compared.entry(number).or_default().push(Compared { own, control });
    }
    compared
}
