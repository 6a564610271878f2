//! Finds the header and the role of each column: by the names in the campaign, by header words in Chinese or
//! English, or, in a list without a header, by the values.

use super::ListError;
use super::clean::{clean_number, split_numbers};
use super::source::SampleRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// What a column is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Phone,
    Name,
    /// The household, or a part of its address: building, unit, room.
    Household,
    /// Kept with the lead, not used.
    Other,
}

/// Columns named by the campaign; empty = find them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WantedColumns<'a> {
    pub phones: &'a [String],
    pub household: &'a str,
    pub name: &'a str,
    pub region: &'a str,
}

/// The columns of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// `None`: the list has no header.
    pub header_row: Option<u64>,
    /// Unique names, `column 3` where the list has none.
    pub names: Vec<String>,
    /// In dialling order.
    pub phones: Vec<usize>,
    pub name: Option<usize>,
    /// Building, unit, room; or the one column named by the campaign.
    pub household: Vec<usize>,
}

impl Layout {
    pub fn role(&self, column: usize) -> Role {
        match column {
            c if self.phones.contains(&c) => Role::Phone,
            c if self.name == Some(c) => Role::Name,
            c if self.household.contains(&c) => Role::Household,
            _ => Role::Other,
        }
    }
}

/// The header is looked for in this many rows, since titles above it are common.
const TITLE_ROWS: usize = 10;
const COLUMNS_MAX: usize = 1_000;

pub(crate) fn find_layout(
    file: &Path,
    sample: &[SampleRow],
    wanted: WantedColumns<'_>,
) -> Result<Layout, ListError> {
    if sample.is_empty() {
        return Err(ListError::Empty { file: file.into(), what: "the file has no row" });
    }
    let header = sample.iter().take(TITLE_ROWS).position(|row| is_header(&row.cells, wanted));
    let (header, rows) = match header {
        Some(at) => (Some(&sample[at]), &sample[at + 1..]),
        None if count_numbers(&sample[0].cells, wanted.region) == 0 => (Some(&sample[0]), &sample[1..]),
        None => (None, sample),
    };
    let width = match header {
        Some(row) => row.cells.len(),
        None => usual_width(rows),
    };
    if width > COLUMNS_MAX {
        return Err(ListError::TooWide { file: file.into(), columns: width, most: COLUMNS_MAX });
    }
    let given: Vec<&str> = (0..width).map(|at| header.map_or("", |row| row.cells[at].trim())).collect();
    let named = |wish: &str| column_named(file, &given, header.is_some(), wish);

    let words: Vec<HeaderWord> = given.iter().map(|name| classify_header(name)).collect();
    let phones = match wanted.phones {
        [] => phone_columns(&words, rows, wanted.region),
        wishes => wishes.iter().map(|wish| named(wish)).collect::<Result<_, _>>()?,
    };
    if phones.is_empty() {
        let found = given.iter().filter(|name| !name.is_empty()).copied().collect::<Vec<_>>().join(", ");
        return Err(ListError::NoPhoneColumn { file: file.into(), found });
    }
    let free = |column: &usize| !phones.contains(column);
    let first = |word: HeaderWord| words.iter().position(|w| *w == word).filter(free);
    let name = match wanted.name {
        "" => first(HeaderWord::Name),
        wish => Some(named(wish)?),
    };
    let household = match wanted.household {
        "" => match first(HeaderWord::Room).or(first(HeaderWord::Unit)) {
            // Room numbers repeat in every building, so building and unit belong to the household.
            Some(room) => {
                let mut columns: Vec<usize> =
                    [first(HeaderWord::Building), first(HeaderWord::Unit), Some(room)]
                        .into_iter()
                        .flatten()
                        .collect();
                columns.dedup();
                columns
            }
            None => Vec::new(),
        },
        wish => vec![named(wish)?],
    };
    Ok(Layout { header_row: header.map(|row| row.row), names: unique_names(&given), phones, name, household })
}

