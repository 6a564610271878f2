//! Who hears which recording: a hearing is on record once, however many ranges a player asks for; and the peaks that
//! were computed last.

use crate::tasks::LanePeaks;
use paceline_core::time::{Duration, Utc};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};

/// A hearing goes on this long after its last range, beside the length of the sound: a player that has all of it may be
/// paused.
const PAUSE_MAX: Duration = Duration::from_secs(600);
/// A hearing lasts so many times its span at most, so that nobody hears a recording for ever under one entry.
const SPANS_MAX: u64 = 4;
/// Hearings that are remembered; the oldest is forgotten first, and its next range is a hearing of its own.
const HEARINGS_MAX: usize = 10_000;

/// Recordings whose peaks are computed at the same time, and those that are remembered: 32 kB each.
const PEAKS_AT_ONCE: usize = 2;
const PEAKS_MAX: usize = 128;

/// One hearing or download.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hearing {
    /// The account or the token.
    pub who: String,
    /// The call.
    pub subject: String,
    /// The player's own number for it; 0 = none.
    pub number: i64,
    pub is_download: bool,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    began: Utc,
    last: Utc,
}

/// Hearings that go on.
#[derive(Debug, Default)]
pub(super) struct Hearings {
    open: BTreeMap<Hearing, Span>,
}

impl Hearings {
    /// Whether a range belongs to a hearing that is on record; it goes on with it.
    pub fn goes_on(&mut self, hearing: &Hearing, length: Duration, now: Utc) -> bool {
        let lasts = PAUSE_MAX + length;
        let Some(span) = self.open.get_mut(hearing) else { return false };
        let whole = Duration::from_millis(lasts.as_millis() as u64 * SPANS_MAX);
        // A wall clock that was set back ends it.
        let is_open = now >= span.last && now.since(span.last) <= lasts && now.since(span.began) <= whole;
        if is_open {
            span.last = now;
        }
        is_open
    }

    /// It is on record from now on.
    pub fn begin(&mut self, hearing: Hearing, now: Utc) {
        if self.open.len() >= HEARINGS_MAX
            && let Some(oldest) = self.open.iter().min_by_key(|(_, span)| span.last).map(|(it, _)| it.clone())
        {
            self.open.remove(&oldest);
        }
        self.open.insert(hearing, Span { began: now, last: now });
    }
}

type PeaksKey = (PathBuf, usize);

/// What the handlers of recordings share.
#[derive(Debug)]
pub(super) struct RecordingAccess {
    /// Held while an entry of the audit is written, so that no range goes out before it.
    pub hearings: AsyncMutex<Hearings>,
    pub reading: Semaphore,
    peaks: Mutex<VecDeque<(PeaksKey, Arc<LanePeaks>)>>,
}

impl Default for RecordingAccess {
    fn default() -> Self {
        let reading = Semaphore::new(PEAKS_AT_ONCE);
        RecordingAccess { hearings: AsyncMutex::default(), reading, peaks: Mutex::default() }
    }
}

impl RecordingAccess {
    pub fn peaks(&self, file: &Path, bins: usize) -> Option<Arc<LanePeaks>> {
        let kept = self.peaks.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|((path, of), _)| path == file && *of == bins).map(|(_, peaks)| peaks.clone())
    }

    pub fn keep_peaks(&self, file: &Path, bins: usize, peaks: Arc<LanePeaks>) {
        let mut kept = self.peaks.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= PEAKS_MAX {
            kept.pop_front();
        }
        kept.push_back(((file.to_owned(), bins), peaks));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hearing(number: i64) -> Hearing {
        Hearing { who: "8001".into(), subject: "out-1".into(), number, is_download: false }
    }

    #[test]
    fn a_hearing_ends_after_a_long_pause_and_does_not_last_for_ever() {
        let mut hearings = Hearings::default();
        let at = |secs: i64| Utc::from_millis(secs * 1_000);
        let length = Duration::from_secs(60);
        assert!(!hearings.goes_on(&hearing(0), length, at(0)));
        hearings.begin(hearing(0), at(0));
        assert!(hearings.goes_on(&hearing(0), length, at(600)));
        assert!(!hearings.goes_on(&hearing(1), length, at(600)), "another hearing of the same");
        assert!(hearings.goes_on(&hearing(0), length, at(1_260)));
        assert!(!hearings.goes_on(&hearing(0), length, at(1_921)), "a pause of more than eleven minutes");
        hearings.begin(hearing(0), at(2_000));
        for secs in (2_000..=4_640).step_by(600) {
            assert!(hearings.goes_on(&hearing(0), length, at(secs)));
        }
        assert!(!hearings.goes_on(&hearing(0), length, at(4_700)), "four times its span");
        assert!(!hearings.goes_on(&hearing(0), length, at(10)), "the clock was set back");
    }

    #[test]
    fn no_more_hearings_and_peaks_are_remembered_than_bounded() {
        let mut hearings = Hearings::default();
        for number in 0..=HEARINGS_MAX as i64 {
            hearings.begin(hearing(number), Utc::from_millis(number));
        }
        assert_eq!(hearings.open.len(), HEARINGS_MAX);
        assert!(!hearings.goes_on(&hearing(0), Duration::ZERO, Utc::from_millis(20_000)));
        let access = RecordingAccess::default();
        for n in 0..=PEAKS_MAX {
            access.keep_peaks(Path::new(&n.to_string()), 9, Arc::default());
        }
        assert!(access.peaks(Path::new("0"), 9).is_none() && access.peaks(Path::new("1"), 8).is_none());
        assert!(access.peaks(Path::new("1"), 9).is_some());
    }
}
