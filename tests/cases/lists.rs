//! Lists as CSV files: columns, joined numbers, blacklists, lists that grow, results for a spreadsheet.
//! Tests the lists, the results and `paceline list add`.

use super::*;
use calamine::{Data, Reader};

#[test]
fn contacts_exported_from_google_are_read_with_all_their_numbers() {
    let checked = Folder::of("08-google-contacts-csv").check().ended(DONE);
    checked.counts(3, 5);
    assert_eq!(checked.columns("phone"), ["Phone 1 - Value", "Phone 2 - Value"]);
    assert!(checked.columns("name").contains(&"Name"), "{}", checked.ended.all());
    assert!(checked.fix.is_empty(), "{:?}", checked.fix);
}

#[test]
fn a_hint_speaks_of_the_cell_that_holds_the_number() {
    let folder = Folder::of("08-google-contacts-csv").edit("list.csv", "15400070004", "1540007");
    let checked = folder.check().ended(DONE);
    checked.counts(2, 4);
    let row = &checked.fix[0];
    assert_eq!((row["row"].as_str(), row["reason"].as_str()), ("4", "invalid_number"), "{row:?}");
    for wrong in ["'M'", "'b'", "'H'", "'h'", "Mobile", "Home"] {
        assert!(!row["hint"].contains(wrong), "the hint speaks of another cell: {row:?}");
    }
}

#[test]
fn the_columns_of_vicidial_are_read_as_they_are() {
    let checked = Folder::of("09-vicidial-list-export").check().ended(DONE);
    checked.counts(5, 8);
    assert_eq!(checked.columns("phone"), ["phone_number", "alt_phone"]);
    // The numbers are unassigned, which is a warning of its own.
    let warnings = checked.report["warnings"].as_array().expect("warnings").iter();
    let of_columns = warnings.filter(|it| !it["what"].to_string().contains("number plan")).count();
    assert_eq!(of_columns, 0, "{}", checked.ended.all());
    let (_folder, leads) = Folder::of("09-vicidial-list-export").taken_in();
    let name = &leads[0]["name"];
    assert!(name.contains("First1") && name.contains("Last1"), "{leads:?}");
}

#[test]
fn contacts_exported_from_outlook_are_read_with_all_their_numbers() {
    let list = "\"First Name\",\"Last Name\",\"Company\",\"Business Phone\",\"Home Phone\",\"Mobile Phone\",\"Other Fax\",\
                \"E-mail Address\",\"Priority\"\n\
                Wei,Zhang,A,0755-12345671,,15400070001,,a@example.com,Normal\n\
                Li,Wang,B,,0755-12345672,15400070002,,b@example.com,Normal\n\
                Na,Chen,,,,15400070003,,,Low\n";
    let (folder, leads) = Folder::new(list).taken_in();
    folder.check().ended(DONE).counts(3, 5);
    assert!(
        leads.iter().any(|row| row["name"].contains("Wei") && row["name"].contains("Zhang")),
        "{leads:?}"
    );
}

#[test]
fn contacts_of_a_vcard_converter_are_read() {
    let list = "FN,TEL;TYPE=CELL,TEL;TYPE=HOME,TEL;TYPE=CELL;PREF,EMAIL\n\
                张伟,15400070001,,,a@example.com\n李娜,,0755-12345671,,\n王芳,,,+86 154 0007 0003,\n";
    Folder::new(list).check().ended(DONE).counts(3, 3);
}

#[test]
fn a_column_with_a_phone_word_and_other_values_is_no_phone_column() {
    let list = "姓名,联系电话,电话类型,电话费用,电话号码备注\n张伟,15400070001,手机,120.5,下午打\n\
                李娜,0755-12345671,座机,80,\n王芳,15400070003,手机,96.25,孙子接\n";
    let checked = Folder::new(list).check().ended(DONE);
    checked.counts(3, 3);
    assert_eq!(checked.columns("phone"), ["联系电话"]);
}

#[test]
fn a_column_without_a_phone_word_is_found_by_its_numbers() {
    let list = "业主,联系,面积\n张伟,15400070001,89\n李娜,15400070002,120\n王芳,15400070003,75\n";
    Folder::new(list).check().ended(DONE).counts(3, 3);
}