/// A header names a phone column (or one that the campaign names) and holds no number itself.
fn is_header(cells: &[String], wanted: WantedColumns<'_>) -> bool {
    let named = |wish: &String| cells.iter().any(|cell| same_name(cell, wish));
    let known = match wanted.phones {
        [] => {
            cells.iter().any(|cell| matches!(classify_header(cell), HeaderWord::Phone | HeaderWord::Number))
        }
        wishes => wishes.iter().any(named),
    };
    known && count_numbers(cells, wanted.region) == 0
}

fn count_numbers(cells: &[String], region: &str) -> usize {
    cells.iter().filter(|cell| split_numbers(cell).any(|part| clean_number(part, region).is_ok())).count()
}

fn usual_width(rows: &[SampleRow]) -> usize {
    let mut tally = std::collections::BTreeMap::new();
    for row in rows {
        *tally.entry(row.cells.len()).or_insert(0u32) += 1;
    }
    tally.into_iter().max_by_key(|(width, times)| (*times, *width)).map_or(1, |(width, _)| width)
}

/// Columns whose header says phone; else one that says just "number"; else the column with the largest share
/// of numbers, if it is at least three in ten cells.
fn phone_columns(words: &[HeaderWord], rows: &[SampleRow], region: &str) -> Vec<usize> {
    let named: Vec<usize> = (0..words.len()).filter(|at| words[*at] == HeaderWord::Phone).collect();
    if !named.is_empty() {
        return named;
    }
    let share = |column: usize| {
        let cells: Vec<&str> = rows
            .iter()
            .filter_map(|row| row.cells.get(column))
            .map(|c| c.trim())
            .filter(|c| !c.is_empty())
            .collect();
        let numbers = cells
            .iter()
            .filter(|cell| split_numbers(cell).any(|part| clean_number(part, region).is_ok()))
            .count();
        if cells.is_empty() { 0 } else { numbers * 1_000 / cells.len() }
    };
    if let Some(column) =
        (0..words.len()).find(|at| words[*at] == HeaderWord::Number && (share(*at) >= 300 || rows.is_empty()))
    {
        return vec![column];
    }
    let best = (0..words.len()).max_by_key(|column| (share(*column), usize::MAX - column));
    best.filter(|column| share(*column) >= 300).into_iter().collect()
}

/// Finds the column with this name; in a list without a header, by its position from 1.
fn column_named(file: &Path, given: &[&str], has_header: bool, wish: &str) -> Result<usize, ListError> {
    if let Some(column) = given.iter().position(|name| same_name(name, wish)) {
        return Ok(column);
    }
    let count = wish.trim().trim_start_matches("column").trim().parse::<usize>();
    if let (false, Ok(count @ 1..)) = (has_header, count)
        && count <= given.len()
    {
        return Ok(count - 1);
    }
    let alike = |name: &&&str| (strsim::jaro_winkler(&fold(name), &fold(wish)) * 1_000.0) as u32;
    let nearest = given.iter().filter(|name| !name.is_empty()).max_by_key(alike);
    Err(ListError::NoColumn {
        file: file.into(),
        column: wish.into(),
        nearest: nearest
            .map_or_else(|| "the list has no header".into(), |name| format!("the nearest is '{name}'")),
    })
}

fn same_name(cell: &str, wish: &str) -> bool {
    !wish.trim().is_empty() && fold(cell) == fold(wish)
}

/// Lower case, half width, no spaces or invisible characters.
fn fold(name: &str) -> String {
    let half = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        c => c,
    };
    let kept = name.chars().filter(|c| !c.is_whitespace() && !super::cell::is_invisible(*c));
    kept.map(half).flat_map(char::to_lowercase).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeaderWord {
    Phone,
    /// 号码, number, no.: a phone only if its values say so.
    Number,
    Name,
    Building,
    Unit,
    Room,
    Unknown,
}

