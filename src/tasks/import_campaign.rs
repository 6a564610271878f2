//! Takes a campaign in: from its folder as a zip, or by opening a campaign file of the server. Of a folder everything
//! is checked before the first row is written; then text, files, sounds and the list's row come in one change, and the
//! list is checked and loaded like one that a person uploads.

use super::asked_by::AskedBy;
use super::check_list::{blob, remove};
use super::context::{TaskContext, TaskEnd, Words};
use super::folder_zip::{FolderZip, TEXT_NAME};
use super::opening::{OpenCampaign, OpenRefusal, UseText};
use super::{Changed, Shared, check_list, load_list};
use crate::audio::Sound;
use crate::config::campaign::{CampaignFiles, FileUse, NamedFile, edit, further_lists, named_files};
use crate::config::{CampaignFile, Config, ConfigError, LoadedCampaign};
use crate::files::{Files, Kind, Stored, Temporary};
use crate::lists;
use crate::store::blobs::BlobId;
use crate::store::campaign_imports::{EnteredFolder, FolderPart, FolderRefusal, NewFolderFile};
use crate::store::campaign_rows::{CampaignState, DesiredState, NewVersion};
use crate::store::list_uploads::{UploadId, UploadState};
use crate::store::task_rows::TaskRow;
use crate::store::{NewCampaign, StoreError, Subject};
use crate::text::fault_lines_zh;
use paceline_core::ids::CampaignId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;

/// Largest sound and largest file of days, in bytes; a list and a blacklist are bounded by the zip.
const SOUND_MAX: u64 = 64 << 20;
const HOLIDAYS_MAX: u64 = 1 << 20;
const LIST_MAX: u64 = 512 << 20;

/// The audit's words for a campaign that comes as a folder.
const ACTION: &str = "campaigns.edit";

/// What is imported, and in whose name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportWish {
    /// The campaign's name.
    pub campaign: String,
    /// The row of the folder's object.
    pub folder: Option<i64>,
    /// A campaign file of the server, which is opened.
    pub file: Option<PathBuf>,
    /// Replace those of the folder's text.
    pub names: FolderNames,
    pub paused: bool,
    pub use_text: Option<UseText>,
    pub asked_by: AskedBy,
    /// What this task has made so far.
    pub made: Option<Made>,
}

/// The name and the title under which a folder is taken in, instead of those of its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FolderNames {
    pub name: Option<String>,
    pub title: Option<String>,
}

impl FolderNames {
    /// The text with these names; nothing else of it changes.
    fn put_into(&self, text: String) -> Result<String, FolderFault> {
        let given = [("name", &self.name), ("title", &self.title)];
        let patch: serde_json::Map<String, Value> = given
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?.into())))
            .collect();
        if patch.is_empty() {
            return Ok(text);
        }
        // A text that is no TOML says so with its line.
        written_of(&text)?;
        edit::edit(&text, &patch).map_err(|error| {
            let en = error.to_string();
            FolderFault::Zip(Words::new(en.clone(), format!("无法改写 campaign.toml:{en}")))
        })
    }
}

/// What an import has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    pub campaign: i64,
    pub upload: Option<i64>,
    #[serde(default)]
    pub further: Vec<i64>,
}

impl Made {
    fn uploads(&self) -> impl Iterator<Item = UploadId> {
        self.upload.iter().chain(&self.further).copied().map(UploadId)
    }
}

