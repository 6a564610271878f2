//! Replays journals: the same inputs into the same state must lead to the same outputs, bit for bit.

use super::format::{BLOCK_MAX, HEAD, MAGIC, MAGIC_START, Record, Snapshot, fingerprint, read_head};
use super::write::segments;
use paceline_core::campaign::Campaign;
use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::pacing::shadow::{Comparison, ShadowRules};
use paceline_core::time::{Time, Utc, WallClock};
use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("{file}: cannot be read: {source}")]
    Unreadable { file: PathBuf, source: std::io::Error },
    #[error("{0}: no journal here: name a `.journal` file or the folder that holds them")]
    NoJournal(PathBuf),
    #[error(
        "{file}: not a journal: the first line should be `paceline journal 6`; name a file that `paceline run` wrote"
    )]
    NotAJournal { file: PathBuf },
    #[error(
        "{file}: another version of Paceline wrote it (`{found}`, and this one reads `paceline journal 6`); replay it with that version"
    )]
    OtherVersion { file: PathBuf, found: String },
    #[error("{file}: block {block} is damaged ({found}); what comes before it was replayed")]
    Damaged { file: PathBuf, block: u64, found: String },
}

/// An input whose replayed outputs differ from the recorded fingerprint.
#[derive(Clone, Debug)]
pub struct Difference {
    pub file: PathBuf,
    /// The input's position in the segment, counted from 1.
    pub input_number: u64,
    pub at: Time,
    pub input: Input,
    /// The outputs of this program.
    pub outputs: Vec<Output>,
}

/// Result of a replay.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    pub segments: u64,
    pub inputs: u64,
    pub outputs: u64,
    pub calls_placed: u64,
    pub differences: Vec<Difference>,
    /// Versions of the programs that wrote the segments.
    pub versions: Vec<String>,
    /// Some segment's last block was cut off by a crash.
    pub torn: bool,
}

/// Upper limit of the differences kept.
const DIFFERENCES_MAX: usize = 20;

/// Observes a replay. A closure is an observer of `after` alone.
pub trait ReplayObserver {
    /// A segment begins with this state: of the same process as the last one, or of another.
    fn segment(&mut self, _dialer: &Dialer) {}

    /// An input comes at `at`; the dialer is in the state before it.
    fn before(&mut self, _at: Time, _dialer: &Dialer) {}

    /// Whether nothing more is wanted: the replay ends before the next input.
    fn is_done(&self) -> bool {
        false
    }

    /// The input was handled with these outputs; the dialer is in the state after it.
    fn after(&mut self, at: Time, input: &Input, outputs: &[Output], dialer: &Dialer);
}

impl<F: FnMut(Time, &Input, &[Output], &Dialer)> ReplayObserver for F {
    fn after(&mut self, at: Time, input: &Input, outputs: &[Output], dialer: &Dialer) {
        self(at, input, outputs, dialer);
    }
}

/// The segments of a journal: the one file, or all of a folder, oldest first.
///
/// # Errors
/// When there is none.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let files: Vec<PathBuf> = if path.is_dir() {
        segments(path).into_iter().map(|(_, path)| path).collect()
    } else {
        vec![path.to_owned()]
    };
    if files.is_empty() { Err(ReplayError::NoJournal(path.to_owned())) } else { Ok(files) }
}

/// Replays one segment, or all of a folder.
///
/// # Errors
/// When there is no journal, it cannot be read, or a block in its middle is damaged.
pub fn replay(path: &Path, mut observer: impl ReplayObserver) -> Result<Replay, ReplayError> {
    replay_files(&files(path)?, &mut observer)
}

/// Replays these segments, one after the other.
///
/// # Errors
/// As [`replay`].
pub fn replay_files(files: &[PathBuf], observer: &mut impl ReplayObserver) -> Result<Replay, ReplayError> {
    let mut found = Replay::default();
    for file in files {
        if observer.is_done() {
            break;
        }
        replay_segment(file, &mut found, observer, &mut None)?;
    }
    Ok(found)
}

