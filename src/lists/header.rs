//! Finds the header row and the role of each column. The values of a column decide, its header is a hint: a
//! column without a single number is no phone column, whatever its name says.

use super::ListError;
use super::column_values::{Values, count_numbers, is_attempt};
use super::header_words::{HeaderWord, classify_header, fold_name};
use super::number_type::type_columns;
use super::source::SampleRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// What a column is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Phone,
    Name,
    /// The household, or a part of its address: building, unit, room.
    Household,
    /// Country or area code of the numbers.
    Code,
    /// The building alone, where it is no part of the household.
    Building,
    /// The size of the flat, in square metres.
    FloorArea,
    /// Kept with the lead, not used.
    Other,
}

/// Why a column has its role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// It has none.
    #[default]
    None,
    /// The campaign or a person named it.
    Named,
    Header,
    /// Its values.
    Content,
    HeaderAndContent,
}

/// Columns named by the campaign; empty = find them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WantedColumns<'a> {
    pub phones: &'a [String],
    pub household: &'a [String],
    pub name: &'a str,
    pub region: &'a str,
    /// A blacklist: patterns (`0755*`) are values of a phone column, too.
    pub is_blacklist: bool,
    pub building: &'a str,
    pub floor_area: &'a str,
    /// What is not named here is not looked for.
    pub is_complete: bool,
    /// The row of the header, counted from 1; 0 = the list has none; `None` = find it.
    pub header_row: Option<u64>,
}

/// A code that stands in a column of its own, beside the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeColumn {
    Country(usize),
    Area(usize),
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
    /// Of each phone column: the column that says of what kind its numbers are.
    pub types: Vec<Option<usize>>,
    /// The column of the name, or its parts as they are spoken: first, middle, last.
    pub name: Vec<usize>,
    /// Building, unit, room; or the columns named by the campaign.
    pub household: Vec<usize>,
    pub code: Option<CodeColumn>,
    /// Columns full of numbers that are not dialled, since nothing says that they are phones.
    pub unused: Vec<usize>,
    /// Some phone column holds a number, or the campaign named it.
    pub is_certain: bool,
    /// Some household column says which building it is.
    pub has_building: bool,
    /// The column that says which building it is, whether or not the household has it.
    pub building: Option<usize>,
    pub floor_area: Option<usize>,
    /// Of each column: whether its header is one of the known words, and how many of its values are numbers, in percent.
    pub clues: Vec<(bool, u8)>,
    /// The campaign or a person named the phone columns.
    pub phones_are_named: bool,
}

impl Layout {
    pub fn role(&self, column: usize) -> Role {
        match column {
            c if self.phones.contains(&c) => Role::Phone,
            c if self.name.contains(&c) => Role::Name,
            c if self.household.contains(&c) => Role::Household,
            c if matches!(self.code, Some(CodeColumn::Country(at) | CodeColumn::Area(at)) if at == c) => {
                Role::Code
            }
            c if self.building == Some(c) => Role::Building,
            c if self.floor_area == Some(c) => Role::FloorArea,
            _ => Role::Other,
        }
    }

    /// Why a column has its role.
    pub fn basis(&self, column: usize, is_named: bool) -> Basis {
        let (has_word, numbers) = self.clues.get(column).copied().unwrap_or_default();
        let is_content = self.role(column) == Role::Phone && numbers >= BEST_PCT_MIN as u8;
        match self.role(column) {
            Role::Other => Basis::None,
            Role::Phone if self.phones_are_named => Basis::Named,
            _ if is_named => Basis::Named,
            _ if is_content && has_word => Basis::HeaderAndContent,
            _ if is_content => Basis::Content,
            _ => Basis::Header,
        }
    }
}

/// The header is looked for in this many rows, since titles above it are common.
const TITLE_ROWS: usize = 10;
const COLUMNS_MAX: usize = 1_000;

/// Columns of a list without a header are phones from this share of numbers on, in percent.
const PHONES_PCT_MIN: usize = 80;
/// The best column is the phone column from this share on, whatever its header.
const BEST_PCT_MIN: usize = 30;

