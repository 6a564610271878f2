//! Topics of the live stream: what a reader asks for beside what it may see.

use super::problem::Problem;
use std::collections::BTreeSet;

/// The topics that a reader asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topics {
    /// Without `topics` a reader gets all that it may see.
    is_all: bool,
    words: BTreeSet<String>,
    /// Groups whose seats are read, by name.
    groups: BTreeSet<String>,
}

/// Topics of one stream.
const TOPICS_MAX: usize = 50;

impl Topics {
    pub const WORDS: [&'static str; 7] =
        ["seats", "campaigns", "trunks", "approvals", "caller_ids", "tasks", "me"];

    /// # Errors
    /// 422 for a topic that this service does not have.
    pub fn parse(text: Option<&str>) -> Result<Topics, Problem> {
        let mut topics = Topics { is_all: text.is_none(), words: BTreeSet::new(), groups: BTreeSet::new() };
        for (n, topic) in
            text.unwrap_or_default().split(',').map(str::trim).filter(|it| !it.is_empty()).enumerate()
        {
            match topic.split_once(':') {
                _ if n >= TOPICS_MAX => {
                    return Err(Problem::unprocessable(format!("topics: at most {TOPICS_MAX}")));
                }
                Some(("seats", group)) if !group.is_empty() => topics.groups.insert(group.to_owned()),
                None if Topics::WORDS.contains(&topic) => topics.words.insert(topic.to_owned()),
                _ => {
                    let all = Topics::WORDS.join(", ");
                    let detail =
                        format!("topics: some of {all}, seats:GROUP, with commas; there is no `{topic}`");
                    return Err(Problem::unprocessable(detail.escape_debug().to_string()));
                }
            };
        }
        Ok(topics)
    }

    pub fn has(&self, word: &str) -> bool {
        self.is_all || self.words.contains(word)
    }

    pub fn groups(&self) -> &BTreeSet<String> {
        &self.groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_words_and_groups() {
        let topics = Topics::parse(Some("campaigns, seats:vote,me")).expect("topics");
        assert!(topics.has("campaigns") && topics.has("me") && !topics.has("seats") && !topics.has("tasks"));
        assert_eq!(topics.groups().iter().collect::<Vec<_>>(), ["vote"]);
        assert!(Topics::parse(None).is_ok_and(|topics| topics.has("tasks")));
        for unknown in ["weather", "seats:", "campaigns:x", "me,calls"] {
            assert!(Topics::parse(Some(unknown)).is_err(), "{unknown}");
        }
    }
}