/// Replays with another pacing setting in the shadow of every campaign. Returns each comparison with the
/// campaign's name, once for every process that wrote to the journal.
///
/// # Errors
/// As [`replay`].
pub fn replay_with_shadow(
    path: &Path,
    rules: ShadowRules,
) -> Result<(Replay, Vec<(String, Comparison)>), ReplayError> {
    let (mut found, mut compared) = (Replay::default(), Vec::new());
    let mut shadows = Some(ShadowReplay { rules, last: None, done: Vec::new() });
    let mut no_observer = |_: Time, _: &Input, _: &[Output], _: &Dialer| {};
    for file in files(path)? {
        replay_segment(&file, &mut found, &mut no_observer, &mut shadows)?;
    }
    if let Some(mut shadows) = shadows {
        shadows.finish_process();
        compared = shadows.done;
    }
    Ok((found, compared))
}

/// The shadow setting of a replay, and its comparisons.
struct ShadowReplay {
    rules: ShadowRules,
    /// The state at the end of the last segment.
    last: Option<Dialer>,
    done: Vec<(String, Comparison)>,
}

impl ShadowReplay {
    /// A segment begins. A clock that is behind the last segment's shows that another process wrote it.
    fn begin(&mut self, dialer: &mut Dialer) {
        if self.last.as_ref().is_some_and(|last| last.at() > dialer.at()) {
            self.finish_process();
        }
        if let Some(last) = self.last.take() {
            dialer.take_shadows(last);
        }
        dialer.shadow_all(self.rules);
    }

    fn finish_process(&mut self) {
        let Some(last) = self.last.take() else { return };
        let named = last.campaigns().filter_map(|rules| {
            let compared = last.view(rules.id).shadow?;
            Some((rules.name.clone(), compared))
        });
        self.done.extend(named);
    }
}

fn open_segment(file: &Path) -> Result<Blocks<'_>, ReplayError> {
    let unreadable = |source| ReplayError::Unreadable { file: file.to_owned(), source };
    let mut reader = BufReader::new(std::fs::File::open(file).map_err(unreadable)?);
    let mut magic = vec![0; MAGIC.len()];
    let whole = reader.read_exact(&mut magic).is_ok();
    if whole && magic != MAGIC && magic.starts_with(MAGIC_START) {
        let found = String::from_utf8_lossy(&magic).trim_end().to_owned();
        return Err(ReplayError::OtherVersion { file: file.to_owned(), found });
    }
    if !whole || magic != MAGIC {
        return Err(ReplayError::NotAJournal { file: file.to_owned() });
    }
    Ok(Blocks { file, reader, number: 0, torn: false })
}

/// The time that a segment covers, by wall clock, and its campaigns.
#[derive(Clone, Debug)]
pub struct SegmentSpan {
    pub file: PathBuf,
    pub from: Utc,
    /// Until its last input if `whole` was requested; else equal to `from`.
    pub until: Utc,
    /// Name and time zone of every campaign in it.
    pub campaigns: BTreeMap<String, String>,
}

/// The time that each segment covers; empty ones are left out. With `whole` the segments are read to their
/// ends.
///
/// # Errors
/// As [`replay`].
pub fn segment_spans(files: &[PathBuf], whole: bool) -> Result<Vec<SegmentSpan>, ReplayError> {
    let mut found = Vec::new();
    for file in files {
        let mut blocks = open_segment(file)?;
        let Some(snapshot) = blocks.next::<Snapshot>()? else { continue };
        let named = |campaign: &Campaign| (campaign.name.clone(), campaign.windows.timezone.clone());
        let mut campaigns: BTreeMap<String, String> = snapshot.dialer.campaigns().map(named).collect();
        // A process's first input sets the clock: before it, wall-clock times are undefined.
        let mut clock = snapshot.dialer.clock();
        let mut span: Option<(Utc, Utc)> = None;
        let mut opening = snapshot.dialer.campaigns().next().is_none();
        while let Some(record) = blocks.next::<Record>()? {
            match &record.input {
                Input::ClockSet(utc) => clock = WallClock::new(record.at, *utc),
                Input::CampaignOpened { campaign, .. } => {
                    campaigns.extend([named(campaign)]);
                    opening = false;
                }
                Input::CampaignChanged { campaign } | Input::CampaignOpenedForTests { campaign } => {
                    campaigns.extend([named(campaign)]);
                }
                _ => {}
            }
            let utc = clock.utc(record.at);
            let (_, until) = span.get_or_insert((utc, utc));
            *until = utc.max(*until);
            if !whole && !opening {
                break;
            }
        }
        if let Some((from, until)) = span {
            let until = if whole { until } else { from };
            found.push(SegmentSpan { file: file.clone(), from, until, campaigns });
        }
    }
    Ok(found)
}