/// Reads the text of a folder and checks it against the files beside it. Nothing is written; CPU and disk work, not
/// for an async task. Returns the campaign's name.
///
/// # Errors
/// What was found, where, and what to do; a text with faults gives all of them.
pub fn check_folder(
    path: &Path,
    names: &FolderNames,
    files: &Files,
    config: &Config,
) -> Result<String, FolderFault> {
    let mut folder = FolderZip::open(path).map_err(FolderFault::Zip)?;
    let text = names.put_into(folder.text().map_err(FolderFault::Zip)?)?;
    let written = written_of(&text)?;
    check_sizes(&folder, &text, &written).map_err(FolderFault::Zip)?;
    let mut kept = Vec::new();
    let mut objects = BTreeMap::new();
    for member in folder.members().to_vec() {
        // Only the days are read with the text; of the other files their presence counts.
        let is_read =
            named_files(&written).iter().any(|it| it.what == FileUse::Holidays && it.name == member.name);
        let mut place = PathBuf::from(&member.name);
        if is_read {
            let mut days = files.create().map_err(FolderFault::disk)?;
            folder.unpack(&member.name, &mut days, &mut |_| Ok::<(), Words>(())).map_err(FolderFault::Zip)?;
            place = days.path().to_owned();
            kept.push(days);
        }
        objects.insert(member.name, place);
    }
    let loaded = load(&text, objects, config).map_err(FolderFault::Text)?;
    Ok(loaded.rules.name)
}

/// What is wrong with a folder.
#[derive(Debug)]
pub enum FolderFault {
    Zip(Words),
    /// The campaign's text has faults.
    Text(ConfigError),
}

impl FolderFault {
    fn disk(error: std::io::Error) -> FolderFault {
        FolderFault::Zip(Words::new(
            format!("the disk cannot be written: {error}"),
            format!("磁盘无法写入:{error}"),
        ))
    }

    fn words(self) -> Words {
        match self {
            FolderFault::Zip(words) => words,
            FolderFault::Text(error) => {
                let en = error.to_string();
                let zh = format!("文件夹里的文本有 {} 处错误:{}", error.problems.len(), fault_lines_zh(&en));
                Words::new(format!("campaign.toml has faults: {en}"), zh)
            }
        }
    }
}

/// The tables of a text, without the checks of their values.
fn written_of(text: &str) -> Result<CampaignFile, FolderFault> {
    toml::from_str(text.trim_start_matches('\u{feff}')).map_err(|_| {
        // With file and line, as the checks say it.
        let checked = LoadedCampaign::parse_folder(text, &CampaignFiles::default(), &Config::default());
        match checked {
            Err(error) => FolderFault::Text(error),
            Ok(_) => FolderFault::Zip(Words::new("campaign.toml cannot be read", "campaign.toml 无法读取")),
        }
    })
}

fn load(
    text: &str,
    objects: BTreeMap<String, PathBuf>,
    config: &Config,
) -> Result<LoadedCampaign, ConfigError> {
    LoadedCampaign::parse_folder(text, &CampaignFiles { file: None, objects }, config)
}

/// The further lists of a text that lie in its folder.
fn further_of(text: &str, folder: &FolderZip) -> impl Iterator<Item = NamedFile> {
    let all = further_lists(text).into_iter().filter(|name| folder.member(name).is_some());
    all.map(|name| NamedFile { name, key: ["list", "file"], what: FileUse::List })
}

/// Refuses a file that is larger than its kind may be.
fn check_sizes(folder: &FolderZip, text: &str, written: &CampaignFile) -> Result<(), Words> {
    for file in named_files(written).into_iter().chain(further_of(text, folder)) {
        let most = match file.what {
            FileUse::List | FileUse::Blacklist => LIST_MAX,
            FileUse::Sound => SOUND_MAX,
            FileUse::Holidays => HOLIDAYS_MAX,
        };
        if let Some(member) = folder.member(&file.name).filter(|member| member.bytes > most) {
            let (name, most) = (&member.name, most >> 20);
            return Err(Words::new(
                format!("`{name}` is larger than {most} MiB: make it smaller"),
                format!("“{name}”超过 {most} MiB,请缩小后再打包"),
            ));
        }
    }
    Ok(())
}

