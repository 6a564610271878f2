//! Further lists of a campaign's folder. A text names one list; the others stand in comments that say how `paceline`
//! takes them in, and the import of a folder reads the same lines.

use super::is_flat;

const NOTE: &str = "# a further list: paceline list add campaign.toml \"";

/// The line that names a further list.
pub fn further_list_note(name: &str) -> String {
    format!("{NOTE}{name}\"")
}

fn name_in(line: &str) -> Option<&str> {
    line.trim_end().strip_prefix(NOTE)?.strip_suffix('"').filter(|name| is_flat(name))
}

/// The further lists of a text, in their order.
pub fn further_lists(text: &str) -> Vec<String> {
    text.lines().filter_map(name_in).map(str::to_owned).collect()
}

/// The text without the lines that name further lists.
pub fn without_further_lists(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| name_in(line).is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noted_list_is_found_and_its_note_taken_away() {
        let text = "# mine\nname = \"x\"\n";
        let noted = format!("{text}{}\n{}\n", further_list_note("b.csv"), further_list_note("业主 2.xlsx"));
        assert_eq!(further_lists(&noted), ["b.csv", "业主 2.xlsx"]);
        assert_eq!(without_further_lists(&noted), text);
        let outside = format!("{text}{}\n", further_list_note("../b.csv"));
        assert!(further_lists(&outside).is_empty());
        assert_eq!(without_further_lists(&outside), outside);
    }
}
