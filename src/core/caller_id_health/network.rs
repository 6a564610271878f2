//! The network of a callee, as far as the number tells.

use crate::number::{NumberKind, PhoneNumber};
use serde::{Deserialize, Serialize};

/// What callees have in common who see the same label beside a caller ID: the carrier of a Chinese mobile, by the
/// prefix that it was assigned (Ministry of Industry and Information Technology; a number that was ported to another
/// carrier keeps its prefix), the area of a landline, the first digits of a number abroad. A mobile number does not
/// tell its region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CalleeNetwork {
    ChinaMobile,
    ChinaUnicom,
    ChinaTelecom,
    ChinaBroadnet,
    /// Resold numbers (170, 171, 162, 165, 167) and prefixes that were not assigned when this was written.
    OtherMobile,
    /// Area code without its zero.
    Landline(u16),
    Hotline,
    /// First two digits with country code.
    Abroad(u8),
}

impl CalleeNetwork {
    pub fn of(number: PhoneNumber) -> Self {
        match number.kind() {
            NumberKind::Mobile => mobile(number.as_u64() / 100_000_000 % 1_000),
            NumberKind::Landline => CalleeNetwork::Landline(number.area_code().unwrap_or(0)),
            NumberKind::Hotline => CalleeNetwork::Hotline,
            NumberKind::Abroad => {
                let mut first = number.as_u64();
                while first >= 100 {
                    first /= 10;
                }
                CalleeNetwork::Abroad(first as u8)
            }
        }
    }
}

/// By the first three digits.
const fn mobile(prefix: u64) -> CalleeNetwork {
    match prefix {
        134..=139
        | 147
        | 148
        | 150..=152
        | 157..=159
        | 172
        | 178
        | 182..=184
        | 187
        | 188
        | 195
        | 197
        | 198 => CalleeNetwork::ChinaMobile,
        130..=132 | 145 | 146 | 155 | 156 | 166 | 175 | 176 | 185 | 186 | 196 => CalleeNetwork::ChinaUnicom,
        133 | 149 | 153 | 173 | 174 | 177 | 180 | 181 | 189..=191 | 193 | 199 => CalleeNetwork::ChinaTelecom,
        192 => CalleeNetwork::ChinaBroadnet,
        _ => CalleeNetwork::OtherMobile,
    }
}