pub(crate) fn find_layout(
    file: &Path,
    sample: &[SampleRow],
    wanted: WantedColumns<'_>,
) -> Result<Layout, ListError> {
    if sample.is_empty() {
        return Err(ListError::Empty { file: file.into(), what: "the file has no row" });
    }
    let Head { header, rows, given } = find_head(file, sample, wanted)?;
    let width = given.len();
    let named = |wish: &str| column_named(file, &given, header.is_some(), wish);

    let words: Vec<HeaderWord> = given.iter().map(|name| classify_header(name)).collect();
    let values: Vec<Values> = (0..width).map(|column| Values::of(rows, column, wanted)).collect();
    let (phones, is_certain) = match wanted.phones {
        [] if wanted.is_complete => (Vec::new(), false),
        [] => {
            let phones = phone_columns(&words, &values, header.is_some());
            let is_certain = phones.iter().any(|at| values[*at].numbers > 0);
            (phones, is_certain)
        }
        wishes => (wishes.iter().map(|wish| named(wish)).collect::<Result<Vec<_>, _>>()?, true),
    };
    if phones.is_empty() {
        let found = given.iter().filter(|name| !name.is_empty()).copied().collect::<Vec<_>>().join(", ");
        return Err(ListError::NoPhoneColumn { file: file.into(), found });
    }
    let free = |column: &usize| !phones.contains(column);
    let first = |word: HeaderWord| words.iter().position(|w| *w == word).filter(free);
    let is_text = |column: &usize| !values[*column].is_digits();
    let name = match wanted.name {
        "" if wanted.is_complete => Vec::new(),
        "" => match first(HeaderWord::Name).filter(is_text) {
            Some(whole) => vec![whole],
            None => [HeaderWord::FirstName, HeaderWord::MiddleName, HeaderWord::LastName]
                .into_iter()
                .filter_map(first)
                .collect(),
        },
        wish => vec![named(wish)?],
    };
    let building = match wanted.building {
        "" if wanted.is_complete => None,
        "" => first(HeaderWord::Building),
        wish => Some(named(wish)?),
    };
    let floor_area = match wanted.floor_area {
        "" if wanted.is_complete => None,
        "" => first(HeaderWord::FloorArea).filter(|at| values[*at].are_quantities()),
        wish => Some(named(wish)?),
    };
    let household = match wanted.household {
        [] if wanted.is_complete => Vec::new(),
        [] => match first(HeaderWord::Room).or(first(HeaderWord::Unit)) {
            // Room numbers repeat in every building, so building and unit belong to the household.
            Some(room) => {
                let mut columns: Vec<usize> =
                    [building, first(HeaderWord::Unit), Some(room)].into_iter().flatten().collect();
                columns.dedup();
                columns
            }
            None => Vec::new(),
        },
        wishes => wishes.iter().map(|wish| named(wish)).collect::<Result<_, _>>()?,
    };
    let code = first(HeaderWord::CountryCode)
        .filter(|at| values[*at].are_country_codes())
        .map(CodeColumn::Country)
        .or_else(|| first(HeaderWord::AreaCode).and_then(|at| values[at].code(at)));
    let unused = (0..width).filter(|at| {
        let is_open =
            matches!(words[*at], HeaderWord::Unknown | HeaderWord::Number | HeaderWord::DoubtfulPhone);
        is_open
            && wanted.phones.is_empty()
            && !wanted.is_complete
            && !phones.contains(at)
            && values[*at].share() >= PHONES_PCT_MIN
    });
    Ok(Layout {
        header_row: header.map(|row| row.row),
        unused: unused.collect(),
        has_building: building.is_some_and(|at| household.contains(&at)) || wanted.household.len() > 1,
        building: building
            .or_else(|| household.iter().copied().find(|at| words[*at] == HeaderWord::Building)),
        floor_area,
        clues: words
            .iter()
            .zip(&values)
            .map(|(word, it)| (*word != HeaderWord::Unknown, it.share() as u8))
            .collect(),
        phones_are_named: !wanted.phones.is_empty(),
        names: unique_names(&given),
        types: type_columns(&given, &phones),
        phones,
        name,
        household,
        code,
        is_certain,
    })
}

/// The header of a list, the rows of the sample below it, and the names as they are given.
struct Head<'a> {
    header: Option<&'a SampleRow>,
    rows: &'a [SampleRow],
    /// Empty text in a list without a header.
    given: Vec<&'a str>,
}