#[test]
fn several_numbers_in_one_cell_are_read_with_any_usual_joiner() {
    let joiners = [" ::: ", "/", " / ", "、", ";", "；", ",", "，", "\n", " 或 ", "|", " or ", " & "];
    let mut list = "name,phone\n".to_owned();
    for (n, joiner) in joiners.iter().enumerate() {
        list += &format!("a{n},\"154000701{n:02}{joiner}154000702{n:02}\"\n");
    }
    let checked = Folder::new(list).check().ended(DONE);
    let count = joiners.len() as u64;
    checked.counts(count, 2 * count);
}

#[test]
fn an_extension_never_becomes_a_part_of_the_number() {
    let list =
        "name,phone\na,0755-12345671 转 801\nb,0755-12345672 ext. 802\nc,0755-12345673x803\nd,15400070001\n";
    let (folder, leads) = Folder::new(list).taken_in();
    for row in &leads {
        let number = digits(&row["phone"]);
        assert!(number.len() <= 12, "{number} in {leads:?}");
    }
    let checked = folder.check().ended(DONE);
    let words = format!("{}{:?}", checked.ended.text(), checked.fix);
    assert!(
        ["extension", "ext", "转", "分机"].iter().any(|it| words.contains(it)),
        "not a word of it: {words}"
    );
    assert_eq!(checked.report["rows_read"], 4);
}

// Blacklists.

/// `0755%` may be read as a pattern or stop the check; it is never passed over.
#[test]
fn prefixes_of_a_blacklist_protect_or_stop_the_run() {
    let checked = Folder::of("18-blacklist-wildcards").check().ended(REFUSED);
    let text = checked.ended.text();
    let is_named = text.contains("black.csv") && text.contains("0755%") && text.contains('3');
    assert!(checked.refused("blacklisted") == 5 || is_named, "{text}");
}

const BLACK_LIST: &str = "phone,name\n15400140001,a\n15400140002,b\n075512345601,c\n+86 755 1234 5602,d\n\
                          15400149999,e\n15400150001,f\n021-12345603,g\n";

fn with_blacklist(rows: &str) -> Folder {
    Folder::new(BLACK_LIST).write("black.csv", rows).set("list", "blacklists = [\"black.csv\"]")
}

#[test]
fn patterns_of_a_blacklist_protect_in_any_spelling() {
    let area = with_blacklist("phone,reason\n0755*,area\n").check().ended(DONE);
    assert_eq!((area.refused("blacklisted"), area.report["leads"].as_u64()), (2, Some(5)));
    let block = with_blacklist("phone,reason\n+86 154-0014 *,block\n15400149999,one\n").check().ended(DONE);
    assert_eq!((block.refused("blacklisted"), block.report["leads"].as_u64()), (3, Some(4)));
    let more = with_blacklist("1540014000*\n(0755) *\n+86 21 *\n").check().ended(DONE);
    assert_eq!((more.refused("blacklisted"), more.report["leads"].as_u64()), (5, Some(2)), "no header");
}

#[test]
fn a_blacklist_row_that_is_not_understood_stops_check_and_run() {
    let folder = with_blacklist("号码,原因\n15400149999,投诉\n张三的号码,不要打\n");
    let checked = folder.check().ended(REFUSED);
    checked.says(&["black.csv", "3", "张三的号码"]);
    let carrier = folder.carrier(&["--all", "0"]);
    let played = carrier.run().ended(REFUSED);
    played.ended.says(&["black.csv", "张三的号码"]);
    assert_eq!(carrier.dialled(), [""; 0]);
}

#[test]
fn a_blacklist_row_that_is_not_understood_is_passed_over_only_when_the_campaign_says_so() {
    let rows = "号码,原因\n15400149999,投诉\n张三的号码,不要打\n";
    let folder = with_blacklist(rows).set("list", "blacklist_rows = \"skip\"");
    let checked = folder.check().ended(DONE);
    checked.counts(6, 6);
    checked.says(&["black.csv", "warning"]);
    let carrier = folder.carrier(&["--all", "0"]);
    carrier.run().ended(DONE);
    assert_eq!(carrier.dialled().len(), 6);
    let odd = with_blacklist(rows).set("list", "blacklist_rows = \"ignore\"").check().ended(REFUSED);
    odd.says(&["ignore", "skip"]);
}

