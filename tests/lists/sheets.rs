//! Workbooks as people make them: a sheet for each building, instructions in front, merged rooms, hidden rows,
//! formats that show zeros, a damaged sheet.

use super::files::{Read, read_spec};
use paceline::lists::ListSpec;
use rust_xlsxwriter::{Format, Workbook, Worksheet};
use std::path::PathBuf;
use tempfile::TempDir;

fn fill(page: &mut Worksheet, rows: &[&[&str]]) {
    for (row, cells) in rows.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            page.write(row as u32, column as u16, *cell).expect("a cell");
        }
    }
}

fn sheet<'a>(book: &'a mut Workbook, name: &str, rows: &[&[&str]]) -> &'a mut Worksheet {
    let page = book.add_worksheet();
    page.set_name(name).expect("a name");
    fill(page, rows);
    page
}

fn save(dir: &TempDir, mut book: Workbook) -> ListSpec {
    let file = dir.path().join("list.xlsx");
    book.save(&file).expect("saved");
    ListSpec { file, region: "CN".into(), ..ListSpec::default() }
}

fn read(book: Workbook) -> Read {
    let dir = TempDir::new().expect("a temporary directory");
    read_spec(&save(&dir, book), &[]).expect("a list")
}

fn case(name: &str) -> PathBuf {
    PathBuf::from("tests/fixtures/lists").join(name)
}

fn read_case(name: &str) -> Read {
    read_spec(&ListSpec { file: case(name), region: "CN".into(), ..ListSpec::default() }, &[])
        .expect("a list")
}

fn households(read: &Read) -> Vec<&str> {
    read.leads.iter().map(|lead| lead.household.as_deref().unwrap_or("")).collect()
}

#[test]
fn every_sheet_with_a_phone_column_is_read() {
    let read = read_case("one-sheet-per-building.xlsx");
    assert_eq!((read.report.leads, read.report.sheets.len()), (15, 3));
    assert_eq!(read.report.sheets.iter().map(|sheet| sheet.leads).collect::<Vec<_>>(), [5, 4, 6]);
    assert!(read.report.unread_sheets.is_empty());
    assert_eq!(read.leads[5].row, 2, "rows are those of their sheet");
    assert_eq!(read.leads[5].cells.last().map(String::as_str), Some("2栋"));
}

#[test]
fn one_room_number_in_two_buildings_is_two_households() {
    let mut book = Workbook::new();
    for (name, digit) in [("A座", 1), ("B座", 2)] {
        let phone = format!("1540001000{digit}");
        sheet(&mut book, name, &[&["姓名", "手机", "房号"], &["甲", &phone, "101"]]);
    }
    assert_eq!(households(&read(book)), ["A座-101", "B座-101"]);
    let mut book = Workbook::new();
    for (name, digit) in [("Sheet1", 1), ("Sheet2", 2)] {
        let phone = format!("1540001000{digit}");
        sheet(&mut book, name, &[&["姓名", "手机", "房号"], &["甲", &phone, "1-101"]]);
    }
    assert_eq!(households(&read(book)), ["1-101", "1-101"], "a program's name is no building");
}

#[test]
fn sheets_that_are_not_read_are_named_with_their_reason() {
    let read = read_case("instructions-first.xlsx");
    assert_eq!((read.report.leads, read.report.sheet.as_str()), (3, "名单"));
    let unread: Vec<_> = read.report.unread_sheets.iter().map(|sheet| sheet.name.as_str()).collect();
    assert_eq!(unread, ["填写说明"]);

    let mut book = Workbook::new();
    sheet(&mut book, "old", &[&["phone"], &["15400010001"]]).set_hidden(true);
    sheet(&mut book, "list", &[&["phone"], &["15400010002"]]).set_active(true);
    sheet(&mut book, "sums", &[&["month", "calls"], &["May", "12"]]);
    sheet(&mut book, "blank", &[]);
    sheet(&mut book, "head", &[&["phone", "name"]]);
    let dir = TempDir::new().expect("a temporary directory");
    let mut spec = save(&dir, book);
    let read = read_spec(&spec, &[]).expect("a list");
    assert_eq!(read.numbers(), ["15400010002"]);
    let unread: Vec<_> =
        read.report.unread_sheets.iter().map(|s| (s.name.as_str(), s.reason.as_str())).collect();
    let reason = |name: &str| unread.iter().find(|(sheet, _)| *sheet == name).expect(name).1;
    assert!(reason("old").contains("hidden") && reason("blank").contains("empty"), "{unread:?}");
    assert!(reason("sums").contains("no column") && reason("head").contains("header"), "{unread:?}");

    spec.sheets = vec!["old".into()];
    assert_eq!(read_spec(&spec, &[]).expect("a hidden sheet that is named").numbers(), ["15400010001"]);
    spec.sheets = vec!["lists".into()];
    let error = read_spec(&spec, &[]).err().expect("no such sheet").to_string();
    assert!(error.contains("'lists'") && error.contains("sums"), "{error}");
}

