//! `campaign.toml`: reads and checks the file. Its tables are in `tables`, their conversion in `rules`.

pub mod diff;
pub mod edit;
mod further_lists;
mod named_files;
mod row_guard;
mod rules;
pub mod sample;
pub mod tables;
pub mod vote;

use super::problem::{ConfigError, Problem, Source, unreadable};
use super::settings::Config;
use super::texts;
use crate::lists::ListSpec;
pub use further_lists::{further_list_note, further_lists, without_further_lists};
pub use named_files::{FileUse, NamedFile, is_flat, named_files};
use paceline_core::campaign::{Campaign, Mode, Share};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tables::BlacklistRowsWord;
pub use tables::CampaignFile;

/// A campaign file that was read and checked, also against `paceline.toml`.
#[derive(Clone, Debug)]
pub struct LoadedCampaign {
    /// The core's rules. Campaign and group ids and the announcement's length are 0 until the store and the
    /// sound file give them.
    pub rules: Campaign,
    pub title: String,
    pub file: PathBuf,
    pub text: String,
    pub list: ListSpec,
    pub announcement: Option<PathBuf>,
    /// The group of agents that answers, by name.
    pub group: Option<String>,
    pub sorry: Option<PathBuf>,
    pub results_dir: PathBuf,
    /// Warnings for the manager; the campaign can run with them.
    pub warnings: Vec<String>,
    /// What the campaign of a row lacks before it can be opened; empty for a file.
    pub lacks: Vec<Problem>,
    /// The tables as they are written, with the defaults of what is left out.
    pub written: CampaignFile,
}

/// The files that the names in a row's text stand for.
#[derive(Clone, Debug, Default)]
pub struct CampaignFiles {
    /// The campaign file that the row was made from; other files lie beside it.
    pub file: Option<PathBuf>,
    /// Sounds and other objects by their names.
    pub objects: BTreeMap<String, PathBuf>,
}

impl CampaignFiles {
    /// The campaign file, or the name that stands for it in problems.
    fn shown_file(&self) -> PathBuf {
        self.file.clone().unwrap_or_else(|| "campaign.toml".into())
    }

    fn resolve(&self, name: &str) -> Option<PathBuf> {
        let beside = || Some(self.file.as_ref()?.parent()?.join(name));
        self.objects.get(name).cloned().or_else(beside)
    }
}

impl LoadedCampaign {
    /// What it asks of lines that campaigns share.
    pub fn share(&self) -> Share {
        let calling = &self.written.calling;
        Share { priority: calling.priority, weight: calling.weight, lines_reserved: calling.lines_reserved }
    }

    /// Reads a campaign file.
    ///
    /// # Errors
    /// All problems at once where possible, each with file and line.
    pub fn load(file: &Path, config: &Config) -> Result<LoadedCampaign, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
        LoadedCampaign::parse(file, text, config)
    }

    /// As `load`, from a text. Paths in the text are relative to the folder of `file`.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse(file: &Path, text: String, config: &Config) -> Result<LoadedCampaign, ConfigError> {
        let files = CampaignFiles { file: Some(file.to_owned()), objects: BTreeMap::new() };
        let mut source = Source::new(file, &text);
        let written: CampaignFile = source.parse()?;
        texts::check(&mut source);
        build(written, &text, source, &files, config)
    }

    /// The campaign of a row: its list may be uploaded instead of named, and what it lacks before it can be opened is
    /// no problem yet.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse_row(
        text: &str,
        files: &CampaignFiles,
        config: &Config,
    ) -> Result<LoadedCampaign, ConfigError> {
        let file = files.shown_file();
        let source = Source::of_row(&file, text, &files.objects);
        let written: CampaignFile = source.parse()?;
        build(written, text, source, files, config)
    }

    /// As `parse_row`, for the text of a campaign folder that was sent: each file that it names lies in the folder,
    /// under the same name.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse_folder(
        text: &str,
        files: &CampaignFiles,
        config: &Config,
    ) -> Result<LoadedCampaign, ConfigError> {
        let file = files.shown_file();
        let mut source = Source::of_row(&file, text, &files.objects);
        let written: CampaignFile = source.parse()?;
        texts::check(&mut source);
        row_guard::check_folder(&written, |name| files.objects.contains_key(name), &mut source);
        if !source.problems.is_empty() {
            let problems = source.problems;
            return Err(ConfigError { problems });
        }
        build(written, text, source, files, config)
    }

    /// As `parse_row`, for a text that comes over the API in the place of `before`: it names no file of the server.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse_change(
        text: &str,
        before: Option<&CampaignFile>,
        files: &CampaignFiles,
        config: &Config,
    ) -> Result<LoadedCampaign, ConfigError> {
        let file = files.shown_file();
        let mut source = Source::of_row(&file, text, &files.objects);
        let written: CampaignFile = source.parse()?;
        texts::check(&mut source);
        row_guard::check(before, &written, |name| files.objects.contains_key(name), &mut source);
        // No file is read that the check has refused.
        if !source.problems.is_empty() {
            let problems = source.problems;
            return Err(ConfigError { problems });
        }
        build(written, text, source, files, config)
    }
}