// A list is known by its rows.

#[test]
fn a_list_that_has_grown_is_dialled_on_and_no_number_twice() {
    let carrier = Folder::of("61-append-and-run-again").carrier(&[]);
    carrier.run().ended(DONE);
    let mut first = carrier.dialled();
    first.sort();
    assert_eq!(first, ["15400610000", "15400610023", "15400610029"]);
    std::fs::copy(carrier.folder.path("list-2.csv"), carrier.folder.path("list.csv")).expect("copied");
    let played = carrier.run().ended(DONE);
    let mut second = carrier.dialled().split_off(3);
    second.sort();
    assert_eq!(second, ["15400610100", "15400610200", "15400610329"]);
    played.lead_has("15400610000", &[("state", "done"), ("attempts", "1")]);
    played.ended.says_one_of(&["3 new", "new: 3", "3 added", "added 3", "3 rows are new", "3 rows added"]);
}

const OWNERS: &str = "phone,name,room\n15400620100,甲,1\n15400620200,乙,2\n15400620300,丙,3\n";

/// Dials OWNERS, then the folder as `change` leaves it; what the second run dialled.
#[track_caller]
fn dialled_again(change: impl FnOnce(&Folder)) -> (Vec<String>, Played) {
    let carrier = Folder::new(OWNERS).carrier(&["--all", "0"]);
    carrier.run().ended(DONE);
    assert_eq!(carrier.dialled().len(), 3);
    change(&carrier.folder);
    let played = carrier.run().ended(DONE);
    (carrier.dialled().split_off(3), played)
}

fn put(folder: &Folder, name: &str, bytes: impl AsRef<[u8]>) {
    std::fs::write(folder.path(name), bytes).expect("written");
}

#[test]
fn the_same_rows_saved_by_a_spreadsheet_are_the_same_list() {
    let text =
        "\u{FEFF}room;name;phone\r\n3;丙;15400620300\r\n1;甲;154-0062-0100\r\n2;乙;+86 154 0062 0200\r\n";
    let (dialled, played) = dialled_again(|folder| put(folder, "list.csv", text));
    assert_eq!(dialled, [""; 0], "columns, order, spelling and separator changed");
    assert_eq!(played.leads.len(), 3, "{}", played.shown());
    let (gbk, _, _) = encoding_rs::GBK.encode(OWNERS);
    let (dialled, _) = dialled_again(|folder| put(folder, "list.csv", &gbk));
    assert_eq!(dialled, [""; 0], "the encoding changed");
}

#[test]
fn the_same_rows_as_a_workbook_are_the_same_list() {
    let rows = [
        ["姓名", "手机", "房号"],
        ["甲", "15400620100", "1"],
        ["乙", "15400620200", "2"],
        ["丙", "15400620300", "3"],
    ];
    let book = workbooks::book(&[("Sheet1", &rows)]);
    let (dialled, _) = dialled_again(|folder| {
        put(folder, "list.xlsx", book);
        let text = std::fs::read_to_string(folder.path("campaign.toml")).expect("a text");
        put(folder, "campaign.toml", text.replace("list.csv", "list.xlsx"));
    });
    assert_eq!(dialled, [""; 0]);
}

#[test]
fn a_row_that_is_gone_is_listed_and_its_lead_stays() {
    let (dialled, played) = dialled_again(|folder| {
        put(folder, "list.csv", OWNERS.replace("15400620200,乙,2\n", "15400620400,丁,4\n"))
    });
    assert_eq!(dialled, ["15400620400"]);
    played.lead_has("15400620200", &[("state", "done")]);
    played.ended.says_one_of(&[
        "1 gone",
        "gone: 1",
        "1 row is gone",
        "1 rows gone",
        "no longer",
        "not in the list any more",
    ]);
}

#[test]
fn rows_are_added_by_the_command() {
    let carrier = Folder::new(OWNERS).carrier(&["--all", "0"]);
    carrier.run().ended(DONE);
    put(&carrier.folder, "more.csv", "phone,name\n15400620200,乙\n15400620500,戊\n");
    let added =
        carrier.folder.program(&["list", "add", "campaign.toml", "more.csv", "--config", "paceline.toml"]);
    assert_eq!(added.code, DONE, "{}", added.all());
    carrier.run().ended(DONE);
    assert_eq!(carrier.dialled().split_off(3), ["15400620500"]);
}