#[test]
fn merged_cells_are_filled_down_and_right() {
    let read = read_case("merged-rooms.xlsx");
    assert_eq!(households(&read), ["1-101", "1-101", "1-101", "1-102", "1-102"]);
    assert_eq!(read.report.sheets[0].merged_regions, 2);

    let mut book = Workbook::new();
    let plain = Format::new();
    let page = sheet(&mut book, "S", &[&["业主电话表"], &["楼栋", "房号", "姓名", "手机"]]);
    page.merge_range(0, 0, 0, 3, "业主电话表", &plain).expect("a title");
    page.merge_range(2, 0, 5, 0, "3栋", &plain).expect("a building");
    page.merge_range(2, 1, 3, 1, "101", &plain).expect("a room");
    page.merge_range(4, 1, 5, 1, "102", &plain).expect("a room");
    for row in 2..6u32 {
        page.write(row, 2, "甲").and_then(|p| p.write(row, 3, format!("1540005000{row}"))).expect("cells");
    }
    let read = self::read(book);
    assert_eq!(households(&read), ["3栋-101", "3栋-101", "3栋-102", "3栋-102"]);
    assert_eq!((read.report.header_row, read.report.rows_read), (Some(2), 4));
}

#[test]
fn hidden_and_filtered_rows_are_left_out_and_counted() {
    let mut book = Workbook::new();
    let page = sheet(&mut book, "S", &[&["phone"], &["15400010001"], &["15400010002"], &["15400010003"]]);
    page.set_row_hidden(2).expect("hidden");
    let read = read(book);
    assert_eq!(read.numbers(), ["15400010001", "15400010003"]);
    assert_eq!(read.report.sheets[0].hidden_rows, 1);
    assert!(read.report.warnings.iter().any(|warning| warning.what.contains("hidden")));
}

#[test]
fn numbers_and_dates_are_read_as_their_format_shows_them() {
    let mut book = Workbook::new();
    let page = sheet(&mut book, "S", &[&["电话", "签约日期", "编号"]]);
    let zeros = Format::new().set_num_format("000000000000");
    let date = Format::new().set_num_format("yyyy-mm-dd");
    page.write_with_format(1, 0, 75_512_345_678.0, &zeros).expect("a landline as a number");
    page.write_with_format(1, 1, 46_000.0, &date).expect("a date");
    page.write(1, 2, "007").expect("text");
    page.write(2, 0, 15_400_010_001.0).and_then(|p| p.write(2, 1, 46_000.0)).expect("cells");
    let read = read(book);
    assert_eq!(read.numbers(), ["075512345678", "15400010001"]);
    assert_eq!(read.leads[0].cells, ["075512345678", "2025-12-09", "007"]);
    assert_eq!(read.leads[1].cells[1], "46000");
}

/// A sheet whose XML ends early is left out as a whole; the others are read.
#[test]
fn a_damaged_sheet_is_refused_alone() {
    let mut book = Workbook::new();
    sheet(&mut book, "good", &[&["phone"], &["15400010001"]]);
    sheet(&mut book, "bad", &[&["phone"], &["15400010002"]]);
    let dir = TempDir::new().expect("a temporary directory");
    let spec = save(&dir, book);
    let bytes = std::fs::read(&spec.file).expect("a workbook");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("an archive");
    let mut out = zip::ZipWriter::new(std::fs::File::create(&spec.file).expect("a file"));
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).expect("a part");
        let name = part.name().expect("a name").into_owned();
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut part, &mut text).expect("read");
        if name.ends_with("sheet2.xml") {
            text.truncate(text.len() * 2 / 3);
        }
        out.start_file(name, zip::write::SimpleFileOptions::default()).expect("a part");
        std::io::Write::write_all(&mut out, &text).expect("written");
    }
    out.finish().expect("an archive");
    let read = read_spec(&spec, &[]).expect("the good sheet");
    assert_eq!(read.numbers(), ["15400010001"]);
    assert_eq!(read.report.unread_sheets[0].name, "bad");
    assert!(read.report.unread_sheets[0].reason.contains("damaged"));
}

#[test]
fn one_number_in_two_sheets_names_the_sheet_of_the_first() {
    let mut book = Workbook::new();
    sheet(&mut book, "A", &[&["phone"], &["15400010001"], &["15400010002"]]);
    sheet(&mut book, "B", &[&["phone", "note"], &["15400010003"], &["15400010002", "again"]]);
    let read = read(book);
    assert!(read.refused[0].hint.contains("row 3 of sheet 'A'"), "{}", read.refused[0].hint);
    assert_eq!(read.refused[0].cells, ["15400010002", "again", "B"]);
}