fn replay_segment(
    file: &Path,
    found: &mut Replay,
    observer: &mut impl ReplayObserver,
    shadows: &mut Option<ShadowReplay>,
) -> Result<(), ReplayError> {
    let mut blocks = open_segment(file)?;
    let Some(snapshot) = blocks.next::<Snapshot>()? else {
        found.torn = true;
        return Ok(());
    };
    found.segments += 1;
    if !found.versions.contains(&snapshot.version) {
        found.versions.push(snapshot.version);
    }
    let mut dialer = snapshot.dialer;
    if let Some(shadows) = shadows {
        shadows.begin(&mut dialer);
    }
    observer.segment(&dialer);
    let mut scratch = Vec::new();
    let mut outputs = Vec::new();
    let mut number = 0;
    while !observer.is_done()
        && let Some(record) = blocks.next::<Record>()?
    {
        number += 1;
        observer.before(record.at, &dialer);
        dialer.handle(record.at, record.input.clone());
        outputs.clear();
        while let Some(output) = dialer.poll() {
            outputs.push(output);
        }
        found.inputs += 1;
        found.outputs += outputs.len() as u64;
        found.calls_placed +=
            outputs.iter().filter(|output| matches!(output, Output::PlaceCall { .. })).count() as u64;
        let begins = matches!(record.input, Input::CampaignOpened { .. } | Input::CampaignChanged { .. });
        if let Some(shadows) = shadows.as_ref().filter(|_| begins) {
            dialer.shadow_all(shadows.rules);
        }
        observer.after(record.at, &record.input, &outputs, &dialer);
        if fingerprint(&outputs, &mut scratch) != record.outputs && found.differences.len() < DIFFERENCES_MAX
        {
            found.differences.push(Difference {
                file: file.to_owned(),
                input_number: number,
                at: record.at,
                input: record.input,
                outputs: outputs.clone(),
            });
        }
    }
    found.torn |= blocks.torn;
    if let Some(shadows) = shadows {
        shadows.last = Some(dialer);
    }
    Ok(())
}

struct Blocks<'a> {
    file: &'a Path,
    reader: BufReader<std::fs::File>,
    number: u64,
    torn: bool,
}

impl Blocks<'_> {
    /// The next block; `None` at the end, or where a crash cut the last one off.
    fn next<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>, ReplayError> {
        let mut head = [0; HEAD];
        if self.read(&mut head)?.is_none() {
            return Ok(None);
        }
        self.number += 1;
        let Some((length, crc)) = read_head(&head) else {
            return Err(self.damaged("the checksum of its length is wrong".into()));
        };
        if length > BLOCK_MAX {
            return Err(self.damaged(format!("it claims {length} bytes")));
        }
        // Memory grows with the bytes read, as the length may be wrong.
        let mut body = Vec::new();
        let unreadable = |source| ReplayError::Unreadable { file: self.file.to_owned(), source };
        (&mut self.reader).take(length as u64).read_to_end(&mut body).map_err(unreadable)?;
        if body.len() < length {
            self.torn = true;
            return Ok(None);
        }
        if crc32fast::hash(&body) != crc {
            return Err(self.damaged("its checksum is wrong".into()));
        }
        match postcard::from_bytes(&body) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(self.damaged(format!("{error}; was it written by another version?"))),
        }
    }

    fn read(&mut self, head: &mut [u8; HEAD]) -> Result<Option<()>, ReplayError> {
        let mut filled = 0;
        while filled < head.len() {
            match self.reader.read(&mut head[filled..]) {
                Ok(0) => {
                    self.torn = filled > 0;
                    return Ok(None);
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => return Err(ReplayError::Unreadable { file: self.file.to_owned(), source }),
            }
        }
        Ok(Some(()))
    }

    fn damaged(&self, found: String) -> ReplayError {
        ReplayError::Damaged { file: self.file.to_owned(), block: self.number, found }
    }
}
