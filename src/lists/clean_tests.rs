//! Tables of spellings: which are numbers, which are refused, and with which hint.

use super::*;

fn e164(text: &str) -> Result<u64, Refusal> {
    clean_number(text, "CN").map(PhoneNumber::as_u64)
}

#[test]
fn every_spelling_of_a_number_is_the_same_number() {
    for text in [
        "13800138000",
        " 13800138000 ",
        "+8613800138000",
        "+86 138 0013 8000",
        "0086-138-0013-8000",
        "8613800138000",
        "86-138-0013-8000",
        "(+86)13800138000",
        "（＋８６）１３８００１３８０００",
        "138.0013.8000",
        "138-0013-8000",
        "138—0013—8000",
        "13800138000.0",
        "13800138000.00",
        "'13800138000",
        "’13800138000",
        "=\"13800138000\"",
        "\"13800138000\"",
        "tel:13800138000",
        "TEL: +86-13800138000",
        "手机：13800138000",
        "138\u{A0}0013\u{A0}8000",
        "\u{200B}138\u{200B}00138000\u{FEFF}",
        "\u{202D}13800138000\u{202C}",
        "１３８００１３８０００",
        "013800138000",
        "+86013800138000",
        "138 0013 8000\t",
        "[138]00138000",
    ] {
        assert_eq!(e164(text), Ok(8_613_800_138_000), "{text:?}");
    }
}

#[test]
fn landlines_and_hotlines_are_numbers() {
    for (text, national) in [
        ("0755-12345678", "075512345678"),
        ("(0755)12345678", "075512345678"),
        ("075512345678", "075512345678"),
        ("+86 755 12345678", "075512345678"),
        ("+86 (0755) 1234 5678", "075512345678"),
        ("8675512345678", "075512345678"),
        ("010 6234 5678", "01062345678"),
        ("+86-10-62345678", "01062345678"),
        ("0312-6543210", "03126543210"),
        ("400-123-4567", "4001234567"),
        ("+864001234567", "4001234567"),
        ("800 820 1234", "8008201234"),
    ] {
        let number = clean_number(text, "CN");
        assert_eq!(number.map(PhoneNumber::national).as_deref(), Ok(national), "{text:?}");
    }
}

#[test]
fn a_caller_id_is_read_in_every_international_and_national_form() {
    for (text, region, e164) in [
        ("075512345678", "CN", 8_675_512_345_678),
        ("075512345678", "", 8_675_512_345_678),
        ("0755-12345678", "CN", 8_675_512_345_678),
        ("+8675512345678", "CN", 8_675_512_345_678),
        ("8675512345678", "CN", 8_675_512_345_678),
        ("008675512345678", "CN", 8_675_512_345_678),
        ("+86 (0755) 1234-5678", "GB", 8_675_512_345_678),
        ("8675512345678", "GB", 8_675_512_345_678),
        ("13800138000", "CN", 8_613_800_138_000),
        ("13102345678", "CN", 8_613_102_345_678),
        ("4001234567", "CN", 864_001_234_567),
        ("95188", "CN", 8_695_188),
        ("+8695188", "CN", 8_695_188),
        ("10086", "CN", 8_610_086),
        ("+442079460000", "CN", 442_079_460_000),
        ("442079460000", "CN", 442_079_460_000),
        ("0085223456789", "CN", 85_223_456_789),
        ("020 7946 0000", "GB", 442_079_460_000),
        ("+14155550100", "CN", 14_155_550_100),
        ("4155550100", "US", 14_155_550_100),
        ("14155550100", "US", 14_155_550_100),
        ("(415) 555-0100", "US", 14_155_550_100),
    ] {
        let read = caller_id(text, region).map(ShownNumber::as_u64);
        assert_eq!(read, Ok(e164), "{text} {region}");
    }
}

#[test]
fn a_caller_id_that_may_be_two_numbers_is_refused_with_both() {
    for (text, region, words) in [
        ("14155550100", "CN", "+14155550100"),
        ("110", "CN", "emergency"),
        ("+86110", "CN", "emergency"),
        ("75512345678", "CN", "leading zero"),
        ("62345678", "CN", ""),
        ("95188x1", "CN", ""),
        ("abc", "CN", ""),
        ("", "CN", "no phone number"),
        ("+999123456789", "CN", "country"),
    ] {
        let refusal = caller_id(text, region).expect_err(text);
        assert!(refusal.hint.contains(words), "{text}: {}", refusal.hint);
    }
}

