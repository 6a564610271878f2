//! Columns that say what kind of number stands beside them: `Phone 1 - Type`, 号码类型. A fax is not called.

use super::header_words::fold_name;

const TYPE_WORDS: &[&str] =
    &["type", "label", "kind", "category", "类型", "類型", "种类", "種類", "类别", "性质", "用途"];
const VALUE_WORDS: &[&str] = &["value", "number", "号码", "號碼", "no."];
const FAX_WORDS: &[&str] = &["fax", "telefax", "传真", "傳真", "facsimile", "факс", "팩스"];

/// For each phone column, the column that says of what kind its numbers are: the one whose header differs by the
/// word for it alone, or one beside it that is called just `type`.
pub(crate) fn type_columns(names: &[&str], phones: &[usize]) -> Vec<Option<usize>> {
    let types: Vec<(usize, String)> = names
        .iter()
        .enumerate()
        .filter(|(at, _)| !phones.contains(at))
        .map(|(at, name)| (at, fold_name(name)))
        .filter(|(_, name)| TYPE_WORDS.iter().any(|word| name.contains(word)))
        .map(|(at, name)| (at, stem(&name)))
        .collect();
    let of = |phone: &usize| {
        let own = stem(&fold_name(names.get(*phone).copied().unwrap_or_default()));
        let by_name = types.iter().find(|(_, stem)| !own.is_empty() && *stem == own);
        let beside = |at: usize| types.iter().find(|(column, stem)| *column == at && stem.is_empty());
        let by_place = || beside(phone + 1).or_else(|| beside(phone.checked_sub(1)?));
        by_name.or_else(by_place).map(|(at, _)| *at)
    };
    phones.iter().map(of).collect()
}

/// A folded header without the words for a kind or a value, and without signs: `phone1-type` is `phone1`.
fn stem(name: &str) -> String {
    let without =
        TYPE_WORDS.iter().chain(VALUE_WORDS).fold(name.to_owned(), |name, word| name.replace(word, ""));
    without.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether the kinds in this cell call the number a fax that begins at `at` of its own cell. Several numbers in one
/// cell have their kinds in the same order, both separated by `:::`.
pub(crate) fn is_fax(kinds: &str, cell: &str, at: usize) -> bool {
    let place = cell.get(..at).map_or(0, |before| before.matches(":::").count());
    let mut parts = kinds.split(":::");
    let several = kinds.contains(":::");
    let kind = if several { parts.nth(place) } else { parts.next() };
    let kind = kind.map(fold_name).unwrap_or_default();
    FAX_WORDS.iter().any(|word| kind.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_belongs_to_the_numbers_beside_it() {
        for (names, phones, types) in [
            (
                &["Name", "Phone 1 - Type", "Phone 1 - Value", "Phone 2 - Type", "Phone 2 - Value"][..],
                &[2, 4][..],
                &[Some(1), Some(3)][..],
            ),
            (&["姓名", "电话", "电话类型"], &[1], &[Some(2)]),
            (&["姓名", "号码", "号码类型"], &[1], &[Some(2)]),
            (&["手机", "类型", "固话"], &[0, 2], &[Some(1), Some(1)]),
            (&["电话", "房屋类型"], &[0], &[None]),
            (&["phone_number", "phone_type", "customer type"], &[0], &[Some(1)]),
            (&["TEL;TYPE=CELL", "TEL;TYPE=FAX"], &[0], &[None]),
        ] {
            assert_eq!(type_columns(names, phones), types, "{names:?}");
        }
    }

    #[test]
    fn a_fax_is_known_in_its_place() {
        assert!(is_fax("Work Fax", "0755-12345678", 0));
        assert!(is_fax("传 真", "0755-12345678", 0));
        assert!(!is_fax("Mobile", "13800138000", 0));
        assert!(!is_fax("* Mobile ::: Work Fax", "13800138000 ::: 075512345678", 0));
        assert!(is_fax("* Mobile ::: Work Fax", "13800138000 ::: 075512345678", 16));
        assert!(!is_fax("", "13800138000", 0));
    }
}
