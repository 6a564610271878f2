//! Progress view of a run: a bar with a status line on a terminal, a plain line every few seconds elsewhere.

use crate::engine::CampaignBoard;
use crate::output::error_line;
use crate::text::{Lang, TimeFormat};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use paceline_core::pacing::Why;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Interval between two plain lines where stderr is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Draws on stderr; stdout is left to machine-readable output.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    lang: Lang,
    moments: TimeFormat,
    leads: u64,
    done_before: u64,
    started: Instant,
    last_line: Option<Instant>,
    last_why: Option<Why>,
}

impl Progress {
    /// `leads` is the size of the list; an earlier run finished `done_before` of them.
    pub fn start(title: &str, leads: u64, done_before: u64, timezone: &str, lang: Lang) -> Self {
        let style = "{msg}\n{bar:40} {pos}/{len} {prefix}";
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(leads), ProgressDrawTarget::stderr_with_hz(5));
            bar.set_style(
                ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_prefix(lang.leads().to_owned());
            bar.set_message(title.to_owned());
            bar
        });
        if bar.is_none() {
            error_line!("{title}: {leads} {}", lang.leads());
        }
        let moments = TimeFormat::in_zone(timezone);
        let started = Instant::now();
        Progress { bar, lang, moments, leads, done_before, started, last_line: None, last_why: None }
    }

    pub fn show(&mut self, title: &str, board: &CampaignBoard) {
        let done = self.leads_done(board);
        let line = self.status_line(board, done);
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(format!("{title}\n{line}"));
            return;
        }
        let due = self.last_line.is_none_or(|at| at.elapsed() >= LINE_INTERVAL);
        let waits = board.view.why != self.last_why && board.view.why != Some(Why::CallsPerSec);
        if due || (waits && self.last_line.is_none_or(|at| at.elapsed() >= Duration::from_secs(1))) {
            error_line!("{done}/{} {line}", self.leads);
            self.last_line = Some(Instant::now());
            self.last_why = board.view.why;
        }
    }

    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn leads_done(&self, board: &CampaignBoard) -> u64 {
        if board.name.is_empty() {
            return self.done_before;
        }
        // The store's count is exact but refreshed rarely; the board counts every result. The larger one is
        // shown.
        let counted = self.leads.saturating_sub(board.view.leads_open);
        counted.max(self.done_before + board.leads_ended).min(self.leads)
    }

    fn status_line(&self, board: &CampaignBoard, done: u64) -> String {
        let (lang, view) = (self.lang, &board.view);
        let mut line = format!("{} {}", view.starting + view.ringing, lang.ringing());
        if view.up > 0 || view.abandon.is_none() {
            line += &format!(" · {} {}", view.up, lang.up());
        }
        if view.abandon.is_some() {
            line += &format!(" · {} {}", view.talking, lang.talking());
        }
        if view.waiting > 0 {
            line += &format!(" · {} {}", view.waiting, lang.waiting());
        }
        if let Some(rate) = board.answer_rate() {
            line += &format!(" · {:.0}% {}", rate * 100.0, lang.answer_rate());
        }
        line += &format!(" · {:.1} {}", board.calls_per_sec, lang.per_sec());
        if let Some(standing) = view.abandon.filter(|standing| standing.braking().of > 0.0) {
            let (rate, rule) = (standing.braking().rate, standing.strictest.word());
            line += &format!(" · {}", lang.abandon_rate(rate, rule, standing.left.into()));
        }
        let waits = matches!(view.why, Some(Why::RetriesLater | Why::OutsideWindow));
        if let Some(left) = self.time_left(done).filter(|_| !waits) {
            line += &format!(" · {} {}", format_span(left), lang.left());
        }
        let why = lang.view(view, &self.moments);
        if !why.is_empty() {
            line += &format!(" · {why}");
        }
        if !board.line.is_empty() {
            line += &format!(" · {}", board.line);
        }
        line
    }

    /// Estimated from the pace so far; `None` before 5 finished leads and 2 seconds.
    fn time_left(&self, done: u64) -> Option<Duration> {
        let finished = done.saturating_sub(self.done_before);
        let took = self.started.elapsed();
        if finished < 5 || took < Duration::from_secs(2) {
            return None;
        }
        Some(took.mul_f64((self.leads - done.min(self.leads)) as f64 / finished as f64))
    }
}

fn format_span(span: Duration) -> String {
    let secs = span.as_secs();
    match secs {
        0..60 => format!("{secs} s"),
        60..3_600 => format!("{} min", secs.div_ceil(60)),
        _ => format!("{} h {:02} min", secs / 3_600, secs % 3_600 / 60),
    }
}