pub(super) fn import_campaign(context: &mut TaskContext<'_>) -> Result<Value, TaskEnd> {
    let wish = wish_of(context.task).ok_or_else(|| {
        let en = "the request of this task cannot be read; ask again";
        TaskEnd::Failed(Words::new(en, "任务内容无法读取,请重新提交"))
    })?;
    if let Some(file) = wish.file.clone() {
        return open_file(context, &wish, file);
    }
    let mut ignored = Vec::new();
    let made = match wish.made.clone() {
        Some(made) => made,
        None => take_in(context, &wish, &mut ignored)?,
    };
    read_blacklists(context, CampaignId(made.campaign))?;
    let mut result = json!({ "campaign": wish.campaign, "ignored": ignored, "list": null, "further": [] });
    let mut lists = Vec::new();
    for upload in made.uploads() {
        lists.push(take_list_in(context, &wish, upload)?);
    }
    let mut lists = lists.into_iter();
    result["list"] = lists.next().unwrap_or(Value::Null);
    result["further"] = lists.collect::<Vec<Value>>().into();
    Ok(result)
}

fn wish_of(task: &TaskRow) -> Option<ImportWish> {
    serde_json::from_str(task.asked.as_deref()?).ok()
}

/// Opens a campaign file of the server, as a request without a task does.
fn open_file(context: &mut TaskContext<'_>, wish: &ImportWish, file: PathBuf) -> Result<Value, TaskEnd> {
    context.progress(0, 0)?;
    let closed =
        || TaskEnd::Failed(Words::new("this service opens no campaign files", "本服务不从文件打开任务"));
    let parts = &context.shared.parts;
    let openings = parts.openings.clone().ok_or_else(closed)?;
    let (answer, answered) = oneshot::channel();
    let opening = OpenCampaign { file, paused: wish.paused, use_text: wish.use_text, answer };
    context.wait(openings.send(opening)).map_err(|_| TaskEnd::Stopping)?;
    let name = match context.wait(answered) {
        // The service stops: the next one begins this task again.
        Err(_) => return Err(TaskEnd::Stopping),
        Ok(Ok(name)) => name,
        Ok(Err(OpenRefusal::ChangedInBoth(why) | OpenRefusal::Other(why))) => {
            return Err(TaskEnd::Failed(Words::new(
                why.clone(),
                format!("没有打开:{}", fault_lines_zh(&why)),
            )));
        }
    };
    let (store, asked_by) = (&parts.store, &wish.asked_by);
    let row = context.wait(store.campaign_row(&asked_by.scope(), &name))?;
    context.wait(async {
        let mut change =
            store.begin_change(&asked_by.actor(), ACTION, Subject::of("campaign", &name)).await?;
        if let Some(row) = row {
            let (desired, kept) = match wish.paused {
                true => (DesiredState::Paused, CampaignState::Paused),
                false => (DesiredState::Open, CampaignState::Running),
            };
            change.set_campaign_state(row.id, desired, kept, None).await?;
        }
        change.set_after(json!({ "action": "open", "paused": wish.paused }));
        change.commit().await
    })?;
    Ok(json!({ "campaign": name }))
}

/// A file of the folder that lies in the object store, under no row yet.
struct Unpacked {
    name: String,
    what: FileUse,
    is_further: bool,
    stored: Stored,
}

const fn object_kind(what: FileUse) -> Kind {
    match what {
        FileUse::List => Kind::List,
        FileUse::Sound => Kind::Audio,
        FileUse::Blacklist | FileUse::Holidays => Kind::CampaignPart,
    }
}

const fn part_of(what: FileUse) -> FolderPart {
    match what {
        FileUse::List => FolderPart::List,
        FileUse::Sound => FolderPart::Sound,
        FileUse::Blacklist | FileUse::Holidays => FolderPart::Other,
    }
}

