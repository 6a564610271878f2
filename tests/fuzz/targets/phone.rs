//! Any text as a phone number: no panic, and the normalised number is stable and can be dialled.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paceline::lists::clean::split_numbers;
use paceline::lists::clean_number;
use paceline_core::number::PhoneNumber;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for region in ["CN", "US", ""] {
        for part in split_numbers(&text).take(50) {
            if let Ok(number) = clean_number(part, region) {
                assert_eq!(PhoneNumber::from_e164(number.as_u64()), Some(number));
                assert_eq!(clean_number(&number.to_string(), region), Ok(number), "{part:?}");
            }
        }
    }
});
