//! Lists as workbooks: sheets, merged cells, hidden rows, formats. Tests the lists.

use super::*;
use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet};

/// A workbook of sheets with text cells.
pub fn book<'a, const N: usize>(sheets: &[(&str, &'a [[&'a str; N]])]) -> Vec<u8> {
    let mut book = Workbook::new();
    for (name, rows) in sheets {
        fill(book.add_worksheet().set_name(*name).expect("a name"), 0, rows);
    }
    book.save_to_buffer().expect("a workbook")
}

fn fill<const N: usize>(sheet: &mut Worksheet, first: u32, rows: &[[&str; N]]) {
    for (row, cells) in (first..).zip(rows) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(row, column, *cell).expect("a cell");
        }
    }
}

fn made(build: impl FnOnce(&mut Workbook)) -> Folder {
    let mut book = Workbook::new();
    build(&mut book);
    Folder::workbook(book.save_to_buffer().expect("a workbook"))
}

const HEADER: [&str; 3] = ["姓名", "手机", "房号"];

/// Households of the leads, by number.
fn households(leads: &[Row]) -> BTreeMap<String, String> {
    let taken = leads.iter().filter(|row| !row["phone"].is_empty());
    taken.map(|row| (digits(&row["phone"]).to_owned(), row["household"].clone())).collect()
}

#[test]
fn every_sheet_with_a_phone_column_is_read() {
    Folder::of("04-xlsx-one-sheet-per-building").check().ended(DONE).counts(15, 15);
}

#[test]
fn a_sheet_is_chosen_by_name() {
    let names = {
        let file = sources().join("data/04-xlsx-one-sheet-per-building/list.xlsx");
        let book = calamine::open_workbook_auto(file).expect("a workbook");
        calamine::Reader::sheet_names(&book)
    };
    let one = Folder::of("04-xlsx-one-sheet-per-building").set("list", &format!("sheet = {:?}", names[0]));
    let checked = one.check().ended(DONE);
    checked.counts(5, 5);
    let none = Folder::of("04-xlsx-one-sheet-per-building").set("list", "sheet = \"no such\"");
    let checked = none.check().ended(REFUSED);
    checked.says(&["no such", &names[0], &names[1]]);
}

#[test]
fn a_sheet_of_instructions_is_passed_over_and_named() {
    let checked = Folder::of("05-xlsx-instructions-sheet-first").check().ended(DONE);
    checked.counts(3, 3);
    let file = sources().join("data/05-xlsx-instructions-sheet-first/list.xlsx");
    let book = calamine::open_workbook_auto(file).expect("a workbook");
    checked.says(&[&calamine::Reader::sheet_names(&book)[0]]);
}

#[test]
fn a_merged_room_cell_stands_for_all_its_rows() {
    let (folder, leads) = Folder::of("06-xlsx-merged-room-cells").taken_in();
    let checked = folder.check().ended(DONE);
    checked.counts(5, 5);
    assert_eq!(checked.report["households"], 2);
    let of_rows: Vec<&str> = leads.iter().map(|row| row["household"].as_str()).collect();
    assert!(of_rows[..3].iter().all(|it| *it == of_rows[0] && it.contains("1-101")), "{of_rows:?}");
    assert!(of_rows[3..].iter().all(|it| *it == of_rows[3] && it.contains("1-102")), "{of_rows:?}");
}

#[test]
fn merged_building_and_unit_cells_are_filled_down() {
    let folder = made(|book| {
        let sheet = book.add_worksheet();
        fill(sheet, 0, &[["楼栋", "单元", "室", "手机"]]);
        for (row, (room, phone)) in (1..).zip([
            ("101", "15400700101"),
            ("101", "15400700102"),
            ("102", "15400700103"),
            ("101", "15400700104"),
        ]) {
            sheet.write_string(row, 2, room).expect("a cell");
            sheet.write_string(row, 3, phone).expect("a cell");
        }
        let plain = Format::new();
        sheet.merge_range(1, 0, 4, 0, "3栋", &plain).expect("merged");
        sheet.merge_range(1, 1, 3, 1, "1单元", &plain).expect("merged");
        sheet.write_string(4, 1, "2单元").expect("a cell");
    });
    let (_folder, leads) = folder.taken_in();
    let of = households(&leads);
    assert_eq!(of.len(), 4, "{leads:?}");
    assert_eq!(of["15400700101"], of["15400700102"], "one flat: {of:?}");
    let different: std::collections::BTreeSet<&String> = of.values().collect();
    assert_eq!(different.len(), 3, "{of:?}");
    assert!(of.values().all(|it| it.contains("3栋")), "{of:?}");
}

#[test]
fn a_title_over_the_header_is_no_header() {
    let folder = made(|book| {
        let sheet = book.add_worksheet();
        sheet.merge_range(0, 0, 0, 2, "翠园小区业主名册 2026", &Format::new()).expect("merged");
        fill(sheet, 2, &[HEADER, ["甲", "15400700201", "1-101"], ["乙", "15400700202", "1-102"]]);
    });
    let checked = folder.check().ended(DONE);
    checked.counts(2, 2);
    assert_eq!(checked.report["header_row"], 3, "{}", checked.ended.all());
}

#[test]
fn a_title_merged_across_gives_the_rows_no_household() {
    let folder = made(|book| {
        let sheet = book.add_worksheet();
        fill(sheet, 0, &[HEADER, ["甲", "15400700211", "1-101"], ["乙", "15400700212", "1-102"]]);
        sheet.merge_range(3, 0, 3, 2, "以下为二期", &Format::new()).expect("merged");
        fill(sheet, 4, &[["丙", "15400700213", "2-101"]]);
    });
    let (folder, leads) = folder.taken_in();
    assert_eq!(households(&leads).len(), 3, "{leads:?}");
    let checked = folder.check().ended(DONE);
    assert_eq!(checked.report["leads"], 3, "{}", checked.ended.all());
    assert_eq!(checked.report["households"], 3);
}