fn build(
    written: CampaignFile,
    text: &str,
    mut source: Source<'_>,
    files: &CampaignFiles,
    config: &Config,
) -> Result<LoadedCampaign, ConfigError> {
    let rules = rules::to_core(&written, config, &mut source);
    vote::check(&written, &mut source);
    if written.list.file.is_empty() && !source.is_row {
        source.fault(&["list", "file"], "no list", "name a .csv, .txt or .xlsx file");
    }
    let sound = |name: &str| files.resolve(name).filter(|_| !name.is_empty());
    let (announcement, sorry) = (sound(&written.announcement.file), sound(&written.announcement.sorry));
    if announcement.is_none() && rules.mode == Mode::Announce {
        source.lack(&["announcement", "file"], "no announcement", "name a WAV or MP3 file");
    }
    if rules.pacing.shadow.is_some() && rules.agents.is_none() {
        source.fault(&["pacing", "shadow"], "no agents", "a shadow needs a campaign with an [agents] group");
    }
    let lacks = std::mem::take(&mut source.lacks);
    source.finish()?;
    let warnings = rules::calling_warnings(&written, &rules.windows);
    let dir = files.shown_file().parent().map(Path::to_owned).unwrap_or_default();
    let list = &written.list;
    Ok(LoadedCampaign {
        title: if written.title.is_empty() { written.name.clone() } else { written.title.clone() },
        list: ListSpec {
            file: dir.join(&list.file),
            sheets: list.sheet.to_vec(),
            phones: list.phones.clone(),
            household: list.household.to_vec(),
            name: list.name.clone(),
            region: list.region.clone(),
            blacklists: list.blacklists.iter().map(|file| dir.join(file)).collect(),
            floor_area: written.vote.area.clone(),
            skip_blacklist_rows: list.blacklist_rows == BlacklistRowsWord::Skip,
            ..ListSpec::default()
        },
        announcement,
        group: Some(written.agents.group.clone()).filter(|group| !group.is_empty()),
        sorry,
        results_dir: dir.join(&written.results.dir),
        file: files.shown_file(),
        rules,
        text: text.to_owned(),
        warnings,
        lacks,
        written,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::pacing::ledger::RuleSet;
    use paceline_core::time::Duration;

    const LEAST: &str = "name = \"vote\"\nmode = \"announce\"\n[list]\nfile = \"list.csv\"\n\
                         [announcement]\nfile = \"notice.mp3\"\n";

    fn parse(text: &str) -> Result<LoadedCampaign, String> {
        let file = Path::new("campaigns/vote/campaign.toml");
        LoadedCampaign::parse(file, text.into(), &Config::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_minimal_file_has_the_documented_defaults() {
        let campaign = parse(LEAST).expect("a campaign");
        assert_eq!(campaign.rules.ring, Duration::from_secs(45));
        assert_eq!(campaign.rules.retry.attempts_max, 3);
        assert_eq!(campaign.rules.windows.windows[0].from_minute, 480);
        assert_eq!(campaign.list.file, Path::new("campaigns/vote/list.csv"));
        assert_eq!(campaign.results_dir, Path::new("campaigns/vote/results"));
    }

    #[test]
    fn problems_name_the_line_and_what_to_do() {
        let check = |more: &str, expected: &str| {
            let error = parse(&format!("{LEAST}{more}")).expect_err(more);
            assert!(error.contains(expected), "{error}\nshould contain {expected}");
        };
        check("[callin]\nring_secs = 3\n", "campaign.toml:7: unknown key `callin`; did you mean `calling`?");
        check("[calling]\nring_secs = 3\n", "campaign.toml:8: ring_secs = 3; write 5 to 180");
        check("[calling]\nconcurrency_max = 1000\n", "campaign.toml:8: concurrency_max = 1000");
        check(
            "[calling]\ntimezone = \"Asia/Shanghia\"\n",
            "campaign.toml:8: `Asia/Shanghia` is no time zone",
        );
        check("[calling]\nring_secs = \"long\"\n", "campaign.toml:8: ring_secs: invalid type: string");
        check(
            "[retry.after]\nno_anwser = \"2h\"\n",
            "campaign.toml:8: `no_anwser` is no outcome; did you mean `no_answer`?",
        );
        check("[retry.after]\nanswered = \"2h\"\n", "`answered` cannot be retried");
        check("[retry]\ngap_min = \"half an hour\"\n", "campaign.toml:8: `half an hour` is no span");
        check("[keys]\n12 = { result = \"x\" }\n", "campaign.toml:8: `12` is no key");
        check("[keys]\n1 = { }\n", "campaign.toml:8: key 1 does nothing");
        check(
            "[calling]\nholidays = [\"days.txt\"]\n",
            "a file is named alone, without brackets: holidays = \"days.txt\"",
        );
        check("[caller_ids]\nnumbers = [\"110\"]\n", "campaign.toml:8: `110` is no number to show");
        check("[calling]\nstart = \"2026-11-22\"\nend = \"2026-11-21\"\n", "campaign.toml:9: the end");
    }

    #[test]
    fn the_abandon_rules_are_read_by_their_words() {
        let pacing = |more: &str| parse(&format!("{LEAST}{more}")).expect("a campaign").rules.pacing;
        let day = Duration::from_secs(24 * 3600);
        let least = pacing("");
        assert_eq!((least.abandon_rules, least.abandoned_rest), (RuleSet::default(), day * 3));
        let several = "[pacing]\nabandon_rules = [\"us_tsr\", \"rolling_24h\"]\nabandoned_rest = \"2d\"\n";
        let several = pacing(several);
        let rules: Vec<&str> = several.abandon_rules.iter().map(|rule| rule.word()).collect();
        assert_eq!((rules, several.abandoned_rest), (vec!["us_tsr", "rolling_24h"], day * 2));
        let word = serde_json::to_value(several.abandon_rules).expect("json");
        assert_eq!(word, serde_json::json!(["us_tsr", "rolling_24h"]));
        assert_eq!(serde_json::from_value::<RuleSet>(word).expect("a set"), several.abandon_rules);
        assert_eq!(pacing("[retry.after]\nabandoned = \"1d\"\n").abandoned_rest, day, "as the lead rests");
        for (more, expected) in [
            ("[pacing]\nabandon_rules = []\n", "campaign.toml:8: no rule says what the ceiling is of"),
            ("[pacing]\nabandon_rules = [\"fcc\"]\n", "us_tsr"),
            ("[pacing]\nabandoned_rest = \"soon\"\n", "campaign.toml:8: `soon` is no span"),
            (
                "[[dispositions]]\ncode = \"x\"\nstate = \"done\"\nmachine = true\ndefault = true\n",
                "is the default and says that a machine",
            ),
        ] {
            let error = parse(&format!("{LEAST}{more}")).expect_err(more);
            assert!(error.contains(expected), "{error}\nshould contain {expected}");
        }
    }

    #[test]
    fn a_row_needs_no_list_and_says_what_it_lacks() {
        let text = "name = \"vote\"\nmode = \"predictive\"\n";
        let files = CampaignFiles::default();
        let loaded = LoadedCampaign::parse_row(text, &files, &Config::default()).expect("a draft");
        let lacks: Vec<&str> = loaded.lacks.iter().filter_map(|lack| lack.key.as_deref()).collect();
        assert_eq!(lacks, ["mode"]);
        let announce = text.replace("predictive", "announce");
        let loaded = LoadedCampaign::parse_row(&announce, &files, &Config::default()).expect("a draft");
        assert_eq!(loaded.lacks[0].key.as_deref(), Some("announcement.file"));
    }

    #[test]
    fn a_text_over_the_api_names_no_file_of_the_server() {
        let least = "name = \"vote\"\nmode = \"announce\"\n";
        let objects = BTreeMap::from([("notice.wav".to_owned(), PathBuf::from("/objects/1"))]);
        let files = CampaignFiles { file: None, objects };
        let change = |more: &str, before: Option<&CampaignFile>| {
            LoadedCampaign::parse_change(&format!("{least}{more}"), before, &files, &Config::default())
        };
        for (more, key) in [
            ("[results]\ndir = \"/etc\"\n", "results.dir"),
            ("[list]\nfile = \"/etc/passwd\"\n", "list.file"),
            ("[list]\nblacklists = [\"../x.csv\"]\n", "list.blacklists"),
            ("[announcement]\nfile = \"../notice.wav\"\n", "announcement.file"),
            ("[announcement]\nfile = \"other.wav\"\n", "announcement.file"),
            ("[announcement]\nsorry = \"a/b.wav\"\n", "announcement.sorry"),
            ("[calling]\nholidays = \"../days.ics\"\n", "calling.holidays"),
        ] {
            let error = change(more, None).expect_err(more);
            assert_eq!(error.problems[0].key.as_deref(), Some(key), "{error}");
            assert_eq!(error.problems[0].line, Some(4), "{error}");
        }
        let loaded = change("[announcement]\nfile = \"notice.wav\"\n", None).expect("a known sound");
        assert_eq!(loaded.announcement.as_deref(), Some(Path::new("/objects/1")));
        // What the text said before may stay.
        let old = "[results]\ndir = \"out\"\n[list]\nfile = \"list.csv\"\nblacklists = [\"../x.csv\"]\n";
        let file = Path::new("/campaigns/vote/campaign.toml");
        let text = format!("{least}[announcement]\nfile = \"../a.wav\"\n{old}");
        let before = LoadedCampaign::parse(file, text.clone(), &Config::default()).expect("a file").written;
        let files = CampaignFiles { file: Some(file.to_owned()), objects: BTreeMap::new() };
        let kept =
            LoadedCampaign::parse_change(&text, Some(&before), &files, &Config::default()).expect("kept");
        assert_eq!(kept.announcement.as_deref(), Some(Path::new("/campaigns/vote/../a.wav")));
    }

    #[test]
    fn several_problems_are_reported_together() {
        let error =
            parse(&format!("{LEAST}[calling]\nring_secs = 1\nconcurrency_max = 5000\n")).expect_err("two");
        assert_eq!(error.lines().count(), 2, "{error}");
    }

    #[test]
    fn other_modes_need_a_group_of_agents() {
        let error = parse(&LEAST.replace("announce\"", "predictive\"")).expect_err("no agents");
        assert!(error.contains("campaign.toml:2: mode `predictive` needs agents"), "{error}");
        let staffed = format!("{}[agents]\ngroup = \"team\"\n", LEAST.replace("announce\"", "predictive\""));
        assert_eq!(parse(&staffed).expect("agents").rules.mode, Mode::Predictive);
    }

    #[test]
    fn caller_ids_are_read_in_every_form_and_ambiguous_ones_are_refused() {
        let with = |region: &str, number: &str| {
            let list = format!("[list]\nfile = \"list.csv\"\nregion = \"{region}\"");
            let text = LEAST.replace("[list]\nfile = \"list.csv\"", &list);
            parse(&format!("{text}[caller_ids]\nnumbers = [\"{number}\"]\n"))
        };
        for (region, number, e164) in [
            ("CN", "+8675512345678", 8_675_512_345_678),
            ("CN", "0755-12345678", 8_675_512_345_678),
            ("CN", "95188", 8_695_188),
            ("CN", "+442079460000", 442_079_460_000),
            ("GB", "020 7946 0000", 442_079_460_000),
        ] {
            let loaded = with(region, number).expect(number);
            assert_eq!(loaded.rules.caller_ids.numbers[0].number.as_u64(), e164, "{number}");
        }
        let error = with("CN", "14155550100").expect_err("two numbers");
        assert!(error.contains("+14155550100") && error.contains("+8614155550100"), "{error}");
        let error = with("CN", "110").expect_err("an emergency number");
        assert!(error.contains("`110` is no number to show"), "{error}");
        let error = parse(&format!("{LEAST}[caller_ids]\nnumbers = [\"95188\", \"+8695188\"]\n"));
        assert!(error.expect_err("one number").contains("twice"));
    }
}
