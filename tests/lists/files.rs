//! Malformed and unusual list files: right rows, right reasons, no invented number, and counts that
//! reconcile.

use encoding_rs::GB18030;
use paceline::lists::{
    Batch, ImportError, LeadRow, ListError, ListReport, ListSpec, RefusedRow, check, import,
};
use paceline_core::number::PhoneNumber;
use paceline_core::number_pattern::NumberPattern;
use paceline_core::outcome::Reason;
use std::convert::Infallible;
use std::path::Path;
use tempfile::TempDir;

pub struct Read {
    pub leads: Vec<LeadRow>,
    pub refused: Vec<RefusedRow>,
    pub report: ListReport,
}

impl Read {
    pub fn numbers(&self) -> Vec<String> {
        self.leads.iter().flat_map(|lead| &lead.phones).map(|(number, _)| number.national()).collect()
    }

    fn reasons(&self) -> Vec<(u64, Reason)> {
        self.refused.iter().map(|row| (row.row, row.reason)).collect()
    }
}

pub fn read_spec(spec: &ListSpec, system: &[PhoneNumber]) -> Result<Read, ListError> {
    let (mut leads, mut refused) = (Vec::new(), Vec::new());
    let mut sink = |batch: &Batch| {
        leads.extend(batch.leads.iter().cloned());
        refused.extend(batch.refused.iter().cloned());
        Ok::<(), Infallible>(())
    };
    match import(spec, &mut system.iter().copied().map(NumberPattern::from), &mut sink) {
        Ok(report) => {
            assert!(report.reconciles(), "{report:?}");
            assert_eq!((report.leads, report.refused_rows), (leads.len() as u64, refused.len() as u64));
            Ok(Read { leads, refused, report })
        }
        Err(ImportError::List(error)) => Err(error),
        Err(ImportError::Sink(never)) => match never {},
    }
}

fn spec(dir: &TempDir, name: &str, bytes: &[u8]) -> ListSpec {
    let file = dir.path().join(name);
    std::fs::write(&file, bytes).expect("a file in a temporary directory");
    ListSpec { file, region: "CN".into(), ..ListSpec::default() }
}

fn read(bytes: &[u8]) -> Read {
    let dir = TempDir::new().expect("a temporary directory");
    read_spec(&spec(&dir, "list.csv", bytes), &[]).expect("a list")
}

fn refusal(name: &str, bytes: &[u8]) -> String {
    let dir = TempDir::new().expect("a temporary directory");
    match read_spec(&spec(&dir, name, bytes), &[]) {
        Ok(read) => panic!("{name} was read: {:?}", read.report),
        Err(error) => error.to_string(),
    }
}

const LIST: &str = "姓名,手机号码,房号\n王芳,15412340001,1栋-101\n李强,154 1234 0002,1栋-102\n赵敏,１５４１２３４０００３,1栋-102\n";

fn assert_is_list(read: &Read, what: &str) {
    assert_eq!(read.numbers(), ["15412340001", "15412340002", "15412340003"], "{what}");
    let names: Vec<_> = read.leads.iter().map(|lead| lead.name.as_deref().unwrap_or("")).collect();
    assert_eq!(names, ["王芳", "李强", "赵敏"], "{what}");
    assert_eq!((read.report.households, read.report.header_row), (2, Some(1)), "{what}");
    assert_eq!(read.leads.iter().map(|lead| lead.row).collect::<Vec<_>>(), [2, 3, 4], "{what}");
}

#[test]
fn every_encoding_gives_the_same_list() {
    let utf16 = |bytes: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
        let mark = if mark { "\u{FEFF}" } else { "" };
        format!("{mark}{LIST}").encode_utf16().flat_map(bytes).collect()
    };
    for (name, bytes) in [
        ("UTF-8", LIST.as_bytes().to_vec()),
        ("UTF-8", format!("\u{FEFF}{LIST}").into_bytes()),
        ("UTF-16LE", utf16(u16::to_le_bytes, true)),
        ("UTF-16LE", utf16(u16::to_le_bytes, false)),
        ("UTF-16BE", utf16(u16::to_be_bytes, true)),
        ("UTF-16BE", utf16(u16::to_be_bytes, false)),
        ("gb18030", GB18030.encode(LIST).0.into_owned()),
    ] {
        let read = read(&bytes);
        assert_is_list(&read, name);
        assert_eq!(read.report.encoding, name);
    }
}