/// Unpacks and checks the folder and enters the campaign. `ignored` gets the files that its text does not name.
fn take_in(
    context: &mut TaskContext<'_>,
    wish: &ImportWish,
    ignored: &mut Vec<String>,
) -> Result<Made, TaskEnd> {
    let parts = context.shared.parts.clone();
    let gone = || TaskEnd::Failed(Words::new("the zip is gone: send it again", "压缩包已不在,请重新上传"));
    let folder = context.wait(parts.store.blob(BlobId(wish.folder.ok_or_else(gone)?)))?;
    let path = parts.files.file(&folder.path)?;
    let mut zip = FolderZip::open(&path).map_err(TaskEnd::Failed)?;
    let text = zip.text().map_err(TaskEnd::Failed)?;
    let text = wish.names.put_into(text).map_err(|fault| TaskEnd::Failed(fault.words()))?;
    let written = written_of(&text).map_err(|fault| TaskEnd::Failed(fault.words()))?;
    check_sizes(&zip, &text, &written).map_err(TaskEnd::Failed)?;
    let mut named = named_files(&written);
    named.retain(|file| zip.member(&file.name).is_some());
    let mut seen = std::collections::BTreeSet::new();
    named.retain(|file| seen.insert(file.name.clone()));
    let further: Vec<NamedFile> =
        further_of(&text, &zip).filter(|file| seen.insert(file.name.clone())).collect();
    let is_further = |name: &str| further.iter().any(|file| file.name == name);
    named.extend(further.iter().cloned());
    let is_named = |name: &str| name == TEXT_NAME || named.iter().any(|file| file.name == name);
    ignored.extend(zip.members().iter().filter(|it| !is_named(&it.name)).map(|it| it.name.clone()));
    let total: u64 = named.iter().filter_map(|file| zip.member(&file.name)).map(|member| member.bytes).sum();
    if !parts.files.has_room(total)? {
        let en = "the disk of the service is nearly full, so the folder is not unpacked; ask its operator for room";
        return Err(TaskEnd::Failed(Words::new(en, "服务器磁盘将满,未解压;请联系运维人员清理空间")));
    }
    let mut unpacked = Unpackings { files: parts.files.clone(), all: Vec::new() };
    let mut temporaries = Vec::new();
    for file in &named {
        let mut out = parts.files.create()?;
        // No count: what a list has comes in rows later.
        zip.unpack(&file.name, &mut out, &mut |_| context.progress(0, 0))?;
        check_file(&file.name, file.what, &out, &written)?;
        context.progress(0, 0)?;
        temporaries.push((file.name.clone(), file.what, out));
    }
    let objects: BTreeMap<String, PathBuf> =
        temporaries.iter().map(|(name, _, out)| (name.clone(), out.path().to_owned())).collect();
    let loaded = load(&text, objects, &parts.config)
        .map_err(|error| TaskEnd::Failed(FolderFault::Text(error).words()))?;
    let (enterprise, now) = (wish.asked_by.enterprise, parts.store.clock_now());
    for (name, what, out) in temporaries {
        let stored = parts.files.keep(out, enterprise, object_kind(what), now)?;
        let is_further = is_further(&name);
        unpacked.all.push(Unpacked { name, what, is_further, stored });
    }
    enter(context, wish, &loaded, unpacked)
}

/// Checks the content of a file, as far as no row is needed for it. A list has its own check later.
fn check_file(name: &str, what: FileUse, out: &Temporary, written: &CampaignFile) -> Result<(), TaskEnd> {
    match what {
        FileUse::Sound => {
            let bytes = std::fs::read(out.path())?;
            Sound::from_bytes(name, bytes).map(drop).map_err(|refusal| {
                let zh = format!("{name}:无法播放({}),请另存为 WAV 或 MP3 后再打包", refusal.found);
                TaskEnd::Failed(Words::new(format!("{name}: {refusal}"), zh))
            })
        }
        FileUse::Blacklist => read_blacklist(name, out.path(), written).map(drop),
        FileUse::List | FileUse::Holidays => Ok(()),
    }
}