fn classify_header(header: &str) -> HeaderWord {
    const NOT_PHONES: &[&str] = &[
        "身份证",
        "证件",
        "车牌",
        "合同",
        "卡号",
        "编号",
        "订单",
        "传真",
        "邮编",
        "产权证",
        "次数",
        "状态",
        "时间",
        "备注",
        "fax",
        "idcard",
        "count",
        "status",
        "result",
        "email",
    ];
    const PHONES: &[&str] = &[
        "手机",
        "手機",
        "电话",
        "電話",
        "座机",
        "联系方式",
        "被叫",
        "phone",
        "mobile",
        "msisdn",
        "callee",
        "telephone",
    ];
    const NAMES: &[&str] = &[
        "姓名",
        "名字",
        "户主",
        "产权人",
        "联系人",
        "業主",
        "业主",
        "客户",
        "客户名称",
        "称呼",
        "fullname",
        "owner",
        "customer",
    ];
    const ROOMS: &[&str] = &[
        "房号",
        "房屋",
        "房间",
        "户号",
        "室号",
        "门牌",
        "房产",
        "物业地址",
        "房號",
        "household",
        "flat",
        "room",
        "apartment",
        "door",
    ];
    const BUILDINGS: &[&str] = &["楼栋", "楼号", "栋号", "楼宇", "幢", "building", "tower"];
    let name = fold(header);
    let name =
        name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | '*' | '.' | '_' | '-' | '#'));
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match name {
        "" => HeaderWord::Unknown,
        _ if name.chars().count() > 24 || has(NOT_PHONES) => HeaderWord::Unknown,
        _ if has(PHONES) => HeaderWord::Phone,
        "tel" | "cell" | "cellular" | "contactno" | "contactnumber" | "telno" | "telnumber" | "tel." => {
            HeaderWord::Phone
        }
        "号码" | "號碼" | "number" | "no" | "num" | "numbers" | "contact" => HeaderWord::Number,
        "栋" | "楼" | "座" | "block" => HeaderWord::Building,
        "单元" | "单元号" | "unit" | "unitno" | "單元" => HeaderWord::Unit,
        "户" | "室" | "房" | "apt" | "house" | "houseno" | "suite" => HeaderWord::Room,
        _ if has(ROOMS) => HeaderWord::Room,
        _ if has(BUILDINGS) => HeaderWord::Building,
        "name" | "contactname" | "firstname" | "名称" => HeaderWord::Name,
        _ if has(NAMES) => HeaderWord::Name,
        _ => HeaderWord::Unknown,
    }
}

