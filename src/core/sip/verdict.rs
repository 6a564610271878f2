//! Maps a final response to the lead's outcome: SIP code and Q.850 cause to `Outcome`. A stateless table.

use crate::outcome::{EndedBy, Outcome};

/// The outcome of a refused call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    pub by: EndedBy,
    /// The failure concerns the trunk, so another trunk may succeed. Never set where the callee refused:
    /// the callee is not called again at once through another gateway.
    pub try_next_trunk: bool,
}

const fn callee(outcome: Outcome) -> Verdict {
    Verdict { outcome, by: EndedBy::Callee, try_next_trunk: false }
}

const fn carrier(outcome: Outcome) -> Verdict {
    Verdict { outcome, by: EndedBy::Carrier, try_next_trunk: false }
}

const fn trunk(outcome: Outcome) -> Verdict {
    Verdict { outcome, by: EndedBy::Carrier, try_next_trunk: true }
}

/// No response at all before Timer B expired, or the connection to the trunk broke.
pub const SILENT_TRUNK: Verdict = trunk(Outcome::LineFault);

/// The carrier refuses our account, not this callee. Told from a callee's refusal by its code: 401, 403 or 407
/// with `LineFault`.
pub const ACCOUNT_REFUSED: Verdict = trunk(Outcome::LineFault);

/// A response we cannot or will not follow (a redirection to another number).
pub const NOT_FOLLOWED: Verdict = carrier(Outcome::LineFault);

/// A final response of 300 to 699 to an INVITE, with the cause of its `Reason: Q.850` header.
///
/// The Q.850 cause comes from the telephone network itself and takes precedence over the SIP code a gateway
/// derived from it, with one exception: a code that says the callee refused or does not exist is never
/// turned into a trunk fault.
pub fn refusal(code: u16, q850: Option<u16>) -> Verdict {
    let by_code = by_code(code);
    match q850.and_then(by_cause) {
        Some(by_cause) if by_cause.outcome != Outcome::LineFault || !is_callee_refusal(code) => by_cause,
        _ => by_code,
    }
}

fn is_callee_refusal(code: u16) -> bool {
    matches!(code, 404 | 410 | 484..=486 | 600..=607)
}

/// Codes of RFC 3261 section 21 and later RFCs, as carriers use them.
fn by_code(code: u16) -> Verdict {
    match code {
        300..=399 => NOT_FOLLOWED,
        403 => trunk(Outcome::CarrierBlock),
        404 | 410 | 484 | 485 | 604 => carrier(Outcome::Vacant),
        408 | 487 => carrier(Outcome::NoAnswer),
        433 => callee(Outcome::Rejected),
        480 => carrier(Outcome::Unreachable),
        486 | 600 => callee(Outcome::Busy),
        603 | 607 => callee(Outcome::Rejected),
        606 => carrier(Outcome::LineFault),
        608 => carrier(Outcome::CarrierBlock),
        601..=699 => callee(Outcome::Rejected),
        // 400, 401 and 407 despite credentials, 402, 488, every 5xx and unknown codes: our side or the
        // trunk.
        _ => trunk(Outcome::LineFault),
    }
}

/// ITU-T Q.850 table 1. `None` = the cause carries no information (16, 31, 127) or is unknown.
fn by_cause(cause: u16) -> Option<Verdict> {
    Some(match cause {
        1 | 4 | 22 | 28 => carrier(Outcome::Vacant),
        17 => callee(Outcome::Busy),
        18 | 19 => carrier(Outcome::NoAnswer),
        20 => carrier(Outcome::PoweredOff),
        21 => callee(Outcome::Rejected),
        26 | 27 => carrier(Outcome::Unreachable),
        54 | 55 | 87 => carrier(Outcome::Restricted),
        2 | 3 | 5 | 29 | 34 | 38..=47 | 50 | 52 | 57 | 58 | 63 | 65 | 66 | 69 | 70 | 79 | 88 | 102 => {
            trunk(Outcome::LineFault)
        }
        _ => return None,
    })
}