fn read_blacklist(
    name: &str,
    path: &Path,
    written: &CampaignFile,
) -> Result<Vec<paceline_core::number_pattern::NumberPattern>, TaskEnd> {
    let skips = written.list.blacklist_rows == crate::config::campaign::tables::BlacklistRowsWord::Skip;
    lists::read_blacklist(path, &written.list.region, skips).map_err(|error| {
        let en = error.named(name).to_string();
        TaskEnd::Failed(Words::new(en.clone(), format!("黑名单无法读取:{en}")))
    })
}

/// Objects without a row are removed when this is dropped.
struct Unpackings {
    files: Files,
    all: Vec<Unpacked>,
}

impl Drop for Unpackings {
    fn drop(&mut self) {
        for one in &self.all {
            // What stays is removed by the daily sweep.
            let _ = self.files.delete(&one.stored.path);
        }
    }
}

fn enter(
    context: &TaskContext<'_>,
    wish: &ImportWish,
    loaded: &LoadedCampaign,
    mut unpacked: Unpackings,
) -> Result<Made, TaskEnd> {
    let (store, asked_by) = (&context.shared.parts.store, &wish.asked_by);
    let (scope, enterprise) = (asked_by.scope(), asked_by.enterprise);
    let all = context.wait(store.organisations())?;
    let asks = all.iter().find(|row| row.id == scope.own()).is_some_and(|row| row.settings.approve_audio);
    let rules = &loaded.rules;
    let row = NewCampaign {
        name: &rules.name,
        title: &loaded.title,
        mode: rules.mode.word(),
        timezone: &rules.windows.timezone,
        toml: &loaded.text,
        retry: &rules.retry,
    };
    let none = BTreeMap::new();
    let new = NewVersion { row, note: None, files: &none };
    let parts: Vec<NewFolderFile<'_>> = unpacked
        .all
        .iter()
        .map(|one| NewFolderFile {
            name: &one.name,
            part: if one.is_further { FolderPart::FurtherList } else { part_of(one.what) },
            blob: blob(enterprise, object_kind(one.what), "application/octet-stream", &one.stored),
        })
        .collect();
    let task = context.task.id;
    let entered = context.wait(async {
        let name = &rules.name;
        let mut change = store.begin_change(&asked_by.actor(), ACTION, Subject::of("campaign", name)).await?;
        let entered = change.enter_folder(&scope, &new, &parts, task, json!(wish), asks).await?;
        if entered.is_ok() {
            let files: Vec<&str> = parts.iter().map(|part| part.name).collect();
            change.set_after(json!({ "version": 1, "title": loaded.title, "folder": files }));
            change.add_event("campaign", name, json!({ "campaign": name, "version": 1 }));
            change.commit().await?;
        }
        Ok::<_, StoreError>(entered)
    });
    let entered = match entered {
        Ok(Ok(entered)) => entered,
        Ok(Err(FolderRefusal::SoundNameTaken(name))) => {
            let en = format!(
                "another sound is named {name}, and sounds need an approval here: give this one another name, in the \
                 folder and in campaign.toml"
            );
            let zh = format!("已有另一个录音名为 {name},且录音需要审批:请在文件夹和 campaign.toml 中改名");
            return Err(TaskEnd::Failed(Words::new(en, zh)));
        }
        Err(StoreError::Taken { .. }) => return Err(TaskEnd::Failed(name_taken(&rules.name))),
        Err(error) => return Err(error.into()),
    };
    // Their rows stand; what was there before is not needed twice.
    unpacked.all.retain(|one| entered.unused.contains(&one.stored.path));
    let EnteredFolder { campaign, upload, further, .. } = entered;
    context.shared.wake_thread();
    let further = further.into_iter().map(|upload| upload.0).collect();
    Ok(Made { campaign: campaign.0, upload: upload.map(|upload| upload.0), further })
}

/// Another campaign has the name.
pub fn name_taken(name: &str) -> Words {
    let en = format!("another campaign is named {name}: choose another name");
    Words::new(en, format!("已有任务名为 {name},请换一个名称"))
}

