//! The campaign that a command names: by its file, or by its name in the store, as the console made it.

use super::Failure;
use crate::config::campaign::CampaignFiles;
use crate::config::{Config, LoadedCampaign};
use crate::store::scope::FIRST_ENTERPRISE;
use crate::store::{CampaignRecord, Reader, Store};
use paceline_core::campaign::is_system_name;
use paceline_core::ids::CampaignId;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names that a refusal lists.
const NAMES_SHOWN: usize = 5;
/// From this likeness on a name is a near one.
const NEAR: f64 = 0.75;

/// A campaign, and where it was found.
pub(super) struct Named {
    pub loaded: LoadedCampaign,
    /// `None` = by its file.
    pub row: Option<CampaignId>,
}

impl Named {
    /// Whether the text names a list that can be read here; that of a campaign of the console was uploaded.
    pub fn has_list_file(&self) -> bool {
        self.row.is_none() || !self.loaded.written.list.file.is_empty()
    }
}

/// The campaign of a file or name.
///
/// # Errors
/// The file cannot be read or has faults, or there is no such campaign; then near names are listed.
pub(super) async fn find(named: &Path, config: &Config) -> Result<Named, Failure> {
    if is_file(named) {
        return Ok(Named { loaded: super::campaign(named, config)?, row: None });
    }
    let name = named.display().to_string();
    let no_file = |error| Failure::refused(format!("there is no campaign file `{name}`, and {error}"));
    let mut reader = Store::open_reader(&config.store.url).await.map_err(no_file)?;
    let all = reader.campaigns().await.map_err(Failure::unexpected)?;
    let own = all.into_iter().filter(|it| it.enterprise == FIRST_ENTERPRISE && !is_system_name(&it.name));
    let own: Vec<CampaignRecord> = own.collect();
    let Some(record) = own.iter().find(|it| it.name == name) else {
        let names: Vec<&str> = own.iter().map(|it| it.name.as_str()).collect();
        return Err(Failure::refused(unknown(&name, &names)));
    };
    let loaded = from_row(&mut reader, record, config).await?;
    Ok(Named { loaded, row: Some(record.id) })
}

/// As [`find`], for commands that take a campaign's file in: a name stands for the file that the campaign is from.
///
/// # Errors
/// As [`find`]; a campaign that was made in the console has no file.
pub(super) async fn file_of(named: &Path, config: &Config) -> Result<PathBuf, Failure> {
    if is_file(named) {
        return Ok(named.to_owned());
    }
    let found = find(named, config).await?;
    let mut reader = Store::open_reader(&config.store.url).await.map_err(Failure::refused)?;
    let Some(id) = found.row else { return Ok(named.to_owned()) };
    let (file, _) = reader.campaign_source(id).await.map_err(Failure::unexpected)?;
    file.map(PathBuf::from).ok_or_else(|| {
        Failure::refused(format!(
            "the campaign `{}` was made in the console and has no file: start it and give it lists there, while \
             `paceline serve` runs",
            named.display()
        ))
    })
}

/// A path is a file; a bare word is one if it is there.
fn is_file(named: &Path) -> bool {
    let is_bare = named.components().count() == 1 && named.extension().is_none_or(|it| it != "toml");
    !is_bare || named.is_file()
}

/// The campaign of a row, with its sounds in the object store.
async fn from_row(
    reader: &mut Reader,
    record: &CampaignRecord,
    config: &Config,
) -> Result<LoadedCampaign, Failure> {
    let (file, objects) = reader.campaign_source(record.id).await.map_err(Failure::unexpected)?;
    let folder = config.files.folder(&config.store.file());
    let objects: BTreeMap<String, PathBuf> =
        objects.into_iter().map(|(name, path)| (name, folder.join(path))).collect();
    let files = CampaignFiles { file: file.map(PathBuf::from), objects };
    let mut loaded = LoadedCampaign::parse_row(&record.toml, &files, config).map_err(Failure::refused)?;
    if files.file.is_none() {
        loaded.file = PathBuf::from(&record.name);
        // Of several campaigns none overwrites another's results.
        loaded.results_dir = Path::new(&record.name).join(&loaded.written.results.dir);
    }
    Ok(loaded)
}

/// Why a name is none, with names that are.
fn unknown(name: &str, names: &[&str]) -> String {
    let mut near: Vec<(f64, &str)> =
        names.iter().map(|known| (strsim::jaro_winkler(name, known), *known)).collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    let list = |names: &mut dyn Iterator<Item = &str>| {
        names.take(NAMES_SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let alike = list(&mut near.iter().filter(|(likeness, _)| *likeness >= NEAR).map(|(_, name)| *name));
    let hint = match (names.len(), alike.is_empty()) {
        (0, _) => "the store has none yet".to_owned(),
        (_, false) => format!("did you mean {alike}?"),
        (count, true) if count > NAMES_SHOWN => {
            format!("the store has {count}, among them {}", list(&mut names.iter().copied()))
        }
        (_, true) => format!("the store has {}", list(&mut names.iter().copied())),
    };
    format!("there is no campaign file and no campaign of the name `{name}`; {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_lists_near_names_first() {
        let names = ["spring-vote", "spring-vote-2", "autumn", "repairs", "fees", "parking"];
        let said = |name| unknown(name, &names);
        assert!(
            said("sprin-vote").ends_with("did you mean `spring-vote`, `spring-vote-2`?"),
            "{}",
            said("sprin-vote")
        );
        assert!(said("zzz").contains("the store has 6, among them `spring-vote`, "), "{}", said("zzz"));
        assert!(unknown("x", &names[..1]).ends_with("the store has `spring-vote`"));
        assert!(unknown("x", &[]).ends_with("the store has none yet"));
    }

    #[test]
    fn a_path_is_a_file_and_a_word_a_name() {
        for (named, is_path) in
            [("spring", false), ("a/spring", true), ("spring.toml", true), ("./spring", true)]
        {
            assert_eq!(is_file(Path::new(named)), is_path, "{named}");
        }
    }
}
