//! `PhoneNumber`: an E.164 number, or it does not exist. Cleaning what people typed is the lists'
//! work; what may never be dialled from any list is refused here, in code.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An E.164 number as its digits, country code first, without the plus sign: at most 15 digits,
/// so it fits a `u64` and is cheap to compare, hash and store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhoneNumber(u64);

impl PhoneNumber {
    /// From digits with country code, for example `8613800138000`. `None` outside 7 to 15 digits.
    pub const fn from_e164(digits: u64) -> Option<Self> {
        if digits >= 1_000_000 && digits <= 999_999_999_999_999 { Some(PhoneNumber(digits)) } else { None }
    }

    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The number as it is dialled inside China: `13800138000`, `075512345678`, `4001234567`;
    /// a number of another country as `00` and the whole number.
    pub fn national(self) -> String {
        let digits = self.0.to_string();
        match digits.strip_prefix("86") {
            Some(rest) if rest.len() == 11 && rest.starts_with('1') => rest.to_string(),
            Some(rest) if rest.starts_with("400") || rest.starts_with("800") => rest.to_string(),
            Some(rest) => format!("0{rest}"),
            None => format!("00{digits}"),
        }
    }

    /// Whether both are Chinese landlines of one area code (`0755`, `010`).
    pub fn same_area(self, other: PhoneNumber) -> bool {
        matches!((self.area(), other.area()), (Some(mine), Some(theirs)) if mine == theirs)
    }

    /// The area code of a Chinese landline without its leading zero: two digits for 10 and 2x, else three.
    fn area(self) -> Option<u64> {
        let national = self.0.to_string().strip_prefix("86").map(str::to_owned)?;
        let short = national.starts_with("10") || national.starts_with('2');
        let mobile = national.len() == 11 && national.starts_with('1');
        let service = national.starts_with("400") || national.starts_with("800");
        if mobile || service {
            return None;
        }
        national.get(..if short { 2 } else { 3 })?.parse().ok()
    }
}

/// `+8613800138000`.
impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}