#[test]
fn every_separator_and_line_end_gives_the_same_list() {
    for separator in [",", "\t", ";", "|"] {
        for end in ["\n", "\r\n", "\r"] {
            let text = LIST.replace(',', separator).replace('\n', end);
            let found = read(text.as_bytes());
            assert_is_list(&found, &format!("{separator:?} {end:?}"));
            assert_eq!(found.report.separator, separator);
            assert_is_list(&read(text.trim_end().as_bytes()), "no line end at the end");
        }
    }
}

#[test]
fn the_first_chinese_character_may_come_late() {
    let mut bytes = b"name,phone\n".to_vec();
    for row in 0..60_000 {
        bytes.extend_from_slice(format!("customer {row},154{row:08}\n").as_bytes());
    }
    bytes.extend_from_slice(&GB18030.encode("王芳,15399999999\n").0);
    let read = read(&bytes);
    assert_eq!(read.report.leads, 60_001);
    assert_eq!(read.leads.last().and_then(|lead| lead.name.as_deref()), Some("王芳"));
    assert_eq!(read.report.encoding, "gb18030");
}

#[test]
fn a_broken_row_is_refused_and_shifts_no_other() {
    let read = read(
        "name,phone,flat\n\
         a,15412340001,1\n\
         b,\"15412340002,2\n\
         c,15412340003,3\n\
         \n\
         d,15412340004\n\
         e,15412340005,5,extra\n\
         \"f\nf\",15412340006,6\n\
         O\"Brien,15412340007,7\n\
         g,15412340008,8,,\n\
         ,,\n\
         \"h \"\"x\"\"\",\"15412340009\",9\n\
         i,15412\x000010,10\n"
            .as_bytes(),
    );
    assert_eq!(
        read.reasons(),
        [(3, Reason::InvalidNumber), (7, Reason::InvalidNumber), (13, Reason::InvalidNumber)]
    );
    assert!(read.refused[0].hint.contains("quotation mark"));
    assert!(read.refused[1].hint.contains("5 cells") || read.refused[1].hint.contains("4 cells"));
    assert_eq!(read.refused[1].cells, ["e", "15412340005", "5", "extra"]);
    let rows: Vec<_> = read.leads.iter().map(|lead| (lead.row, lead.cells[0].as_str())).collect();
    assert_eq!(
        rows,
        [(2, "a"), (4, "c"), (6, "d"), (8, "f\nf"), (9, "O\"Brien"), (10, "g"), (12, "h \"x\"")]
    );
    assert_eq!(
        read.numbers(),
        [
            "15412340001",
            "15412340003",
            "15412340004",
            "15412340006",
            "15412340007",
            "15412340008",
            "15412340009"
        ]
    );
}

#[test]
fn rows_that_are_too_long_are_refused_and_the_next_are_read() {
    let mut text = String::from("phone,note\n15412340001,x\n");
    text.push_str(&"y".repeat(5 << 20));
    text.push_str(",1\n15412340002,z\n15412340003,\"");
    text.push_str(&"q".repeat(200 * 1024));
    text.push_str("\"\n15412340004,end\n");
    let read = read(text.as_bytes());
    assert_eq!(read.numbers(), ["15412340001", "15412340002", "15412340004"]);
    assert_eq!(read.refused.iter().map(|row| row.row).collect::<Vec<_>>(), [3, 5]);
    assert!(read.refused.iter().all(|row| row.cells.iter().map(String::len).sum::<usize>() < 64 * 1024));
}

#[test]
fn an_unclosed_quote_in_a_long_list_swallows_no_row() {
    let mut text = String::from("phone,name\n");
    for row in 0..30_000u32 {
        let quote = if row % 5_000 == 7 { "\"" } else { "" };
        text.push_str(&format!("154{row:08},{quote}name {row}\n"));
    }
    let read = read(text.as_bytes());
    assert_eq!((read.report.rows_read, read.report.refused_rows), (30_000, 6));
    assert_eq!(read.refused[0].row, 9);
}

