//! `paceline replay --at`, `--call` and `--number`: resolves the moment or call and reads the journal
//! segments that hold it. Output is in `timeline` and `tasks::call_words`.

use super::{Failure, timeline};
use crate::cli::{Exit, Global, ReplayViewArgs};
use crate::journal::{self, CallTracer, SegmentSpan, Timeline, TraceTarget, Window};
use crate::lists;
use crate::output::{print_line, print_part};
use crate::tasks;
use crate::text::{Lang, TimeFormat};
use jiff::civil::{DateTime, Time as LocalTime};
use jiff::tz::TimeZone;
use paceline_core::ids::AttemptId;
use paceline_core::time::{Duration, Utc};
use std::collections::BTreeSet;
use std::path::Path;

/// Most columns of a timeline.
const COLUMNS_MAX: u128 = 2_000;

pub(super) fn show(global: &Global, journal: &Path, args: &ReplayViewArgs) -> Result<Exit, Failure> {
    match &args.at {
        Some(at) => show_timeline(global, journal, args, at),
        None => show_call_traces(global, journal, args),
    }
}

fn show_timeline(global: &Global, journal: &Path, args: &ReplayViewArgs, at: &str) -> Result<Exit, Failure> {
    let span = parse_span(&args.span)?;
    let step = parse_span(&args.step)?;
    if span.as_millis() / step.as_millis().max(1) > COLUMNS_MAX {
        return Err(Failure::usage(format!(
            "--for {} in steps of {} are more than {COLUMNS_MAX} columns; take a longer --step",
            args.span, args.step
        )));
    }
    let files = journal::files(journal).map_err(Failure::refused)?;
    let segments = journal::segment_spans(&files, false).map_err(Failure::refused)?;
    let moments = time_zone(&segments, args.campaign.as_deref(), at)?;
    let whole = || journal::segment_spans(&files, true).map_err(Failure::refused);
    let from = match parse_moment(at, moments.zone())? {
        Moment::At(from) => from,
        Moment::TimeOfDay(time) => {
            let covered = whole()?;
            last_moment_at(time, &covered, moments.zone())
                .ok_or_else(|| not_covered(at, &covered, &moments))?
        }
    };
    let until = from + span;
    // A segment ends where the next one begins, at the latest.
    let overlaps = |(place, segment): &(usize, &SegmentSpan)| {
        segment.from < until && segments.get(place + 1).is_none_or(|next| next.from > from)
    };
    let picked: Vec<_> =
        segments.iter().enumerate().filter(overlaps).map(|(_, segment)| segment.file.clone()).collect();
    let mut found = Timeline::new(Window { from, until, campaign: args.campaign.clone() });
    journal::replay_files(&picked, &mut found).map_err(Failure::refused)?;
    if found.seen_until.is_none() {
        return Err(not_covered(at, &whole()?, &moments));
    }
    let found = found.finish();
    if let Some(file) = &args.svg {
        std::fs::write(file, timeline::to_svg(&found, &moments, args.numbers))
            .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    }
    if global.json {
        print_line!("{}", timeline::to_json(&found, &moments, args.numbers));
    } else {
        let look = timeline::TextOptions {
            moments: &moments,
            step,
            numbers: args.numbers,
            lang: Lang::of_process(),
        };
        print_part!("{}", timeline::to_text(&found, &look));
    }
    Ok(Exit::Done)
}

