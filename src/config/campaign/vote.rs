//! `[vote]` of `campaign.toml`: what an owners' vote is counted by, and what cannot be meant.

use super::tables::CampaignFile;
use crate::config::problem::{Source, nearest};
use paceline_core::vote::{Joint, Threshold, Voice, VoteRules};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most owners, and square metres, that an estate may have.
const OWNERS_MAX: u32 = 10_000_000;
const AREA_MAX: f64 = 1_000_000_000.0;

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VoteTable {
    /// Column of the list with the floor area in square metres; empty = found by header name. It is read when a list is
    /// taken in.
    pub area: String,
    /// Owners of the whole estate, with those that the list lacks; 0 = as many as the list has.
    pub owners_total: u32,
    /// Floor area of the whole estate in square metres; 0 = as much as the list has.
    pub area_total: f64,
    /// Owners of one flat count together as one head (`one`), or each as a head with an equal part of its area (`each`).
    pub joint: JointWord,
    /// Share of the owners who must take part.
    pub quorum_heads: String,
    /// Share of the floor area that must take part.
    pub quorum_area: String,
    /// Share of those who take part, by heads and by area, who must agree: `1/2` is more than half, any other share is
    /// enough when it is reached.
    pub majority: String,
    /// Which results of keys and which codes of dispositions say what.
    pub results: VoteResultsTable,
    /// The campaign drains once the vote is certain or out of reach.
    pub stop: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JointWord {
    #[default]
    One,
    Each,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VoteResultsTable {
    /// The owner agrees.
    pub agree: Vec<String>,
    /// The owner is against it.
    pub against: Vec<String>,
    /// The owner takes part and abstains.
    pub abstain: Vec<String>,
}

impl Default for VoteTable {
    fn default() -> Self {
        VoteTable {
            area: String::new(),
            owners_total: 0,
            area_total: 0.0,
            joint: JointWord::default(),
            quorum_heads: "2/3".into(),
            quorum_area: "2/3".into(),
            majority: "1/2".into(),
            results: VoteResultsTable::default(),
            stop: false,
        }
    }
}

impl VoteResultsTable {
    fn lists(&self) -> [(&'static str, Voice, &[String]); 3] {
        [
            ("agree", Voice::Agree, &self.agree),
            ("against", Voice::Against, &self.against),
            ("abstain", Voice::Abstain, &self.abstain),
        ]
    }
}

/// How the vote of a campaign is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct VotePlan {
    pub rules: VoteRules,
    /// What results of keys and codes of dispositions say.
    pub voices: BTreeMap<String, Voice>,
    pub stop: bool,
}

impl VotePlan {
    /// Of a campaign's text that was checked when it was saved; `None` = it counts no vote, or is of another program.
    pub fn of_text(toml: &str) -> Option<VotePlan> {
        let file = toml::from_str::<CampaignFile>(toml).ok()?;
        (!file.vote.results.agree.is_empty()).then(|| VotePlan::of(&file.vote))
    }

    fn of(table: &VoteTable) -> VotePlan {
        let share = |text: &str, usual| Threshold::parse(text).unwrap_or(usual);
        let rules = VoteRules {
            joint: match table.joint {
                JointWord::One => Joint::One,
                JointWord::Each => Joint::Each,
            },
            quorum_heads: share(&table.quorum_heads, Threshold::TWO_THIRDS),
            quorum_area: share(&table.quorum_area, Threshold::TWO_THIRDS),
            majority: share(&table.majority, Threshold::HALF),
            heads_total: (table.owners_total > 0).then_some(u64::from(table.owners_total)),
            // A float becomes the nearest whole number that the type has.
            area_total: (table.area_total > 0.0).then_some((table.area_total * 100.0).round() as u64),
        };
        let said = |(_, voice, names): (_, Voice, &[String])| {
            names.iter().map(|name| (name.clone(), voice)).collect::<Vec<_>>()
        };
        VotePlan {
            rules,
            voices: table.results.lists().into_iter().flat_map(said).collect(),
            stop: table.stop,
        }
    }

    /// What an owner said: the agent's disposition goes before the key, since it is given after it.
    pub fn voice(&self, result: Option<&str>, disposition: Option<&str>) -> Option<Voice> {
        let said = |word: Option<&str>| word.and_then(|word| self.voices.get(word)).copied();
        said(disposition).or_else(|| said(result))
    }
}

/// Reports what a vote cannot be counted by.
pub(super) fn check(file: &CampaignFile, source: &mut Source<'_>) {
    let table = &file.vote;
    if table.owners_total > OWNERS_MAX {
        let found = format!("owners_total = {}", table.owners_total);
        source.fault(&["vote", "owners_total"], found, "write 0 (as many as the list has) to 10000000");
    }
    if !(0.0..=AREA_MAX).contains(&table.area_total) {
        let found = format!("area_total = {}", table.area_total);
        source.fault(&["vote", "area_total"], found, "write 0 (as much as the list has) to 1000000000");
    }
    for (key, text) in [
        ("quorum_heads", &table.quorum_heads),
        ("quorum_area", &table.quorum_area),
        ("majority", &table.majority),
    ] {
        if Threshold::parse(text).is_none() {
            let found = format!("`{}` is no share", text.escape_debug());
            source.fault(&["vote", key], found, "write two whole numbers up to 1000, as in 1/2, 2/3 or 3/4");
        }
    }
    check_results(file, &table.results, source);
}

fn check_results(file: &CampaignFile, results: &VoteResultsTable, source: &mut Source<'_>) {
    let keys = file.keys.values().map(|key| key.result.as_str()).filter(|result| !result.is_empty());
    let codes = file.dispositions.iter().map(|disposition| disposition.code.as_str());
    let known: Vec<&str> = keys.chain(codes).collect();
    if results.agree.is_empty() && file.vote != VoteTable::default() {
        let hint = "name the results of keys and the codes of dispositions that say so: \
                    results = { agree = [\"…\"] }";
        source.lack(&["vote", "results", "agree"], "nothing says that an owner agrees", hint);
    }
    let mut seen: Vec<&str> = Vec::new();
    for (key, _, names) in results.lists() {
        let path = ["vote", "results", key];
        for name in names {
            if !known.contains(&name.as_str()) {
                let found = format!("`{}` is the result of no key and no disposition", name.escape_debug());
                let hint = match nearest(name, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => "give a key a result, or write [[dispositions]]".to_owned(),
                    None => format!("known are: {}", known.join(", ")),
                };
                source.fault(&path, found, hint);
            }
            if seen.contains(&name.as_str()) {
                source.fault(&path, format!("`{}` stands there twice", name.escape_debug()), "remove one");
            }
            seen.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::campaign::LoadedCampaign;
    use std::path::Path;

    const HEAD: &str = "name = \"vote\"\nmode = \"announce\"\n[list]\nfile = \"list.csv\"\n[announcement]\n\
                        file = \"notice.mp3\"\n[keys]\n1 = { result = \"agree\" }\n2 = { result = \"against\" }\n\
                        [vote]\n";

    fn parse(more: &str) -> Result<LoadedCampaign, String> {
        let file = Path::new("campaigns/vote/campaign.toml");
        LoadedCampaign::parse(file, format!("{HEAD}{more}"), &Config::default())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_vote_has_the_thresholds_of_the_law_unless_it_says_others() {
        let least = parse("results = { agree = [\"agree\"], against = [\"against\"] }\n").expect("a vote");
        let plan = VotePlan::of_text(&least.text).expect("a plan");
        assert_eq!(plan.rules.quorum_heads, Threshold::TWO_THIRDS);
        assert_eq!((plan.rules.majority, plan.rules.heads_total), (Threshold::HALF, None));
        assert_eq!(plan.voice(Some("agree"), None), Some(Voice::Agree));
        assert_eq!(plan.voice(Some("agree"), Some("against")), Some(Voice::Against));
        assert_eq!(plan.voice(Some("agree"), Some("busy")), Some(Voice::Agree));
        assert_eq!(plan.voice(None, None), None);
        let more = parse(
            "area = \"面积\"\nowners_total = 9866\narea_total = 914203.55\nmajority = \"3/4\"\njoint = \"each\"\n\
             results = { agree = [\"agree\"] }\n",
        );
        let loaded = more.expect("a vote");
        assert_eq!(loaded.list.floor_area, "面积");
        let rules = VotePlan::of_text(&loaded.text).expect("a plan").rules;
        assert_eq!(
            (rules.heads_total, rules.area_total, rules.joint),
            (Some(9_866), Some(91_420_355), Joint::Each)
        );
        assert_eq!(rules.majority, Threshold { part: 3, of: 4 });
    }

    #[test]
    fn a_fault_of_a_vote_names_its_line_and_the_way_out() {
        for (more, expected) in [
            ("stop = true\n", "campaign.toml:10: nothing says that an owner agrees; name the results"),
            ("results = { agree = [\"agre\"] }\n", "campaign.toml:11: `agre` is the result of no key"),
            ("results = { agree = [\"agre\"] }\n", "did you mean `agree`?"),
            ("results = { agree = [\"agree\"], against = [\"agree\"] }\n", "`agree` stands there twice"),
            (
                "majority = \"half\"\nresults = { agree = [\"agree\"] }\n",
                "campaign.toml:11: `half` is no share",
            ),
            ("quorum_area = \"3/2\"\nresults = { agree = [\"agree\"] }\n", "`3/2` is no share; write two"),
            ("area_total = -1.0\nresults = { agree = [\"agree\"] }\n", "area_total = -1; write 0"),
            ("area_total = nan\nresults = { agree = [\"agree\"] }\n", "area_total = NaN; write 0"),
            ("owners_total = 10000001\nresults = { agree = [\"agree\"] }\n", "owners_total = 10000001"),
            ("quorum = \"1/2\"\n", "unknown key `quorum`"),
        ] {
            let error = parse(more).expect_err(more);
            assert!(error.contains(expected), "{error}\nshould contain {expected}");
        }
    }
}