#[test]
fn duplicates_are_found_across_spellings_and_name_the_first_row() {
    let read = read(
        "手机,备用电话\n15412340001,\n+86 154-1234-0001,\n15412340002,15412340001\n15412340003,010-62340001\n\
         15412340004/15412340005,\n15412340005,\n15412340006,15412340006\n"
            .as_bytes(),
    );
    assert_eq!(read.reasons(), [(3, Reason::Duplicate), (7, Reason::Duplicate)]);
    assert!(read.refused[0].hint.contains("row 2"), "{}", read.refused[0].hint);
    assert_eq!(read.leads[1].phones.len(), 1);
    assert_eq!(read.leads[2].phones[1].0.national(), "01062340001");
    assert_eq!(read.leads[2].phones[1].1, "010-62340001");
    assert_eq!(read.leads[3].phones.len(), 2);
    assert!(read.report.warnings.iter().any(|w| w.what.contains("duplicate") && w.rows == [4]));
}

#[test]
fn blacklists_are_counted_by_list_and_their_bad_rows_reported() {
    let dir = TempDir::new().expect("a temporary directory");
    let mut spec =
        spec(&dir, "list.csv", "phone\n15412340001\n15412340002\n15412340003\n15412340004\n".as_bytes());
    let bare = dir.path().join("bare.txt");
    std::fs::write(&bare, "+86 15412340002\nnot a number\n\n15412340099\n110\n").expect("written");
    let sheet = dir.path().join("sheet.xlsx");
    let mut book = rust_xlsxwriter::Workbook::new();
    let page = book.add_worksheet();
    page.write(0, 0, "姓名").and_then(|p| p.write(0, 1, "电话")).expect("cells");
    page.write(1, 0, "王").and_then(|p| p.write(1, 1, 15_412_340_003.0)).expect("cells");
    page.write(2, 0, "王").and_then(|p| p.write(2, 1, "15412340002")).expect("cells");
    book.save(&sheet).expect("saved");
    let empty = dir.path().join("empty.csv");
    std::fs::write(&empty, "").expect("written");
    spec.blacklists = vec![bare, sheet, empty];
    let error = read_spec(&spec, &[]).err().expect("a row that is not understood").to_string();
    assert!(error.contains("bare.txt") && error.contains("row 2: 'not a number'"), "{error}");
    spec.skip_blacklist_rows = true;
    let system = [PhoneNumber::from_e164(8_615_412_340_001).expect("a number")];
    let read = read_spec(&spec, &system).expect("a list");
    assert_eq!(read.numbers(), ["15412340004"]);
    assert!(read.refused.iter().all(|row| row.reason == Reason::Blacklisted));
    let hints: Vec<_> = read.refused.iter().map(|row| row.hint.as_str()).collect();
    assert!(
        hints[0].contains("system") && hints[1].contains("bare.txt") && hints[2].contains("sheet.xlsx"),
        "{hints:?}"
    );
    let lists: Vec<_> =
        read.report.blacklists.iter().map(|l| (l.name.as_str(), l.numbers, l.hits, l.unreadable)).collect();
    assert_eq!(
        lists,
        [("system", 1, 1, 0), ("bare.txt", 2, 1, 1), ("sheet.xlsx", 2, 1, 0), ("empty.csv", 0, 0, 0)]
    );
    assert_eq!(read.report.blacklists[1].unreadable_rows, [2]);
    spec.blacklists = vec![dir.path().join("missing.csv")];
    assert!(matches!(read_spec(&spec, &[]), Err(ListError::Open { .. })));
}

#[test]
fn a_workbook_keeps_every_digit() {
    let dir = TempDir::new().expect("a temporary directory");
    let file = dir.path().join("list.xlsx");
    let mut book = rust_xlsxwriter::Workbook::new();
    let page = book.add_worksheet();
    for (row, (name, phone)) in
        [("姓名", "联系电话"), ("王芳", "154 1234 0001"), ("李强", "1.54E+10"), ("赵敏", "")]
            .into_iter()
            .enumerate()
    {
        page.write(row as u32 + 1, 0, name).and_then(|p| p.write(row as u32 + 1, 2, phone)).expect("cells");
    }
    page.write(5, 0, "钱七").and_then(|p| p.write(5, 2, 15_412_340_002.0)).expect("cells");
    page.write(8, 0, "孙八").and_then(|p| p.write(8, 2, 8_615_412_340_003.0)).expect("cells");
    page.write(9, 3, true).expect("a cell");
    book.save(&file).expect("saved");
    let read = read_spec(&ListSpec { file, ..ListSpec::default() }, &[]).expect("a list");
    assert_eq!(read.numbers(), ["15412340001", "15412340002", "15412340003"]);
    assert_eq!(read.leads.iter().map(|lead| lead.row).collect::<Vec<_>>(), [3, 6, 9]);
    assert_eq!(
        read.reasons(),
        [(4, Reason::InvalidNumber), (5, Reason::InvalidNumber), (10, Reason::InvalidNumber)]
    );
    assert!(read.refused[0].hint.contains("as text"));
    assert_eq!((read.report.encoding.as_str(), read.report.header_row), ("xlsx", Some(2)));
}