/// Makes column names unique, since result files use them.
fn unique_names(given: &[&str]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::with_capacity(given.len());
    for (at, name) in given.iter().enumerate() {
        let base =
            if name.is_empty() { format!("column {}", at + 1) } else { name.chars().take(100).collect() };
        let mut name = base.clone();
        let mut count = 2;
        while !taken.insert(name.clone()) {
            name = format!("{base} ({count})");
            count += 1;
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lines: &[&str]) -> Vec<SampleRow> {
        let given = |(at, line): (usize, &&str)| SampleRow {
            row: at as u64 + 1,
            cells: line.split(',').map(String::from).collect(),
        };
        lines.iter().enumerate().map(given).collect()
    }

    fn layout(lines: &[&str]) -> Layout {
        find_layout(Path::new("list.csv"), &rows(lines), WantedColumns::default()).expect("a layout")
    }

    #[test]
    fn phone_columns_are_known_by_name_in_both_languages() {
        for (header, phones) in [
            ("姓名,手机,房号", vec![1]),
            ("姓名,手机号码", vec![1]),
            ("电话1,电话2,备用电话,姓名", vec![0, 1, 2]),
            ("Name,Phone,E-mail", vec![1]),
            ("name, Mobile Number ,phone 2", vec![1, 2]),
            ("业主姓名,联系电话,身份证号码,车牌号码", vec![1]),
            ("被叫号码", vec![0]),
            ("姓名,電話", vec![1]),
            ("tel,fax,name", vec![0]),
            ("ＰＨＯＮＥ,x", vec![0]),
            ("拨打次数,联系方式", vec![1]),
        ] {
            let found = layout(&[header, "a,b,c,d"]);
            assert_eq!(found.phones, phones, "{header}");
            assert_eq!(found.header_row, Some(1));
        }
    }

    #[test]
    fn a_household_is_building_unit_and_room() {
        assert_eq!(layout(&["楼栋,单元,房号,姓名,手机"]).household, [0, 1, 2]);
        assert_eq!(layout(&["手机,房号,楼栋"]).household, [2, 1]);
        assert_eq!(layout(&["phone,unit,building"]).household, [2, 1]);
        assert_eq!(layout(&["手机,楼栋"]).household, Vec::<usize>::new());
        let found = layout(&["手机,业主姓名,房号,房号"]);
        assert_eq!((found.name, found.household), (Some(1), vec![2]));
        assert_eq!(found.names, ["手机", "业主姓名", "房号", "房号 (2)"]);
    }

    #[test]
    fn titles_above_the_header_are_skipped() {
        let found = layout(&["翠园业主名单", "2026年,制表人", "姓名,手机,房号", "王芳,15412345678,1-101"]);
        assert_eq!((found.header_row, found.phones), (Some(3), vec![1]));
    }

    #[test]
    fn a_list_without_a_header_is_read_by_its_values() {
        let found = layout(&["王芳,1-101,15412345678,80", "李强,1-102,15412345679,90"]);
        assert_eq!((found.header_row, found.phones), (None, vec![2]));
        assert_eq!(found.names, ["column 1", "column 2", "column 3", "column 4"]);
        assert_eq!(layout(&["15412345678"]).phones, [0]);
        assert_eq!(layout(&["15412345678", "110", "x"]).phones, [0]);
    }

    #[test]
    fn an_unknown_header_is_resolved_by_its_values() {
        let found = layout(&["谁,怎么找", "王芳,15412345678", "李强,15412345679"]);
        assert_eq!((found.header_row, found.phones), (Some(1), vec![1]));
        assert_eq!(layout(&["编号,号码", "1,15412345678"]).phones, [1]);
        let nothing = find_layout(Path::new("list.csv"), &rows(&["a,b", "1,2"]), WantedColumns::default());
        assert!(matches!(nothing, Err(ListError::NoPhoneColumn { found, .. }) if found == "a, b"));
    }

    #[test]
    fn a_named_column_that_is_missing_names_the_nearest() {
        let wish = ["手机号".to_string()];
        let wanted = WantedColumns { phones: &wish, ..WantedColumns::default() };
        let error =
            find_layout(Path::new("list.csv"), &rows(&["姓名,手机号码,房号", "a,15412345678,1"]), wanted)
                .expect_err("missing");
        assert!(
            error.to_string().contains("'手机号'") && error.to_string().contains("'手机号码'"),
            "{error}"
        );
        let wish = ["PHONE".to_string()];
        let found = find_layout(
            Path::new("l"),
            &rows(&["name,phone"]),
            WantedColumns { phones: &wish, ..WantedColumns::default() },
        );
        assert_eq!(found.expect("found").phones, [1]);
        let wish = ["2".to_string()];
        let found = find_layout(
            Path::new("l"),
            &rows(&["x,15412345678"]),
            WantedColumns { phones: &wish, ..WantedColumns::default() },
        );
        assert_eq!(found.expect("found").phones, [1]);
    }

    #[test]
    fn an_empty_list_is_an_error_that_says_so() {
        let error = find_layout(Path::new("list.csv"), &[], WantedColumns::default()).expect_err("empty");
        assert!(error.to_string().contains("no row"), "{error}");
    }
}