/// The Q.850 cause in words, for disputes with a carrier.
pub fn cause_words(cause: u16) -> &'static str {
    match cause {
        1 => "unallocated number",
        2 | 3 => "no route",
        4 => "special information tone",
        5 => "misdialled trunk prefix",
        16 => "normal clearing",
        17 => "user busy",
        18 => "no user responding",
        19 => "no answer from user",
        20 => "subscriber absent",
        21 => "call rejected",
        22 => "number changed",
        26 => "non-selected user clearing",
        27 => "destination out of order",
        28 => "invalid number format",
        29 => "facility rejected",
        31 => "normal, unspecified",
        34 => "no circuit available",
        38 => "network out of order",
        41 => "temporary failure",
        42 => "switching equipment congestion",
        44 => "requested circuit not available",
        47 => "resource unavailable",
        50 => "facility not subscribed",
        52 => "outgoing calls barred",
        54 | 55 => "incoming calls barred",
        57 => "bearer capability not authorised",
        58 => "bearer capability not available",
        65 => "bearer capability not implemented",
        79 => "service not implemented",
        87 => "not a member of the closed user group",
        88 => "incompatible destination",
        102 => "recovery on timer expiry",
        127 => "interworking",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::*;

    /// Code, cause, outcome, ended by, whether another trunk is tried.
    #[rustfmt::skip]
    const TABLE: &[(u16, Option<u16>, Outcome, EndedBy, bool)] = &[
        // The callee refused: never through another trunk.
        (486, None,      Busy,         EndedBy::Callee,  false),
        (486, Some(17),  Busy,         EndedBy::Callee,  false),
        (486, Some(34),  Busy,         EndedBy::Callee,  false),
        (600, None,      Busy,         EndedBy::Callee,  false),
        (603, None,      Rejected,     EndedBy::Callee,  false),
        (603, Some(21),  Rejected,     EndedBy::Callee,  false),
        (603, Some(41),  Rejected,     EndedBy::Callee,  false),
        (607, None,      Rejected,     EndedBy::Callee,  false),
        (433, None,      Rejected,     EndedBy::Callee,  false),
        (480, Some(21),  Rejected,     EndedBy::Callee,  false),
        (403, Some(21),  Rejected,     EndedBy::Callee,  false),
        (503, Some(17),  Busy,         EndedBy::Callee,  false),
        (480, Some(17),  Busy,         EndedBy::Callee,  false),
        // The number does not exist.
        (404, None,      Vacant,       EndedBy::Carrier, false),
        (404, Some(3),   Vacant,       EndedBy::Carrier, false),
        (410, None,      Vacant,       EndedBy::Carrier, false),
        (484, None,      Vacant,       EndedBy::Carrier, false),
        (485, None,      Vacant,       EndedBy::Carrier, false),
        (604, None,      Vacant,       EndedBy::Carrier, false),
        (480, Some(1),   Vacant,       EndedBy::Carrier, false),
        (503, Some(1),   Vacant,       EndedBy::Carrier, false),
        (480, Some(22),  Vacant,       EndedBy::Carrier, false),
        (480, Some(28),  Vacant,       EndedBy::Carrier, false),
        // No answer or not reachable.
        (408, None,      NoAnswer,     EndedBy::Carrier, false),
        (487, None,      NoAnswer,     EndedBy::Carrier, false),
        (480, Some(18),  NoAnswer,     EndedBy::Carrier, false),
        (480, Some(19),  NoAnswer,     EndedBy::Carrier, false),
        (408, Some(18),  NoAnswer,     EndedBy::Carrier, false),
        (500, Some(19),  NoAnswer,     EndedBy::Carrier, false),
        (480, Some(20),  PoweredOff,   EndedBy::Carrier, false),
        (404, Some(20),  PoweredOff,   EndedBy::Carrier, false),
        (480, None,      Unreachable,  EndedBy::Carrier, false),
        (480, Some(16),  Unreachable,  EndedBy::Carrier, false),
        (480, Some(31),  Unreachable,  EndedBy::Carrier, false),
        (480, Some(27),  Unreachable,  EndedBy::Carrier, false),
        (502, Some(27),  Unreachable,  EndedBy::Carrier, false),
        (403, Some(55),  Restricted,   EndedBy::Carrier, false),
        (403, Some(87),  Restricted,   EndedBy::Carrier, false),
        // The carrier refuses this callee.
        (403, None,      CarrierBlock, EndedBy::Carrier, true),
        (608, None,      CarrierBlock, EndedBy::Carrier, false),
        // Our side or the trunk.
        (302, None,      LineFault,    EndedBy::Carrier, false),
        (606, None,      LineFault,    EndedBy::Carrier, false),
        (400, None,      LineFault,    EndedBy::Carrier, true),
        (401, None,      LineFault,    EndedBy::Carrier, true),
        (402, None,      LineFault,    EndedBy::Carrier, true),
        (407, None,      LineFault,    EndedBy::Carrier, true),
        (420, None,      LineFault,    EndedBy::Carrier, true),
        (482, None,      LineFault,    EndedBy::Carrier, true),
        (488, None,      LineFault,    EndedBy::Carrier, true),
        (500, None,      LineFault,    EndedBy::Carrier, true),
        (502, None,      LineFault,    EndedBy::Carrier, true),
        (503, None,      LineFault,    EndedBy::Carrier, true),
        (504, None,      LineFault,    EndedBy::Carrier, true),
        (580, None,      LineFault,    EndedBy::Carrier, true),
        (480, Some(34),  LineFault,    EndedBy::Carrier, true),
        (480, Some(38),  LineFault,    EndedBy::Carrier, true),
        (480, Some(41),  LineFault,    EndedBy::Carrier, true),
        (480, Some(42),  LineFault,    EndedBy::Carrier, true),
        (480, Some(47),  LineFault,    EndedBy::Carrier, true),
        (503, Some(34),  LineFault,    EndedBy::Carrier, true),
        (503, Some(127), LineFault,    EndedBy::Carrier, true),
        (403, Some(52),  LineFault,    EndedBy::Carrier, true),
        (403, Some(57),  LineFault,    EndedBy::Carrier, true),
    ];

    #[test]
    fn every_row_of_the_table_holds() {
        for &(code, cause, outcome, by, try_next_trunk) in TABLE {
            assert_eq!(refusal(code, cause), Verdict { outcome, by, try_next_trunk }, "{code} {cause:?}");
        }
        assert_eq!(SILENT_TRUNK, Verdict { outcome: LineFault, by: EndedBy::Carrier, try_next_trunk: true });
    }

    #[test]
    fn a_callee_who_refused_is_not_called_through_another_trunk() {
        for code in 300..=699 {
            for cause in (0..=127).map(Some).chain([None]) {
                let verdict = refusal(code, cause);
                let trunks_fault = matches!(verdict.outcome, LineFault | CarrierBlock);
                assert!(!verdict.try_next_trunk || trunks_fault, "{code} {cause:?}");
                assert!(!matches!(verdict.outcome, Answered | Machine | Interrupted), "{code} {cause:?}");
                if is_callee_refusal(code) {
                    assert!(!verdict.try_next_trunk, "{code} {cause:?}");
                }
            }
        }
    }
}