#[test]
fn files_that_are_no_lists_are_refused_in_words() {
    for (name, bytes, words) in [
        ("list.csv", b"".as_slice(), "empty"),
        ("list.csv", b"\n\n \n", "empty"),
        ("list.csv", "手机,姓名\n".as_bytes(), "empty"),
        ("list.csv", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", ".xls"),
        ("list.csv", b"%PDF-1.7\n", "PDF"),
        ("list.csv", b"PK\x03\x04\x14\0", "ZIP"),
        ("list.csv", &[0u8; 4096], "binary"),
        ("list.xls.csv", b"<html><table><tr><td>15412340001</td></tr></table></html>", "web page"),
        ("list.xlsx", b"phone\n15412340001\n", "name it .csv"),
        ("list.xlsx", b"PK\x03\x04 and then nothing", "cannot be read"),
        ("list.csv", b"a,b\n1,2\n", "no column holds phone numbers"),
    ] {
        let said = refusal(name, bytes);
        assert!(said.contains(words) && said.contains(name), "{said}");
    }
    let wide = format!("phone{}\n", ",".repeat(5_000));
    assert!(refusal("list.csv", wide.as_bytes()).contains("columns"));
}

#[test]
fn service_numbers_never_become_leads() {
    let read =
        read("phone\n110\n15412340001\n+86110\n010-110\n95588\n10086\n12345\n１２０\n0755-119\n".as_bytes());
    assert_eq!(read.numbers(), ["15412340001"]);
    assert_eq!(read.report.refused.get("emergency_number"), Some(&8));
}

#[test]
fn the_fix_file_holds_each_refused_row_with_formulas_escaped() {
    let dir = TempDir::new().expect("a temporary directory");
    let spec = spec(
        &dir,
        "list.csv",
        "name,phone\n=cmd|' /C calc'!A0,1.54E+10\n\"王,芳\",+86110\nok,15412340001\n@x,15412340001\n"
            .as_bytes(),
    );
    let out = dir.path().join("results");
    let report = check(&spec, &mut std::iter::empty(), &out).expect("checked");
    let fix = std::fs::read_to_string(out.join("fix.csv")).expect("fix.csv");
    let body = fix.strip_prefix('\u{FEFF}').expect("a byte order mark");
    let mut reader = csv::Reader::from_reader(body.as_bytes());
    assert_eq!(reader.headers().expect("a header"), vec!["row", "reason", "hint", "name", "phone"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[0][0], &rows[0][1], &rows[0][3]), ("2", "invalid_number", "'=cmd|' /C calc'!A0"));
    assert_eq!((&rows[1][1], &rows[1][3], &rows[1][4]), ("emergency_number", "王,芳", "'+86110"));
    assert_eq!((&rows[2][0], &rows[2][1]), ("5", "duplicate"));
    let saved: ListReport =
        serde_json::from_slice(&std::fs::read(out.join("list-report.json")).expect("a report"))
            .expect("JSON");
    assert_eq!(saved, report);
    assert!(!Path::new(&out.join("fix.csv.part")).exists());
}

#[test]
fn a_failing_sink_ends_the_import() {
    let dir = TempDir::new().expect("a temporary directory");
    let mut text = String::from("phone\n");
    for row in 0..20_000 {
        text.push_str(&format!("154{row:08}\n"));
    }
    let spec = spec(&dir, "list.csv", text.as_bytes());
    let mut batches = 0;
    let ended = import(&spec, &mut std::iter::empty(), &mut |_| {
        batches += 1;
        if batches == 2 { Err("disk full") } else { Ok(()) }
    });
    assert!(matches!(ended, Err(ImportError::Sink("disk full"))));
    assert_eq!(batches, 2);
}
