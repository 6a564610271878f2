//! Lists as other programs export them, and numbers as people write them: roles by values, several numbers in one
//! cell, codes in columns of their own.

use super::files::read_spec;
use paceline::lists::{ListSpec, clean_pattern};
use paceline_core::number::PhoneNumber;
use std::path::PathBuf;
use tempfile::TempDir;

fn fixture(name: &str) -> super::files::Read {
    let file = PathBuf::from("tests/fixtures/lists").join(name);
    read_spec(&ListSpec { file, region: "CN".into(), ..ListSpec::default() }, &[]).expect("a list")
}

fn read(region: &str, text: &str) -> super::files::Read {
    let dir = TempDir::new().expect("a temporary directory");
    let file = dir.path().join("list.csv");
    std::fs::write(&file, text).expect("written");
    read_spec(&ListSpec { file, region: region.into(), ..ListSpec::default() }, &[]).expect("a list")
}

fn e164(read: &super::files::Read) -> Vec<u64> {
    read.leads.iter().flat_map(|lead| &lead.phones).map(|(number, _)| number.as_u64()).collect()
}

#[test]
fn contacts_of_google_are_read() {
    let read = fixture("google-contacts.csv");
    let numbers = ["15400070001", "075512345671", "15400070002", "15400070003", "15400070004"];
    assert_eq!((read.report.leads, read.numbers()), (3, numbers.map(String::from).to_vec()));
    assert_eq!(read.leads[0].name.as_deref(), Some("Alpha One"));
}

