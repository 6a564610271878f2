//! What the words of a header suggest about a column. They are hints: the values decide (`header`).

use paceline_core::spreadsheet::is_invisible;

/// What a header suggests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderWord {
    Phone,
    /// A phone word beside one that speaks against it: `phone status`, `电话编号`. A phone only if most of its
    /// values are numbers.
    DoubtfulPhone,
    /// 号码, number, no.: a phone only if its values say so.
    Number,
    /// Fax, identity card, order number: never a phone, whatever its values look like.
    NeverPhone,
    /// Country calling code of the numbers beside it.
    CountryCode,
    /// Area code of the numbers beside it.
    AreaCode,
    /// The whole name.
    Name,
    FirstName,
    MiddleName,
    LastName,
    Building,
    Unit,
    Room,
    /// The size of a flat.
    FloorArea,
    Unknown,
}

impl HeaderWord {
    /// Whether a row with this word is a header.
    pub fn is_phone(self) -> bool {
        matches!(self, HeaderWord::Phone | HeaderWord::Number)
    }
}

/// Words that rule a phone out.
const NEVER_PHONES: &[&str] = &[
    "身份证",
    "证件",
    "车牌",
    "合同",
    "卡号",
    "订单",
    "传真",
    "邮编",
    "产权证",
    "fax",
    "idcard",
    "idnumber",
    "passport",
    "postal",
    "zipcode",
    "email",
    "e-mail",
    "assistant",
];

/// Words that speak of a phone's attributes.
const DOUBTS: &[&str] = &[
    "编号", "次数", "状态", "时间", "备注", "类型", "归属", "结果", "count", "status", "result", "type",
    "label", "time", "date", "code", "carrier", "note", "remark", "ext",
];

const PHONES: &[&str] = &[
    "手机",
    "手機",
    "电话",
    "電話",
    "座机",
    "固话",
    "宅电",
    "联系方式",
    "联系号码",
    "聯絡",
    "被叫",
    "phone",
    "mobile",
    "mobil",
    "msisdn",
    "callee",
    "whatsapp",
    "telefon",
    "teléfono",
    "téléphone",
    "celular",
    "móvil",
    "gsm",
    "携帯",
    "휴대",
    "전화",
    "телефон",
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
    "称呼",
    "氏名",
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

const FLOOR_AREAS: &[&str] = &["面积", "面積", "平方米", "平米", "㎡", "floorarea", "squaremet", "sqm"];

/// Longest header that is read as a word; a longer one is a sentence.
const WORD_MAX: usize = 24;

pub(crate) fn classify_header(header: &str) -> HeaderWord {
    let name = fold_name(header);
    let name =
        name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | '*' | '.' | '_' | '-' | '#'));
    let name = name.trim_start_matches(['*', '#', '\'']);
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if name.is_empty() || name.chars().count() > WORD_MAX {
        return HeaderWord::Unknown;
    }
    let bare: String = name.chars().filter(|c| !matches!(c, '_' | '-' | '.' | '/')).collect();
    match bare.as_str() {
        "phonecode" | "phonecountrycode" | "countrycode" | "countrycallingcode" | "callingcode"
        | "dialcode" | "dialingcode" | "isdcode" | "国家代码" | "国家码" | "国际区号" | "国别码" =>
        {
            return HeaderWord::CountryCode;
        }
        "区号" | "電話區號" | "电话区号" | "长途区号" | "areacode" => {
            return HeaderWord::AreaCode;
        }
        "first" | "firstname" | "givenname" | "forename" | "名" => return HeaderWord::FirstName,
        "middlename" | "additionalname" => return HeaderWord::MiddleName,
        "last" | "lastname" | "familyname" | "surname" | "姓" | "姓氏" => return HeaderWord::LastName,
        _ => {}
    }
    let is_tel = name.strip_prefix("tel").is_some_and(|rest| !rest.starts_with(char::is_alphabetic));
    match name {
        _ if has(NEVER_PHONES) => HeaderWord::NeverPhone,
        _ if has(PHONES) && has(DOUBTS) => HeaderWord::DoubtfulPhone,
        _ if has(PHONES) || is_tel => HeaderWord::Phone,
        "cell" | "cellular" | "contactno" | "contactnumber" | "telno" | "telnumber" | "telephone"
        | "handy" => HeaderWord::Phone,
        "号码" | "號碼" | "number" | "no" | "num" | "numbers" | "contact" => HeaderWord::Number,
        _ if has(DOUBTS) => HeaderWord::Unknown,
        "栋" | "楼" | "座" | "block" => HeaderWord::Building,
        "单元" | "单元号" | "unit" | "unitno" | "單元" => HeaderWord::Unit,
        _ if has(FLOOR_AREAS) => HeaderWord::FloorArea,
        "户" | "室" | "房" | "apt" | "house" | "houseno" | "suite" => HeaderWord::Room,
        _ if has(ROOMS) => HeaderWord::Room,
        _ if has(BUILDINGS) => HeaderWord::Building,
        "name" | "contactname" | "displayname" | "名称" | "nombre" | "nome" | "имя" | "фио" | "이름" => {
            HeaderWord::Name
        }
        _ if has(NAMES) => HeaderWord::Name,
        _ => HeaderWord::Unknown,
    }
}

/// Lower case, half width, no spaces or invisible characters.
pub(crate) fn fold_name(name: &str) -> String {
    let half = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        c => c,
    };
    let kept = name.chars().filter(|c| !c.is_whitespace() && !is_invisible(*c));
    kept.map(half).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_usual_exports_are_known() {
        for (header, word) in [
            ("Phone 1 - Value", HeaderWord::Phone),
            ("Phone 1 - Type", HeaderWord::DoubtfulPhone),
            ("phone_code", HeaderWord::CountryCode),
            ("country_code", HeaderWord::CountryCode),
            ("alt_phone", HeaderWord::Phone),
            ("Business Phone", HeaderWord::Phone),
            ("Business Fax", HeaderWord::NeverPhone),
            ("Account Phone", HeaderWord::DoubtfulPhone),
            ("TEL;TYPE=CELL", HeaderWord::Phone),
            ("Tel.", HeaderWord::Phone),
            ("*手机号（必填）", HeaderWord::Phone),
            ("区号", HeaderWord::AreaCode),
            ("First Name", HeaderWord::FirstName),
            ("Family Name", HeaderWord::LastName),
            ("Given Name", HeaderWord::FirstName),
            ("业主姓名", HeaderWord::Name),
            ("身份证号码", HeaderWord::NeverPhone),
            ("手机号必须为11位且不能有空格或者其他的字符请务必注意", HeaderWord::Unknown),
            ("template", HeaderWord::Unknown),
        ] {
            assert_eq!(classify_header(header), word, "{header}");
        }
    }
}