fn find_head<'a>(
    file: &Path,
    sample: &'a [SampleRow],
    wanted: WantedColumns<'_>,
) -> Result<Head<'a>, ListError> {
    let place = match wanted.header_row {
        Some(0) => None,
        // A sheet that does not reach so far has its own header.
        Some(row) => {
            sample.iter().position(|found| found.row == row).or_else(|| header_place(sample, wanted))
        }
        None => header_place(sample, wanted),
    };
    let (header, rows) = match place {
        Some(at) => (Some(&sample[at]), &sample[at + 1..]),
        None => (None, sample),
    };
    let width = match header {
        Some(row) => row.cells.len(),
        None => usual_width(rows),
    };
    if width > COLUMNS_MAX {
        return Err(ListError::TooWide { file: file.into(), columns: width, most: COLUMNS_MAX });
    }
    let given = (0..width).map(|at| header.map_or("", |row| row.cells[at].trim())).collect();
    Ok(Head { header, rows, given })
}

/// The row of the header and the names of the columns, whether or not one of them holds phones.
pub(crate) fn find_names(
    file: &Path,
    sample: &[SampleRow],
    wanted: WantedColumns<'_>,
) -> Result<(Option<u64>, Vec<String>), ListError> {
    if sample.is_empty() {
        return Err(ListError::Empty { file: file.into(), what: "the file has no row" });
    }
    let head = find_head(file, sample, wanted)?;
    Ok((head.header.map(|row| row.row), unique_names(&head.given)))
}

/// The row of the header: of the first rows, down to the first that holds a number, the one with the most
/// different words that a header has. A first row that has no such word and no digits to speak of is taken for
/// one, too.
fn header_place(sample: &[SampleRow], wanted: WantedColumns<'_>) -> Option<usize> {
    let titles = sample.iter().take(TITLE_ROWS).take_while(|row| count_numbers(&row.cells, wanted) == 0);
    let mut best = None;
    for (at, row) in titles.enumerate() {
        let words: BTreeSet<String> = row
            .cells
            .iter()
            .filter(|cell| classify_header(cell) != HeaderWord::Unknown)
            .map(|cell| fold_name(cell))
            .collect();
        let is_header = match wanted.phones {
            [] => row.cells.iter().any(|cell| classify_header(cell).is_phone()),
            wishes => wishes.iter().any(|wish| row.cells.iter().any(|cell| same_name(cell, wish))),
        };
        if is_header && best.is_none_or(|(_, count)| words.len() > count) {
            best = Some((at, words.len()));
        }
    }
    let has_words_only = |row: &SampleRow| {
        count_numbers(&row.cells, wanted) == 0 && !row.cells.iter().any(|cell| is_attempt(cell))
    };
    best.map(|(at, _)| at).or_else(|| has_words_only(&sample[0]).then_some(0))
}

fn usual_width(rows: &[SampleRow]) -> usize {
    let mut tally = std::collections::BTreeMap::new();
    for row in rows {
        *tally.entry(row.cells.len()).or_insert(0u32) += 1;
    }
    tally.into_iter().max_by_key(|(width, times)| (*times, *width)).map_or(1, |(width, _)| width)
}

/// Columns whose header says phone and whose values do not deny it; else one that says just "number"; else, by
/// values alone, the column with the largest share of numbers, and without a header every column full of them.
fn phone_columns(words: &[HeaderWord], values: &[Values], has_header: bool) -> Vec<usize> {
    let all = 0..words.len();
    let is_named = |at: &usize| match words[*at] {
        HeaderWord::Phone => values[*at].filled == 0 || values[*at].attempts > 0,
        HeaderWord::DoubtfulPhone => values[*at].share() >= 50,
        _ => false,
    };
    let named: Vec<usize> = all.clone().filter(is_named).collect();
    // A column without values decides nothing alone.
    if named.iter().any(|at| values[*at].filled > 0) {
        return named;
    }
    if let Some(column) = all.clone().find(|at| {
        words[*at] == HeaderWord::Number && (values[*at].share() >= BEST_PCT_MIN || values[*at].filled == 0)
    }) {
        return vec![column];
    }
    let free = |at: &usize| words[*at] != HeaderWord::NeverPhone;
    let best = all.clone().filter(free).max_by_key(|at| (values[*at].share(), usize::MAX - at));
    match best.filter(|at| values[*at].share() >= BEST_PCT_MIN) {
        Some(best) if has_header => vec![best],
        Some(best) => all.filter(|at| *at == best || values[*at].share() >= PHONES_PCT_MIN).collect(),
        None => all.filter(|at| words[*at] == HeaderWord::Phone).collect(),
    }
}