/// Fills the campaign's blacklists from its files; doing it again gives the same.
fn read_blacklists(context: &mut TaskContext<'_>, campaign: CampaignId) -> Result<(), TaskEnd> {
    let parts = context.shared.parts.clone();
    let toml = context.wait(parts.store.campaign_toml(campaign))?;
    let Ok(written) = written_of(&toml) else { return Ok(()) };
    let objects = context.wait(parts.store.campaign_files(campaign))?;
    for file in named_files(&written).into_iter().filter(|file| file.what == FileUse::Blacklist) {
        let Some(object) = objects.iter().find(|object| object.name == file.name) else { continue };
        context.progress(0, 0)?;
        let patterns = read_blacklist(&file.name, &parts.files.file(&object.path)?, &written)?;
        context.wait(parts.store.replace_blacklist(Some(campaign), &file.name, &patterns))?;
    }
    Ok(())
}

/// Checks the list and loads it; where lists need an approval it is submitted for one.
fn take_list_in(context: &mut TaskContext<'_>, wish: &ImportWish, id: UploadId) -> Result<Value, TaskEnd> {
    let store = context.shared.parts.store.clone();
    let enterprise = wish.asked_by.enterprise;
    let own = TaskRow { subject: id.0, ..context.task.clone() };
    let mut inner = context.with_task(&own);
    let mut result = check_list::check_list(&mut inner)?;
    let _ = context.shared.changed.send(Changed::List(id));
    let Some(upload) = context.wait(store.upload(enterprise, id))? else { return Ok(result) };
    if upload.state == UploadState::Checked {
        let all = context.wait(store.organisations())?;
        let asks = all
            .iter()
            .find(|row| row.id == upload.organisation)
            .is_some_and(|row| row.settings.approve_lists);
        let begun = context.wait(async {
            let subject = Subject::of("list", &upload.file_name);
            let mut change = store.begin_change(&wish.asked_by.actor(), "lists.edit", subject).await?;
            let approval = match asks {
                true => change
                    .submit_upload(&upload, wish.asked_by.by.filter(|_| wish.asked_by.is_person))
                    .await?
                    .ok(),
                false => {
                    change.begin_folder_load(id).await?;
                    None
                }
            };
            let word = if asks { "waiting" } else { "loading" };
            change.set_after(json!({ "list": id.0, "state": word }));
            change.add_event("list", id.0, json!({ "list": id.0, "state": word }));
            if let Some(approval) = approval {
                change.add_event("approval", approval.0, json!({ "approval": approval.0, "state": "open" }));
            }
            change.commit().await?;
            Ok::<_, StoreError>(approval)
        })?;
        if let Some(approval) = begun {
            let _ = context.shared.changed.send(Changed::Approval(enterprise, approval));
            result["state"] = "waiting".into();
            return Ok(result);
        }
    }
    let loading = context.wait(store.upload(enterprise, id))?.map(|upload| upload.state);
    if matches!(loading, Some(UploadState::Loading | UploadState::Loaded)) {
        result = load_list::load_list(&mut inner)?;
    }
    let _ = context.shared.changed.send(Changed::List(id));
    Ok(result)
}

/// The import did not come to its end. A campaign that was made stays, with its list as far as it came.
pub(super) async fn settle(shared: &Shared, task: &TaskRow, words: &Words) -> Result<(), StoreError> {
    let made = shared.parts.store.task_of_any(task.id).await?.and_then(|row| wish_of(&row)?.made);
    for upload in made.iter().flat_map(Made::uploads) {
        check_list::settle(shared, upload, words).await?;
        load_list::settle(shared, upload, words).await?;
    }
    Ok(())
}

/// Removes the folders that no import needs any more.
pub(super) async fn release_folders(shared: &Shared) -> Result<(), StoreError> {
    for path in shared.parts.store.release_folders().await? {
        remove(shared, &path);
    }
    Ok(())
}
