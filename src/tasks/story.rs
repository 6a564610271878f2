//! Why a call was dialled and what became of it: the journal of that time is replayed. Only the segments around the call
//! are read, one block at a time, and the replay ends ten minutes after the call.

use super::call_words::call_traces_json;
use super::context::{TaskContext, TaskEnd, Words};
use crate::journal::{
    self, CallTracer, FOLLOWED_AFTER_END, ReplayError, ReplayObserver, SegmentSpan, TraceTarget,
};
use crate::text::TimeFormat;
use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::ids::AttemptId;
use paceline_core::time::{Time, Utc};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Inputs between two looks at the clock and at whether the task is still wanted.
const LOOK_EVERY: u64 = 1_024;

pub(super) fn story(context: &mut TaskContext<'_>) -> Result<Value, TaskEnd> {
    let attempt = AttemptId(context.task.subject);
    let parts = &context.shared.parts;
    let row = context.wait(async { parts.store.reader().await?.call_trace(attempt).await })?;
    let Some(row) = row.filter(|row| row.enterprise == context.task.enterprise) else {
        return Ok(missing("this call is gone", "通话已不存在"));
    };
    let Some(folder) = parts.config.store.journal_folder() else {
        return Ok(missing("this installation keeps no journal", "本系统没有保留运行日志"));
    };
    let placed = Utc::from_millis(row.placed_at);
    let last = Utc::from_millis(row.ended_at.unwrap_or(row.placed_at)) + FOLLOWED_AFTER_END;
    let Some(spans) = spans(context, folder)? else {
        return Ok(missing("no journal is kept of that time", "那段时间的运行日志已不在"));
    };
    let files = match segments_of(&spans, placed, last) {
        Ok(files) => files,
        Err(kept_since) => {
            let kept = TimeFormat::utc().show(kept_since);
            return Ok(missing(
                &format!("the journal of that time is gone: it reaches back to {kept} UTC"),
                &format!("那段时间的运行日志已不在:最早保留到 {kept}(UTC)"),
            ));
        }
    };
    let mut watched = Watched {
        tracer: CallTracer::new(TraceTarget::Attempt(attempt)),
        segments: 0,
        of: files.len() as u64,
        inputs: 0,
        is_complete: false,
        ended: None,
        context,
    };
    let replayed = journal::replay_files(&files, &mut watched);
    let Watched { tracer, ended, context, .. } = watched;
    if let Some(end) = ended {
        return Err(end);
    }
    let found = call_traces_json(&tracer, true);
    let fault = match replayed {
        Ok(_) => None,
        Err(error) if tracer.traces.is_empty() => return Err(TaskEnd::Failed(unreadable(&error))),
        // What was read before the damage stands.
        Err(error) => Some(unreadable(&error)),
    };
    let Some(call) = found["calls"].get(0) else {
        return Ok(missing(
            "the journal of that time does not hold this call",
            "那段时间的运行日志里没有这通电话",
        ));
    };
    context.progress(files.len() as u64, files.len() as u64)?;
    Ok(json!({ "found": true, "words": null, "call": call, "cut_short": fault }))
}

fn missing(en: &str, zh: &str) -> Value {
    json!({ "found": false, "words": Words::new(en, zh), "call": null, "cut_short": null })
}

fn unreadable(error: &ReplayError) -> Words {
    let zh = match error {
        ReplayError::Unreadable { .. } | ReplayError::NoJournal(_) => "运行日志无法读取",
        ReplayError::NotAJournal { .. } | ReplayError::Damaged { .. } => "运行日志已损坏",
        ReplayError::OtherVersion { .. } => "运行日志由其他版本的程序写成,无法重放",
    };
    let en = match error {
        ReplayError::Unreadable { .. } | ReplayError::NoJournal(_) => "the journal cannot be read",
        ReplayError::NotAJournal { .. } | ReplayError::Damaged { .. } => "the journal is damaged",
        ReplayError::OtherVersion { .. } => {
            "another version of the program wrote the journal; it cannot be replayed by this one"
        }
    };
    tracing::warn!(%error, "a call's story could not be read to its end");
    Words::new(en, zh)
}

/// The time that each readable segment begins, oldest first; `None` = there is no journal.
fn spans(context: &TaskContext<'_>, folder: PathBuf) -> Result<Option<Vec<SegmentSpan>>, TaskEnd> {
    let Ok(files) = journal::files(&folder) else { return Ok(None) };
    let mut spans = Vec::new();
    for file in files {
        context.check_wanted()?;
        // One that another version wrote, or that is deleted meanwhile, is left out.
        spans.extend(journal::segment_spans(&[file], false).unwrap_or_default());
    }
    Ok(Some(spans).filter(|spans| !spans.is_empty()))
}

/// The segments from the one in which the call was placed to the one in which its agents are followed last.
///
/// # Errors
/// The journal begins later, at this moment.
fn segments_of(spans: &[SegmentSpan], placed: Utc, last: Utc) -> Result<Vec<PathBuf>, Utc> {
    let first = spans.iter().rposition(|span| span.from <= placed);
    let Some(first) = first else { return Err(spans.first().map_or(placed, |span| span.from)) };
    let wanted = spans[first..].iter().filter(|span| span.from <= last);
    Ok(wanted.map(|span| span.file.clone()).collect())
}

/// Follows the call, notes the progress, and ends the replay when the task is no longer wanted.
struct Watched<'a, 'b> {
    tracer: CallTracer,
    segments: u64,
    of: u64,
    inputs: u64,
    is_complete: bool,
    ended: Option<TaskEnd>,
    context: &'a mut TaskContext<'b>,
}

impl ReplayObserver for Watched<'_, '_> {
    fn segment(&mut self, dialer: &Dialer) {
        self.tracer.segment(dialer);
        self.ended = self.context.progress(self.segments, self.of).err();
        self.segments += 1;
    }

    fn is_done(&self) -> bool {
        self.is_complete || self.ended.is_some()
    }

    fn after(&mut self, at: Time, input: &Input, outputs: &[Output], dialer: &Dialer) {
        self.tracer.after(at, input, outputs, dialer);
        self.inputs += 1;
        if self.inputs.is_multiple_of(LOOK_EVERY) {
            self.is_complete = self.tracer.is_complete(dialer.utc());
            self.ended = self.context.check_wanted().err();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn span(from: i64) -> SegmentSpan {
        let (from, file) = (Utc::from_millis(from), PathBuf::from(from.to_string()));
        SegmentSpan { file, from, until: from, campaigns: BTreeMap::new() }
    }

    #[test]
    fn only_the_segments_around_the_call_are_read() {
        let spans = [span(1_000), span(2_000), span(3_000), span(4_000)];
        let picked = |placed, last| {
            let files = segments_of(&spans, Utc::from_millis(placed), Utc::from_millis(last));
            files.map(|files| files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>())
        };
        assert_eq!(picked(2_500, 2_900), Ok(vec!["2000".to_owned()]));
        assert_eq!(picked(2_500, 3_500), Ok(vec!["2000".to_owned(), "3000".to_owned()]));
        assert_eq!(picked(9_000, 9_500), Ok(vec!["4000".to_owned()]));
        assert_eq!(picked(999, 9_500), Err(Utc::from_millis(1_000)));
    }
}
