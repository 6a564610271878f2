//! Values as timelines and call traces show them: masked telephone numbers and moments.

use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;
use serde_json::Value;

/// A national telephone number; its middle is hidden unless `whole`.
pub(super) fn masked_number(number: PhoneNumber, whole: bool) -> String {
    if whole { number.national() } else { crate::text::masked(number) }
}

/// A moment as RFC 3339 with milliseconds.
pub(super) fn rfc3339(at: Utc) -> Value {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok();
    at.map_or(Value::Null, |at| format!("{at:.3}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_number_is_masked_unless_it_is_shown_whole() {
        let number = PhoneNumber::from_e164(8_613_800_138_000).expect("a number");
        assert_eq!(masked_number(number, false), "138****8000");
        assert_eq!(masked_number(number, true), "13800138000");
    }
}