fn show_call_traces(global: &Global, journal: &Path, args: &ReplayViewArgs) -> Result<Exit, Failure> {
    let wanted = match (args.call, &args.number) {
        (Some(call), _) => TraceTarget::Attempt(AttemptId(call)),
        (None, Some(number)) => TraceTarget::Number(lists::clean_number(number, "").map_err(|refusal| {
            Failure::refused(format!("{number}: {}: {}", refusal.reason, refusal.hint))
        })?),
        (None, None) => return Err(Failure::usage("name --at, --call or --number")),
    };
    let files = journal::files(journal).map_err(Failure::refused)?;
    let mut stories = CallTracer::new(wanted);
    journal::replay_files(&files, &mut stories).map_err(Failure::refused)?;
    if stories.traces.is_empty() {
        let holds = match stories.attempts {
            Some((first, last)) => format!("it holds attempts {first} to {last}"),
            None => "it holds no attempt".to_owned(),
        };
        return Err(Failure::refused(match wanted {
            TraceTarget::Attempt(attempt) => format!("attempt {attempt} is not in this journal: {holds}"),
            TraceTarget::Number(_) => format!("no call to this number is in this journal: {holds}"),
        }));
    }
    if global.json {
        print_line!("{}", tasks::call_traces_json(&stories, args.numbers));
    } else {
        print_part!("{}", tasks::call_traces_text(&stories, args.numbers, Lang::of_process()));
    }
    Ok(Exit::Done)
}