// Results.

#[test]
fn digits_that_a_spreadsheet_would_change_are_written_so_that_they_stay() {
    let carrier = Folder::of("69-results-in-a-spreadsheet").carrier(&[]);
    carrier.run_for(20);
    for name in ["attempts.csv", "leads.csv"] {
        let rows = rows(&carrier.folder.path("results").join(name));
        assert!(!rows.is_empty(), "{name}");
        for row in &rows {
            for (column, cell) in row {
                let is_digits = !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit());
                let changes = is_digits && (cell.len() > 11 || cell.len() > 1 && cell.starts_with('0'));
                assert!(!changes, "{name}: {column} = {cell} is bare digits");
            }
        }
    }
    let leads = rows(&carrier.folder.path("results/leads.csv"));
    let number = leads.iter().find(|row| digits(&row["list.编号"]) == "990000199003070022");
    assert!(number.is_some(), "the digits are all there: {leads:?}");
}

#[test]
fn times_in_a_workbook_are_dates() {
    let carrier = Folder::of("69-results-in-a-spreadsheet").carrier(&["--all", "0"]);
    carrier.run().ended(DONE);
    let out =
        ["export", "campaign.toml", "--config", "paceline.toml", "--format", "xlsx", "--out", "out.xlsx"];
    let exported = carrier.folder.program(&out);
    assert_eq!(exported.code, DONE, "{}", exported.all());
    let file = ["out.xlsx", "out.xlsx/attempts.xlsx"].map(|name| carrier.folder.path(name));
    let file = file.iter().find(|file| file.is_file()).expect("a workbook");
    let mut book = calamine::open_workbook_auto(file).expect("a workbook");
    let mut seen = 0;
    for (sheet, range) in book.worksheets() {
        let header: Vec<String> =
            range.rows().next().into_iter().flatten().map(ToString::to_string).collect();
        for (n, column) in header.iter().enumerate().filter(|(_, it)| it.ends_with("_at")) {
            for cell in range.rows().skip(1).map(|row| &row[n]).filter(|cell| **cell != Data::Empty) {
                if cell.to_string().is_empty() {
                    continue;
                }
                assert!(matches!(cell, Data::DateTime(_)), "{sheet}: {column} is {cell:?}");
                seen += 1;
            }
        }
        if let Some(n) = header.iter().position(|it| it == "phone") {
            for row in range.rows().skip(1) {
                assert!(
                    matches!(row[n], Data::String(_) | Data::Empty),
                    "{sheet}: a phone number stays text: {:?}",
                    row[n]
                );
            }
        }
    }
    assert!(seen >= 6, "{seen} times");
}

/// A result file that was opened and sent back is a list again.
#[test]
fn a_result_file_is_a_list_again() {
    let list = "手机,房号\n15400630100,0101\n0755-12345600,0102\n+44 20 7946 0900,0103\n";
    let (folder, leads) = Folder::new(list).taken_in();
    assert_eq!(leads.len(), 3);
    let again = Folder::new(std::fs::read(folder.path("results/leads.csv")).expect("results"));
    let again = again.set("list", "phones = [\"phone\"]");
    let (_again, leads) = again.taken_in();
    let mut numbers: Vec<&str> = leads.iter().map(|row| digits(&row["phone"])).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["00442079460900", "075512345600", "15400630100"]);
}

#[test]
fn digits_that_a_spreadsheet_has_lost_are_not_made_up() {
    let list = "姓名,手机\n甲,1.54007E+10\n乙,15400640200\n丙,1.54E+10\n";
    let checked = Folder::new(list).check().ended(DONE);
    checked.counts(1, 1);
    assert_eq!(checked.refused("invalid_number"), 2, "{}", checked.ended.all());
}

#[test]
fn a_blacklist_cell_with_several_numbers_protects_all_of_them() {
    let joined =
        with_blacklist("phone,reason\n15400140001 / 15400140002,one\n\"075512345601、021-12345603\",two\n");
    let checked = joined.check();
    assert!(
        checked.ended.code == REFUSED || checked.refused("blacklisted") == 4,
        "read whole or not at all: {}",
        checked.ended.all()
    );
}