/// Finds the column with this name; in a list without a header, by its position from 1.
fn column_named(file: &Path, given: &[&str], has_header: bool, wish: &str) -> Result<usize, ListError> {
    if let Some(column) = given.iter().position(|name| same_name(name, wish)) {
        return Ok(column);
    }
    // A name that occurs twice has a number behind it the second time.
    if let Some(column) = unique_names(given).iter().position(|name| has_header && name == wish) {
        return Ok(column);
    }
    let count = wish.trim().trim_start_matches("column").trim().parse::<usize>();
    if let (false, Ok(count @ 1..)) = (has_header, count)
        && count <= given.len()
    {
        return Ok(count - 1);
    }
    let alike = |name: &&&str| (strsim::jaro_winkler(&fold_name(name), &fold_name(wish)) * 1_000.0) as u32;
    let nearest = given.iter().filter(|name| !name.is_empty()).max_by_key(alike);
    Err(ListError::NoColumn {
        file: file.into(),
        column: wish.into(),
        nearest: nearest
            .map_or_else(|| "the list has no header".into(), |name| format!("the nearest is '{name}'")),
    })
}

fn same_name(cell: &str, wish: &str) -> bool {
    !wish.trim().is_empty() && fold_name(cell) == fold_name(wish)
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
        assert_eq!((found.name, found.household), (vec![1], vec![2]));
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
    fn values_decide_which_columns_are_phones() {
        let google = layout(&[
            "Name,Given Name,Phone 1 - Type,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value",
            "A,A,Mobile,+86 154 0007 0001,Work,0755-12345671",
            "B,B,Home,154 0007 0002 ::: 154 0007 0003,,",
        ]);
        assert_eq!((google.phones, google.name), (vec![3, 5], vec![0]));
        let vicidial = layout(&[
            "phone_code,phone_number,first_name,middle_initial,last_name,alt_phone",
            "86,15400080001,First1,,Last1,",
        ]);
        assert_eq!((vicidial.phones, vicidial.name), (vec![1, 5], vec![2, 4]));
        assert_eq!(vicidial.code, Some(CodeColumn::Country(0)));
        let city = layout(&["区号,电话", "0755,12345678", "010,62345678"]);
        assert_eq!((city.phones, city.code), (vec![1], Some(CodeColumn::Area(0))));
        // A column of bad numbers stays a phone column, so that its rows are refused with a reason.
        assert_eq!(layout(&["姓名,手机", "甲,138123", "乙,1381234"]).phones, [1]);
        assert!(!layout(&["姓名,手机", "甲,无", "乙,无"]).is_certain);
        let spare = layout(&["姓名,手机,备用", "甲,15412345678,15412345679"]);
        assert_eq!((spare.phones, spare.unused), (vec![1], vec![2]));
    }

    #[test]
    fn the_lower_row_of_a_header_of_two_rows_is_the_header() {
        let found = layout(&[
            "姓名,联系方式,联系方式,房号",
            "姓名,手机,座机,房号",
            "甲,15412345678,0755-12345678,1-101",
        ]);
        assert_eq!((found.header_row, found.phones), (Some(2), vec![1, 2]));
        let title = layout(&["业主电话表,业主电话表", "姓名,手机", "甲,15412345678"]);
        assert_eq!((title.header_row, title.phones), (Some(2), vec![1]));
    }

    #[test]
    fn a_first_row_with_a_bad_number_is_a_row_and_no_header() {
        let found = layout(&["王芳,1380013", "李强,15412345679"]);
        assert_eq!((found.header_row, found.phones), (None, vec![1]));
        assert_eq!(layout(&["15412345670,王,15412345671", "15412345672,李,"]).phones, [0, 2]);
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