/// The time zone in which moments are read and shown: that of the named campaign, or of all campaigns.
fn time_zone(segments: &[SegmentSpan], campaign: Option<&str>, at: &str) -> Result<TimeFormat, Failure> {
    let names: BTreeSet<(&String, &String)> =
        segments.iter().flat_map(|segment| &segment.campaigns).collect();
    if let Some(wanted) = campaign {
        let zone = names.iter().find(|(name, _)| *name == wanted).map(|(_, zone)| TimeFormat::in_zone(zone));
        let known: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        return zone.ok_or_else(|| {
            Failure::refused(format!(
                "no campaign `{wanted}` is in this journal; it knows {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            ))
        });
    }
    let zones: BTreeSet<&str> = names.iter().map(|(_, zone)| zone.as_str()).collect();
    let mut zones = zones.into_iter();
    match (zones.next(), zones.next()) {
        (Some(zone), None) => Ok(TimeFormat::in_zone(zone)),
        (None, _) => Ok(TimeFormat::utc()),
        (Some(one), Some(_)) if at.parse::<jiff::Timestamp>().is_ok() => Ok(TimeFormat::in_zone(one)),
        (Some(one), Some(other)) => Err(Failure::usage(format!(
            "{at}: the journal's campaigns lie in several time zones ({one}, {other}); name one with --campaign, \
             or write the moment with its offset"
        ))),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    At(Utc),
    /// A time of day, on the last day on which the journal covers it.
    TimeOfDay(LocalTime),
}

fn parse_moment(text: &str, zone: &TimeZone) -> Result<Moment, Failure> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(Moment::At(Utc::from_millis(at.as_millisecond())));
    }
    if let Some(time) = text.parse::<LocalTime>().ok().filter(|_| text.len() <= 12 && text.contains(':')) {
        return Ok(Moment::TimeOfDay(time));
    }
    let local = text.replace(' ', "T").parse::<DateTime>().ok().filter(|_| text.contains(':'));
    let at = local.and_then(|local| zone.to_ambiguous_timestamp(local).compatible().ok());
    at.map(|at| Moment::At(Utc::from_millis(at.as_millisecond()))).ok_or_else(|| {
        Failure::usage(format!(
            "`{text}` is no moment; write 14:03, 14:03:20, 2026-11-21T14:03 or 2026-11-21T14:03:20+08:00"
        ))
    })
}

/// The last moment with this local time that the journal covers.
fn last_moment_at(time: LocalTime, covered: &[SegmentSpan], zone: &TimeZone) -> Option<Utc> {
    covered.iter().rev().find_map(|span| {
        let last = jiff::Timestamp::from_millisecond(span.until.as_millis()).ok()?;
        let mut date = zone.to_datetime(last).date();
        loop {
            let at = zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok()?;
            let at = Utc::from_millis(at.as_millisecond());
            // Within the span, or up to a minute before its first input.
            if at <= span.until {
                return (at + Duration::from_secs(60) > span.from).then_some(at);
            }
            date = date.yesterday().ok()?;
        }
    })
}

/// The failure for a moment outside the journal; its sentence names the spans that are covered.
fn not_covered(at: &str, covered: &[SegmentSpan], moments: &TimeFormat) -> Failure {
    let mut spans: Vec<(Utc, Utc)> = Vec::new();
    for part in covered {
        match spans.last_mut() {
            // Segments of one process follow each other within moments.
            Some((_, until)) if part.from <= *until + Duration::from_secs(60) => {
                *until = part.until.max(*until)
            }
            _ => spans.push((part.from, part.until)),
        }
    }
    let show = |(from, until): &(Utc, Utc)| format!("{} to {}", moments.show(*from), moments.show(*until));
    let spans: Vec<String> = spans.iter().map(show).collect();
    let holds = if spans.is_empty() { "nothing".to_owned() } else { spans.join(", and ") };
    Failure::refused(format!("the journal does not cover {at}: it covers {holds}"))
}

/// `250ms`, `90s`, `2m`, `1h`.
fn parse_span(text: &str) -> Result<Duration, Failure> {
    let fault = || Failure::usage(format!("`{text}` is no span; write 250ms, 90s, 2m or 1h"));
    let place = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(fault)?;
    let (number, unit) = text.split_at(place);
    let number: u64 = number.parse().ok().filter(|number| *number > 0).ok_or_else(fault)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(fault()),
    };
    let millis = number.checked_mul(millis).filter(|millis| (10..=86_400_000).contains(millis));
    millis.map(Duration::from_millis).ok_or_else(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Utc {
        Utc::from_millis(text.parse::<jiff::Timestamp>().expect("a moment").as_millisecond())
    }

    fn covers(from: &str, until: &str) -> SegmentSpan {
        SegmentSpan { file: "x".into(), from: at(from), until: at(until), campaigns: Default::default() }
    }

    #[test]
    fn a_moment_is_a_time_a_date_or_both_with_an_offset() {
        let moments = TimeFormat::in_zone("Asia/Shanghai");
        let zone = moments.zone();
        let two = Moment::At(at("2026-11-21T06:03:00Z"));
        for text in
            ["2026-11-21T14:03", "2026-11-21 14:03:00", "2026-11-21T14:03:00+08:00", "2026-11-21T06:03Z"]
        {
            assert_eq!(parse_moment(text, zone).expect(text), two, "{text}");
        }
        assert!(matches!(parse_moment("14:03", zone), Ok(Moment::TimeOfDay(_))));
        for text in ["", "14", "2026-11-21", "yesterday", "14:63"] {
            assert!(parse_moment(text, zone).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_alone_means_the_last_day_that_the_journal_covers() {
        let moments = TimeFormat::in_zone("Asia/Shanghai");
        let days = [
            covers("2026-11-20T00:00:00Z", "2026-11-20T10:00:00Z"),
            covers("2026-11-21T00:00:00Z", "2026-11-21T05:00:00Z"),
        ];
        let last = |text: &str| last_moment_at(text.parse().expect("a time"), &days, moments.zone());
        assert_eq!(last("09:30"), Some(at("2026-11-21T01:30:00Z")));
        assert_eq!(last("17:30"), Some(at("2026-11-20T09:30:00Z")), "the second day ended before that");
        assert_eq!(last("04:00"), None);
        let sentence = not_covered("04:00", &days, &moments).sentence;
        assert!(
            sentence.contains("it covers 2026-11-20 08:00:00 to 2026-11-20 18:00:00, and 2026-11-21"),
            "{sentence}"
        );
    }

    #[test]
    fn spans_are_parsed_or_refused() {
        assert_eq!(parse_span("250ms").expect("a span"), Duration::from_millis(250));
        assert_eq!(parse_span("2m").expect("a span"), Duration::from_secs(120));
        for text in ["", "0s", "5", "s", "1d", "99999999999999999999h", "-1s"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