#[test]
fn the_columns_of_vicidial_are_read_without_a_warning() {
    let read = fixture("vicidial.csv");
    assert_eq!((read.report.leads, read.report.phones), (5, 8));
    assert_eq!(read.leads[0].name.as_deref(), Some("First1 Last1"));
    let lost: Vec<_> = read.report.warnings.iter().filter(|w| w.what.contains("lost")).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn codes_in_columns_of_their_own_belong_to_the_number() {
    let city = read(
        "CN",
        "姓名,区号,电话\n甲,0755,12345678\n乙,010,62345678\n丙,755,22345678\n丁,0755,13800138000\n",
    );
    assert_eq!(city.numbers(), ["075512345678", "01062345678", "075522345678", "13800138000"]);
    let world =
        read("CN", "country_code,phone\n86,13800138000\n1,4155550171\n44,02079460929\n86,+14155550172\n");
    assert_eq!(e164(&world), [8_613_800_138_000, 14_155_550_171, 442_079_460_929, 14_155_550_172]);
}

#[test]
fn a_fax_that_only_a_column_of_kinds_names_is_not_called() {
    let read = read(
        "CN",
        "Name,Phone 1 - Type,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value\n\
         A,Mobile,15400010001,Work Fax,0755-12345678\n\
         B,传真,0755-22345678,,\n\
         C,* Mobile ::: Home Fax,15400010002 ::: 0755-32345678,,\n",
    );
    assert_eq!(read.numbers(), ["15400010001", "15400010002"]);
    let hint = &read.refused[0].hint;
    assert!(hint.contains("fax") && hint.contains("Phone 1 - Type"), "{hint}");
    assert_eq!(
        self::read("CN", "电话,电话类型\n0755-12345678,传真\n15400010001,手机\n").numbers(),
        ["15400010001"]
    );
}

#[test]
fn a_hint_speaks_of_the_cell_that_was_meant() {
    let read = read("CN", "name,Phone 1,Phone 2\nA,no,1380013800\nB,15400010001,\n");
    assert!(read.refused[0].hint.starts_with("Phone 2: 10 digits"), "{}", read.refused[0].hint);
    let extension = self::read("CN", "电话\n0755-12345678转801\n15400010001\n");
    assert!(extension.refused[0].hint.contains("extension"), "{}", extension.refused[0].hint);
}

#[test]
fn several_numbers_in_one_cell_are_several_numbers() {
    for joiner in
        [" ::: ", "/", "、", ";", "；", ",", "，", "\n", " 或 ", "或", " or ", " and ", " & ", "|", " "]
    {
        let read = read("CN", &format!("phone,name\n\"15400010001{joiner}0755-12345678\",A\n"));
        assert_eq!(read.numbers(), ["15400010001", "075512345678"], "{joiner:?}");
    }
    assert_eq!(read("CN", "phone,name\n\"15,400,010,001\",A\n").numbers(), ["15400010001"]);
    assert_eq!(read("CN", "phone\n+86 154 0001 0001\n").numbers(), ["15400010001"]);
}

#[test]
fn names_of_several_columns_are_joined_as_they_are_spoken() {
    let name = |text: &str| read("CN", text).leads[0].name.clone().expect("a name");
    assert_eq!(
        name("First Name,Middle Name,Last Name,Phone\nAda,King,Lovelace,15400010001\n"),
        "Ada King Lovelace"
    );
    assert_eq!(name("姓,名,手机\n王,小明,15400010001\n"), "王小明");
    assert_eq!(name("名,姓,手机\n小明,王,15400010001\n"), "王小明");
}

#[test]
fn a_first_row_without_a_good_number_is_refused_and_not_swallowed_as_a_header() {
    let read = read("CN", "王芳,1380013\n李强,15400010001\n");
    assert_eq!((read.report.rows_read, read.refused[0].row), (2, 1));
}

/// Every way to write a prefix blocks what begins with it, and nothing else.
#[test]
fn blacklist_entries_are_understood_in_any_spelling() {
    let blocks = |text: &str, region: &str, number: u64| {
        let number = PhoneNumber::from_e164(number).expect("a number");
        clean_pattern(text, region).expect(text).iter().any(|pattern| pattern.matches(number))
    };
    for text in [
        "1380013*",
        "1380013%",
        "138-0013 *",
        "+86 1380013*",
        "861380013*",
        "008613800138*",
        "1380013????",
        "1380013xxxx",
        "1380013XXXX",
        "1380013＊",
        "1380013…",
        "^1380013.*",
        "1380013开头",
        "1380013号段",
        "以1380013开头",
        "13800138000-13800138099",
        "13800138000～13800138099",
        "13800138000至13800138099",
        "13800138000",
    ] {
        assert!(blocks(text, "CN", 8_613_800_138_000), "{text}");
        assert!(!blocks(text, "CN", 8_613_900_138_000), "{text}");
    }
    for text in ["0755*", "0755%", "(0755)*", "+86755*", "0086755*", "0755-*"] {
        assert!(blocks(text, "CN", 8_675_512_345_678) && !blocks(text, "CN", 8_613_800_138_000), "{text}");
    }
    assert!(!blocks("1*", "CN", 861_062_345_678), "the prefix of mobiles is not the area code 010");
    assert!(blocks("415*", "US", 14_155_550_171) && blocks("1-415*", "US", 14_155_550_171));
    assert!(blocks("020*", "GB", 442_079_460_929) && blocks("06*", "IT", 390_612_345_678));
    for text in [
        "138****8000",
        "*8000",
        "*",
        "755*",
        "abc*",
        "",
        "not a number",
        "13800138000-13900138000",
        "1380013",
    ] {
        assert!(clean_pattern(text, "CN").is_err(), "{text}");
    }
    assert_eq!(clean_pattern("95588*", "CN"), Ok(Vec::new()), "no such number is dialled anyway");
}

/// A range becomes prefixes that cover exactly its numbers.
#[test]
fn a_range_covers_its_numbers_and_no_other() {
    for (first, last) in [(8_000u64, 8_099u64), (8_995, 9_004), (0, 9_999), (7, 7), (1_234, 6_789)] {
        let text = format!("138001{first:05}-138001{last:05}");
        let patterns = clean_pattern(&text, "CN").expect(&text);
        for tail in [0, first.saturating_sub(1), first, (first + last) / 2, last, last + 1, 9_999] {
            let number = PhoneNumber::from_e164(8_613_800_100_000 + tail).expect("a number");
            let inside = (first..=last).contains(&tail);
            assert_eq!(patterns.iter().any(|p| p.matches(number)), inside, "{text}: {number}");
        }
    }
}