#[test]
fn a_hidden_sheet_is_left_out_and_named() {
    let folder = made(|book| {
        for (name, number) in
            [("一号楼", "15400700301"), ("二号楼", "15400700302"), ("旧名单", "15400700303")]
        {
            let sheet = book.add_worksheet().set_name(name).expect("a name");
            fill(sheet, 0, &[HEADER, ["甲", number, "1-101"]]);
            sheet.set_hidden(name == "旧名单");
        }
        let notes = book.add_worksheet().set_name("说明").expect("a name");
        fill(notes, 0, &[["手机号必须为11位", "如有疑问请联系管理员"]]);
    });
    let checked = folder.check().ended(DONE);
    checked.counts(2, 2);
    checked.says(&["旧名单", "说明"]);
}

#[test]
fn hidden_and_filtered_rows_are_left_out_and_counted() {
    let folder = made(|book| {
        let sheet = book.add_worksheet();
        fill(
            sheet,
            0,
            &[
                HEADER,
                ["甲", "15400700401", "已付"],
                ["乙", "15400700402", "未付"],
                ["丙", "15400700403", "未付"],
                ["丁", "15400700404", "已付"],
            ],
        );
        sheet.autofilter(0, 0, 4, 2).expect("a filter");
        sheet
            .filter_column(2, &rust_xlsxwriter::FilterCondition::new().add_list_filter("未付"))
            .expect("a filter");
        for row in [1, 4] {
            sheet.set_row_hidden(row).expect("hidden");
        }
    });
    let (folder, leads) = folder.taken_in();
    let numbers: Vec<&str> = leads.iter().map(|row| digits(&row["phone"])).collect();
    assert_eq!(numbers, ["15400700402", "15400700403"]);
    let checked = folder.check().ended(DONE);
    let words = format!("{}{}", checked.ended.text(), checked.report);
    assert!(["hidden", "filter"].iter().any(|it| words.contains(it)), "not a word of it: {words}");
}

#[test]
fn dates_and_numbers_are_read_by_their_format() {
    let folder = made(|book| {
        let sheet = book.add_worksheet();
        fill(sheet, 0, &[["手机", "入住日期", "面积", "证件"]]);
        let date = Format::new().set_num_format("yyyy-mm-dd");
        for (row, number) in (1..).zip([15_400_700_501_f64, 15_400_700_502.0]) {
            sheet.write_number(row, 0, number).expect("a cell");
            sheet.write_number_with_format(row, 1, 46_355.0, &date).expect("a cell");
            sheet.write_number(row, 2, 89.5).expect("a cell");
            sheet.write_string(row, 3, "0012345678").expect("a cell");
        }
    });
    let (_folder, leads) = folder.taken_in();
    assert_eq!(digits(&leads[0]["phone"]), "15400700501");
    assert!(leads[0]["list.入住日期"].contains("2026-11-29"), "{leads:?}");
    assert_eq!(leads[0]["list.面积"], "89.5");
    assert!(leads[0]["list.证件"].contains("0012345678"), "{leads:?}");
}

#[test]
fn a_formula_gives_its_last_value() {
    let folder = made(|book| {
        let sheet = book.add_worksheet();
        fill(sheet, 0, &[["手机", "前缀", "后缀"], ["", "154007", "00601"]]);
        let joined = Formula::new("=B2&C2").set_result("15400700601");
        sheet.write_formula(1, 0, joined).expect("a cell");
    });
    folder.check().ended(DONE).counts(1, 1);
}

#[test]
fn a_broken_sheet_refuses_only_itself() {
    let first = [HEADER, ["甲", "15400700701", "1-101"]];
    let second = [HEADER, ["乙", "15400700702", "2-101"]];
    let folder = Folder::workbook(book(&[("一号楼", &first), ("二号楼", &second)]));
    // The second sheet's XML ends in the middle.
    let cut = "import zipfile,sys\n\
               a=zipfile.ZipFile('list.xlsx'); b=zipfile.ZipFile('new.xlsx','w',zipfile.ZIP_DEFLATED)\n\
               for n in a.namelist():\n d=a.read(n); b.writestr(n, d[:len(d)//2] if n.endswith('sheet2.xml') else d)\n\
               b.close()\n";
    let python =
        std::process::Command::new("python3").args(["-c", cut]).current_dir(folder.path("")).status();
    assert!(python.expect("python3").success());
    std::fs::rename(folder.path("new.xlsx"), folder.path("list.xlsx")).expect("renamed");
    let checked = folder.check();
    checked.ended.says(&["二号楼"]);
    assert!(checked.report["leads"] == 1 || checked.ended.code == REFUSED, "{}", checked.ended.all());
}

#[test]
fn every_sheet_of_a_blacklist_protects() {
    let first = [["手机", "原因"], ["15400700801", "投诉"]];
    let second = [["手机", "原因"], ["15400700802", "投诉"]];
    let folder = Folder::new(phones(["15400700801", "15400700802", "15400700803"]))
        .write("black.xlsx", book(&[("2025", &first), ("2026", &second)]))
        .set("list", "blacklists = [\"black.xlsx\"]");
    let checked = folder.check();
    let is_named = checked.ended.code == REFUSED && checked.ended.text().contains("2026");
    assert!(checked.refused("blacklisted") == 2 || is_named, "{}", checked.ended.all());
}
