//! One lead that a person adds, cleaned by the rules of a list's row.

use crate::lists::clean::{clean_number, split_numbers};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Reason;

/// Numbers of one lead, as in a list's row.
pub const PHONES_MAX: usize = 20;

/// Why a lead has no number that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneRefusal {
    pub reason: Reason,
    /// The text, and what to do about it.
    pub hint: String,
}

/// The numbers in these texts, each with its text and once. A text that is no number is left out while another one is.
///
/// # Errors
/// None of them is a number that may be called.
pub fn clean_phones(texts: &[String], region: &str) -> Result<Vec<(PhoneNumber, String)>, PhoneRefusal> {
    let mut phones: Vec<(PhoneNumber, String)> = Vec::new();
    let mut refused = None;
    for part in texts.iter().flat_map(|text| split_numbers(text)) {
        match clean_number(part, region) {
            Ok(number) if phones.iter().any(|(known, _)| *known == number) => {}
            Ok(number) => phones.push((number, part.trim().to_owned())),
            Err(refusal) => {
                refused.get_or_insert(PhoneRefusal {
                    reason: refusal.reason,
                    hint: format!("{}: {}", part.trim(), refusal.hint),
                });
            }
        }
    }
    phones.truncate(PHONES_MAX);
    match (phones.is_empty(), refused) {
        (false, _) => Ok(phones),
        (true, Some(refusal)) => Err(refusal),
        (true, None) => {
            Err(PhoneRefusal { reason: Reason::InvalidNumber, hint: "phones: no number was sent".into() })
        }
    }
}
