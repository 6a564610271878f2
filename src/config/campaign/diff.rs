//! Two texts line by line.

/// One line of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiffLine<'a> {
    pub kind: DiffKind,
    /// Counted from 1.
    pub line_before: Option<usize>,
    pub line_after: Option<usize>,
    pub text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffKind {
    Same,
    Removed,
    Added,
}

impl DiffKind {
    pub const WORDS: [&'static str; 3] = ["same", "removed", "added"];

    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Cells of the table of common lines; where two texts need more, the part between their common ends is shown as
/// removed and added.
const CELLS_MAX: usize = 4_000_000;

/// Compares two texts: the fewest lines are removed and added, all equal lines are named.
pub fn diff<'a>(before: &'a str, after: &'a str) -> Vec<DiffLine<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let tail =
        old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let mut lines = Vec::with_capacity(old.len().max(new.len()));
    let same = |old_at: usize, new_at: usize, text: &'a str| DiffLine {
        kind: DiffKind::Same,
        line_before: Some(old_at + 1),
        line_after: Some(new_at + 1),
        text,
    };
    lines.extend((0..head).map(|at| same(at, at, old[at])));
    let (mut old_at, mut new_at) = (head, head);
    for (common_old, common_new) in common_lines(&old[head..old_end], &new[head..new_end]) {
        push_changed(&mut lines, &old, old_at..head + common_old, &new, new_at..head + common_new);
        lines.push(same(head + common_old, head + common_new, old[head + common_old]));
        (old_at, new_at) = (head + common_old + 1, head + common_new + 1);
    }
    push_changed(&mut lines, &old, old_at..old_end, &new, new_at..new_end);
    lines.extend((0..tail).map(|at| same(old_end + at, new_end + at, old[old_end + at])));
    lines
}

fn push_changed<'a>(
    lines: &mut Vec<DiffLine<'a>>,
    old: &[&'a str],
    removed: std::ops::Range<usize>,
    new: &[&'a str],
    added: std::ops::Range<usize>,
) {
    lines.extend(removed.map(|at| DiffLine {
        kind: DiffKind::Removed,
        line_before: Some(at + 1),
        line_after: None,
        text: old[at],
    }));
    lines.extend(added.map(|at| DiffLine {
        kind: DiffKind::Added,
        line_before: None,
        line_after: Some(at + 1),
        text: new[at],
    }));
}

/// A longest common subsequence of lines, as pairs of places.
fn common_lines(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let cells = (old.len() + 1).saturating_mul(width);
    if cells > CELLS_MAX {
        return Vec::new();
    }
    // lengths[i * width + j] = length of the longest common subsequence of old[i..] and new[j..].
    let mut lengths = vec![0_u32; cells];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            lengths[i * width + j] = match old[i] == new[j] {
                true => lengths[(i + 1) * width + j + 1] + 1,
                false => lengths[(i + 1) * width + j].max(lengths[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn shown(before: &str, after: &str) -> String {
        let sign = |line: &DiffLine<'_>| match line.kind {
            DiffKind::Same => ' ',
            DiffKind::Removed => '-',
            DiffKind::Added => '+',
        };
        diff(before, after).iter().map(|line| format!("{}{} ", sign(line), line.text)).collect()
    }

    #[test]
    fn a_changed_line_is_removed_and_added() {
        assert_eq!(shown("a\nb\nc\n", "a\nx\nc\n"), " a -b +x  c ");
        assert_eq!(shown("", "a\n"), "+a ");
        assert_eq!(shown("a\n", "a\n"), " a ");
    }

    #[test]
    fn both_texts_can_be_read_from_their_comparison() {
        for seed in 0..300 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut text = || -> String {
                (0..random.random_range(0..12)).map(|_| format!("{}\n", random.random_range(0..4))).collect()
            };
            let (before, after) = (text(), text());
            let lines = diff(&before, &after);
            for (whole, place) in [
                (&before, (|line: &DiffLine<'_>| line.line_before) as fn(&DiffLine<'_>) -> Option<usize>),
                (&after, |line| line.line_after),
            ] {
                let own: Vec<(usize, &str)> =
                    lines.iter().filter_map(|line| Some((place(line)?, line.text))).collect();
                let wanted: Vec<(usize, &str)> =
                    whole.lines().enumerate().map(|(at, line)| (at + 1, line)).collect();
                assert_eq!(own, wanted, "seed {seed}");
            }
        }
    }

    #[test]
    fn texts_with_too_many_different_lines_are_still_compared() {
        let long = |word: &str| -> String { (0..3_000).map(|n| format!("{word}{n}\n")).collect() };
        let (before, after) = (format!("head\n{}", long("a")), format!("head\n{}", long("b")));
        let lines = diff(&before, &after);
        assert_eq!(lines.len(), 6_001);
        assert_eq!(lines[0].kind, DiffKind::Same);
    }
}
