//! Words of a list's refused rows: titles and reasons of the fix file, and the reader's hints in Simplified Chinese.

use super::Lang;
use super::fault::{Template, translate};
use super::fault_words::SENTENCES;
use paceline_core::outcome::Reason;

/// The hints and warnings of the reader of lists. `ui/src/pages/lists/check-words.ts` has the same for screens.
const HINTS: &[Template] = &[
    ("{n} digits: a mobile number has 11", "{} 位:手机号码应为 11 位"),
    ("{n} digits are too many: {}", "{0} 位太多:手机号码 11 位,固定电话连区号 10 至 12 位"),
    (
        "{n} is an emergency or service number and is never dialled from a list",
        "{} 是紧急或服务号码,不会从名单拨打",
    ),
    ("no phone number in the row", "这一行没有号码"),
    ("no number in the row", "这一行没有号码"),
    ("no number that may be dialled begins so", "没有可拨打的号码这样开头"),
    ("the same number stands in row {n}", "与第 {} 行号码相同"),
    ("the same number stands in {}", "与 {} 号码相同"),
    ("on the blacklist {}", "在黑名单 {} 中"),
    ("a landline without its area code: {}", "固定电话缺少区号:请写上区号"),
    (
        "a landline without its leading zero? Write {n} if that is the number",
        "固定电话少了开头的 0?若是,请写成 {}",
    ),
    ("{n} is no Chinese mobile, landline or 400 number", "{} 不是国内手机、固定电话或 400 号码"),
    ("{n} is no number of any known country", "{} 不是任何国家的号码"),
    ("'{}' does not belong in a phone number", "号码里不应有“{}”"),
    ("{n} characters are no phone number", "{} 个字符,不是号码"),
    ("the row has {n} cells, the header {n}: {}", "这一行有 {0} 格,表头 {1} 格:含分隔符的内容要加引号"),
    ("a quotation mark is opened and not closed{}", "引号没有成对:请删去或补上"),
    ("the row is longer than 128 KiB{}", "这一行超过 128 KiB:是否缺少换行?"),
];

impl Lang {
    /// Titles of the columns that a fix file has before those of the list.
    pub fn fix_columns(self) -> [&'static str; 3] {
        match self {
            Lang::En => ["row", "reason", "hint"],
            Lang::Zh => ["行", "原因", "修改办法"],
        }
    }

    /// Why a row was refused, in words. Another program's word stays.
    pub fn refused_row_reason(self, word: &str) -> String {
        let words = Reason::from_word(word).map(|reason| match reason {
            Reason::InvalidNumber => self.pick("the number is wrong", "号码不对"),
            other => self.reason_words(other),
        });
        words.unwrap_or(word).to_owned()
    }

    /// A hint of the reader, with the column before it or without (`手机: 3 digits …`). One that is not known stays
    /// English.
    pub fn list_hint(self, english: &str) -> String {
        if self == Lang::En {
            return english.to_owned();
        }
        let of_column = |tables: &[&[Template]]| {
            let (column, hint) = english.split_once(": ")?;
            Some(format!("{column}:{}", translate(hint, tables, 0)?))
        };
        // Hints are of the list's reader first; it passes on what the reader of numbers says.
        translate(english, &[HINTS], 0)
            .or_else(|| of_column(&[HINTS]))
            .or_else(|| of_column(&[SENTENCES]))
            .or_else(|| translate(english, &[SENTENCES], 0))
            .unwrap_or_else(|| english.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_said_in_chinese_with_their_column() {
        for (english, chinese) in [
            ("no phone number in the row", "这一行没有号码"),
            ("手机: 8 digits: a mobile number has 11", "手机:8 位:手机号码应为 11 位"),
            ("the same number stands in row 12", "与第 12 行号码相同"),
            (
                "手机: a spreadsheet shortened the number to 1.38E+10: its last digits are lost. Format the column as text \
                 and paste the numbers again",
                "手机:表格软件把号码缩成了 1.38E+10,末几位已丢失:请把该列设为文本格式,再粘贴号码",
            ),
            ("something else", "something else"),
        ] {
            assert_eq!(Lang::Zh.list_hint(english), chinese);
            assert_eq!(Lang::En.list_hint(english), english);
        }
        assert_eq!(Lang::Zh.refused_row_reason("duplicate"), "与其他行重复");
        assert_eq!(Lang::En.refused_row_reason("duplicate"), "a duplicate of another row");
    }
}