#[test]
fn scientific_notation_is_refused_with_a_hint_to_format_as_text() {
    for text in ["1.38E+10", "1.38e10", "1.3800138E+10", "１.３８Ｅ＋１０", "1E10", "'1.38E+10", "1,38E+10"]
    {
        let refusal = e164(text).expect_err(text);
        assert_eq!(refusal.reason, Reason::InvalidNumber, "{text}");
        assert!(refusal.hint.contains("as text"), "{text}: {}", refusal.hint);
    }
}

#[test]
fn each_refusal_says_what_to_do() {
    for (text, words) in [
        ("", "no phone number"),
        ("   ", "no phone number"),
        ("62345678", "area code"),
        ("+86 62345678", "area code"),
        ("75512345678", "leading zero"),
        ("1380013800", "a mobile number has 11"),
        ("138001380001", "too many"),
        ("0755-12345678转123", "extension"),
        ("0755-12345678-123", "extension"),
        ("0755-12345678 ext 12", "extension"),
        ("13800138000x123", "extension"),
        ("01062345678#8", "extension"),
        ("13800138000-12", "extension"),
        ("138oo138000", "'o'"),
        ("王芳", "'王'"),
        ("13800138000王芳", "'王'"),
        ("138+00138000", "plus sign"),
        ("13800138000.5", "too many"),
        ("138001380.0", "9 digits"),
        ("+999123456789", "country"),
        ("-13800138000-13900139000", ""),
        ("１３８００１３８００", "a mobile number has 11"),
    ] {
        let refusal = e164(text).expect_err(text);
        assert_eq!(refusal.reason, Reason::InvalidNumber, "{text}: {}", refusal.hint);
        assert!(refusal.hint.contains(words), "{text}: {}", refusal.hint);
    }
    let long = "1".repeat(100_000);
    assert!(e164(&long).is_err());
}

#[test]
fn emergency_and_service_numbers_are_refused_in_every_spelling() {
    for text in [
        "110",
        "１１０",
        "1-1-0",
        "+86110",
        "+86 110",
        "0086110",
        "86110",
        "010110",
        "010-110",
        "0755-119",
        "+8610110",
        "+86755120",
        "12345",
        "12306",
        "95588",
        "0755-95588",
        "+8675595588",
        "10086",
        "+8610086",
        "96110",
        "tel:110",
        "110.0",
        "'120",
        "95013888",
        "021-12315",
        "(110)",
        " 1 1 9 ",
    ] {
        let refusal = e164(text).expect_err(text);
        assert_eq!(refusal.reason, Reason::EmergencyNumber, "{text}: {}", refusal.hint);
    }
    assert_eq!(clean_number("911", "US").expect_err("911").reason, Reason::EmergencyNumber);
    assert_eq!(clean_number("110", "JP").expect_err("110").reason, Reason::EmergencyNumber);
}

#[test]
fn numbers_of_other_countries_keep_their_country() {
    for (text, region, number) in [
        ("+1 415 555 2671", "CN", 14_155_552_671),
        ("0014155552671", "CN", 14_155_552_671),
        ("(415) 555-2671", "US", 14_155_552_671),
        ("+852 2123 4567", "CN", 85_221_234_567),
        ("21234567", "HK", 85_221_234_567),
        ("+86 13800138000", "US", 8_613_800_138_000),
        ("030 123456", "DE", 4_930_123_456),
    ] {
        assert_eq!(clean_number(text, region).map(PhoneNumber::as_u64), Ok(number), "{text}");
    }
    assert!(clean_number("12", "US").is_err());
    assert!(clean_number("4155552671", "XQ").is_err());
}

#[test]
fn a_cell_with_several_numbers_is_split() {
    for cell in [
        "13800138000/13900139000",
        "13800138000;13900139000",
        "13800138000、13900139000",
        "13800138000， 13900139000",
    ] {
        assert_eq!(split_numbers(cell).collect::<Vec<_>>(), ["13800138000", "13900139000"], "{cell}");
    }
    assert_eq!(split_numbers("0755-12345678").collect::<Vec<_>>(), ["0755-12345678"]);
    assert_eq!(split_numbers(" ; ").count(), 0);
}

#[test]
fn unassigned_ranges_are_recognised() {
    let mut ranges = NumberRanges::default();
    let mut in_use = |text: &str| ranges.is_in_use(clean_number(text, "CN").expect(text));
    assert!(in_use("13800138000"));
    assert!(in_use("19912345678"));
    assert!(in_use("010-62345678"));
    assert!(!in_use("15412345678"));
    assert!(!in_use("16012345678"));
}
