//! Renders a timeline of a journal: as text with one column per step, as JSON, as SVG.

use super::svg::{escape_xml, open_svg};
use crate::journal::{AgentState, Decided, Row, RowSubject, State, Timeline};
use crate::tasks::{masked_number, rfc3339};
use crate::text::{Lang, TimeFormat};
use paceline_core::dialer::CallStage;
use paceline_core::time::{Duration, Utc};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Options of the text view.
pub(super) struct TextOptions<'a> {
    pub moments: &'a TimeFormat,
    /// Time per column.
    pub step: Duration,
    /// Show whole telephone numbers.
    pub numbers: bool,
    pub lang: Lang,
}

/// Most decisions in the text view.
const DECISIONS_MAX: usize = 200;

fn glyph(state: State) -> char {
    match state {
        State::Agent(state) => match state {
            AgentState::SignedOut => ' ',
            AgentState::Paused => 'P',
            AgentState::NoPhone => '?',
            AgentState::Idle => '.',
            AgentState::Reserved => 'r',
            AgentState::Ringing => 'R',
            AgentState::Talking => 'T',
            AgentState::Held => 'H',
            AgentState::Consulting => 'C',
            AgentState::WrapUp => 'W',
        },
        State::Call(stage) => match stage {
            CallStage::Opening => 'o',
            CallStage::Placed => 'p',
            CallStage::Ringing => 'r',
            CallStage::Answered => 'a',
            CallStage::Announcing => 'A',
            CallStage::Waiting => 'w',
            CallStage::Talking => 'T',
            CallStage::Held => 'H',
            CallStage::Sorry => 's',
            CallStage::Ended => 'x',
        },
    }
}

fn colour(state: State) -> &'static str {
    match state {
        State::Agent(AgentState::SignedOut) => "#ffffff",
        State::Agent(AgentState::Paused) => "#b2babb",
        State::Agent(AgentState::NoPhone) => "#e6b0aa",
        State::Agent(AgentState::Idle) => "#f9e79f",
        State::Agent(AgentState::Reserved) => "#d2b4de",
        State::Agent(AgentState::Ringing) | State::Call(CallStage::Ringing) => "#aed6f1",
        State::Agent(AgentState::Talking) | State::Call(CallStage::Talking) => "#229954",
        State::Agent(AgentState::Held) | State::Call(CallStage::Held) => "#7dcea0",
        State::Agent(AgentState::Consulting) => "#117864",
        State::Agent(AgentState::WrapUp) => "#5d6d7e",
        State::Call(CallStage::Opening) => "#eaecee",
        State::Call(CallStage::Placed) => "#d6eaf8",
        State::Call(CallStage::Answered | CallStage::Announcing) => "#48c9b0",
        State::Call(CallStage::Waiting) => "#f39c12",
        State::Call(CallStage::Sorry) => "#c0392b",
        State::Call(CallStage::Ended) => "#2c3e50",
    }
}

/// The timeline as text for a terminal.
pub(super) fn to_text(found: &Timeline, options: &TextOptions<'_>) -> String {
    let (lang, moments, window) = (options.lang, options.moments, &found.window);
    let mut out = String::new();
    let names: Vec<&str> = found.campaigns.values().map(String::as_str).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{} - {} {} ({} = {} ms)",
        moments.show(window.from),
        moments.show(window.until),
        names.join(", "),
        lang.pick("one column", "每列"),
        options.step.as_millis()
    );
    let labels: Vec<String> = found.rows.iter().map(|row| label(row, options.numbers, lang)).collect();
    let width = labels.iter().map(|label| display_width(label)).max().unwrap_or(0) + 1;
    let _ = writeln!(out, "{}{}", " ".repeat(width), ruler(found, options));
    for (row, label) in found.rows.iter().zip(&labels) {
        let cells = cells(row, found, options.step);
        let _ = writeln!(
            out,
            "{label}{}{}{}",
            " ".repeat(width - display_width(label)),
            cells.trim_end(),
            call_ending(row, found, lang)
        );
    }
    if found.rows.is_empty() {
        let _ =
            writeln!(out, "{}", lang.pick("no agent was there and no call was out", "无坐席在岗,也无呼叫"));
    }
    let _ = writeln!(out, "\n{}", lang.pick("decisions", "拨号决定"));
    for decided in found.decisions.iter().take(DECISIONS_MAX) {
        let _ = writeln!(out, "{}", decision(decided, found, options));
    }
    match found.decisions.len().saturating_sub(DECISIONS_MAX) {
        0 if found.decisions.is_empty() => {
            let _ = writeln!(out, "{}", lang.pick("none: nothing changed", "无变化"));
        }
        0 => {}
        more => {
            let _ = writeln!(out, "+ {more}: --json");
        }
    }
    let _ = writeln!(out, "\n{}", legend(lang));
    out
}

/// Terminal columns of a text; a Chinese character takes two.
fn display_width(text: &str) -> usize {
    text.chars().map(|letter| if letter >= '\u{2e80}' { 2 } else { 1 }).sum()
}

fn label(row: &Row, numbers: bool, lang: Lang) -> String {
    match &row.of {
        RowSubject::Agent { number, .. } => format!("{} {number}", lang.agent()),
        RowSubject::Call { attempt, number, inbound, .. } => {
            let number = number.map_or_else(|| "-".to_owned(), |number| masked_number(number, numbers));
            match inbound {
                true => format!("{} {number}", lang.pick("caller", "来电")),
                false => format!("{} {attempt} {number}", lang.pick("call", "呼叫")),
            }
        }
    }
}

/// End of a call's line: its agent and its outcome.
fn call_ending(row: &Row, found: &Timeline, lang: Lang) -> String {
    let RowSubject::Call { agent, outcome, .. } = &row.of else { return String::new() };
    let agent = agent.and_then(|agent| found.agent_numbers().get(&agent)).cloned();
    let outcome = outcome.map(|outcome| lang.outcome_words(outcome).to_owned());
    let parts: Vec<String> = [agent, outcome].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("  {}", parts.join(", ")) }
}

/// The time above every tenth column.
fn ruler(found: &Timeline, options: &TextOptions<'_>) -> String {
    let mut text = String::new();
    let columns = columns(found, options.step);
    for column in (0..columns).step_by(10) {
        let at = found.window.from + options.step * column as u32;
        let _ = write!(text, "{:<10}", options.moments.written(at, "|%H:%M:%S"));
    }
    text.trim_end().to_owned()
}

fn columns(found: &Timeline, step: Duration) -> usize {
    let span = found.window.until.since(found.window.from).as_millis();
    span.div_ceil(step.as_millis().max(1)) as usize
}

/// One glyph per column: the state that held longest in it. The end of a call is always shown.
fn cells(row: &Row, found: &Timeline, step: Duration) -> String {
    let mut cells = String::new();
    for column in 0..columns(found, step) {
        let from = found.window.from + step * column as u32;
        let until = from + step;
        let mut best: Option<(Duration, State)> = None;
        let mut ended = false;
        for span in row.spans.iter().filter(|span| span.from < until && span.until > from) {
            let held = span.until.min(until).since(span.from.max(from));
            ended |= span.state == State::Call(CallStage::Ended);
            if best.is_none_or(|(longest, _)| held >= longest) {
                best = Some((held, span.state));
            }
        }
        // A call whose result was saved right at its end is shown as over in that column.
        let over = matches!(row.of, RowSubject::Call { outcome: Some(_), .. })
            && row.spans.last().is_some_and(|last| last.until > from && last.until <= until);
        cells.push(match best {
            Some(_) if ended || over => 'x',
            Some((_, state)) => glyph(state),
            None => ' ',
        });
    }
    cells
}

fn decision(decided: &Decided, found: &Timeline, options: &TextOptions<'_>) -> String {
    let campaign = found.campaigns.get(&decided.campaign).map_or("", String::as_str);
    format!(
        "{} {campaign}: {}",
        options.moments.exact(decided.at),
        options.lang.view(&decided.view, options.moments)
    )
}

fn legend(lang: Lang) -> &'static str {
    lang.pick(
        "agents: . idle  r reserved  R ringing  T talking  H hold  C consulting  W wrap-up  P paused  ? no phone\n\
         calls:  o opening  p placed  r ringing  a answered  A announcement  w waiting  T talking  H hold  s sorry  x ended",
        "坐席:. 空闲  r 预留  R 振铃  T 通话  H 保持  C 咨询  W 话后  P 示忙  ? 话机离线\n\
         呼叫:o 准备  p 已拨出  r 振铃  a 接听  A 放音  w 等待  T 通话  H 保持  s 致歉  x 结束",
    )
}

/// The timeline as JSON.
pub(super) fn to_json(found: &Timeline, moments: &TimeFormat, numbers: bool) -> Value {
    let spans = |row: &Row| -> Vec<Value> {
        let spans = row.spans.iter();
        spans
            .map(|span| json!({ "from": rfc3339(span.from), "until": rfc3339(span.until), "state": span.state.word() }))
            .collect()
    };
    let (mut agents, mut calls) = (Vec::new(), Vec::new());
    for row in &found.rows {
        match &row.of {
            RowSubject::Agent { number, .. } => agents.push(json!({ "agent": number, "spans": spans(row) })),
            RowSubject::Call { attempt, campaign, number, lead, inbound, agent, outcome } => {
                calls.push(json!({
                    "attempt": (!inbound).then_some(attempt),
                    "campaign": found.campaigns.get(campaign),
                    "number": number.map(|number| masked_number(number, numbers)),
                    "lead": lead,
                    "inbound": inbound,
                    "agent": agent.and_then(|agent| found.agent_numbers().get(&agent)),
                    "outcome": outcome.map(|outcome| outcome.word()),
                    "spans": spans(row),
                }))
            }
        }
    }
    let decisions: Vec<Value> = found
        .decisions
        .iter()
        .map(|decided| {
            json!({
                "at": rfc3339(decided.at),
                "campaign": found.campaigns.get(&decided.campaign),
                "place": decided.decision.place,
                "why": decided.decision.why.word(),
                "reason": decided.view.reason,
                "numbers": decided.view.numbers,
                "words": {
                    "en": Lang::En.view(&decided.view, moments),
                    "zh": Lang::Zh.view(&decided.view, moments),
                },
            })
        })
        .collect();
    json!({
        "from": rfc3339(found.window.from),
        "until": rfc3339(found.window.until),
        "seen_until": found.seen_until.map(|seen| rfc3339(seen.min(found.window.until))),
        "agents": agents,
        "calls": calls,
        "decisions": decisions,
    })
}

/// The timeline as SVG: one line per agent or call, one colour per state, details as tooltips.
pub(super) fn to_svg(found: &Timeline, moments: &TimeFormat, numbers: bool) -> String {
    let (left, width, step) = (200.0, 960.0, 20.0);
    let window = &found.window;
    let whole = window.until.since(window.from).as_millis().max(1) as f64;
    let x = |at: Utc| left + at.since(window.from).as_millis() as f64 / whole * width;
    let height = 110.0 + found.rows.len() as f64 * step;
    let names: Vec<&str> = found.campaigns.values().map(String::as_str).collect();
    let title = format!("{} {}", moments.show(window.from), names.join(", "));
    let mut svg = open_svg(left + width + 40.0, height, &title);
    let foot = 60.0 + found.rows.len() as f64 * step;
    for tick in 0..=6u32 {
        let at = window.from + window.until.since(window.from) * tick / 6;
        let (x, text) = (x(at), moments.written(at, "%H:%M:%S"));
        let _ = write!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"54\" x2=\"{x:.1}\" y2=\"{foot}\" stroke=\"#d5d8dc\"/>\
             <text x=\"{x:.1}\" y=\"48\" font-size=\"11\" text-anchor=\"middle\">{text}</text>"
        );
    }
    for (place, row) in found.rows.iter().enumerate() {
        let y = 58.0 + place as f64 * step;
        let name = label(row, numbers, Lang::En);
        let _ =
            write!(svg, "<text x=\"20\" y=\"{:.1}\" font-size=\"11\">{}</text>", y + 12.0, escape_xml(&name));
        for span in &row.spans {
            let (from, to) = (x(span.from), x(span.until));
            let _ = write!(
                svg,
                "<rect x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"14\" fill=\"{}\"><title>{} {} {}</title></rect>",
                (to - from).max(0.8),
                colour(span.state),
                escape_xml(&name),
                span.state.word(),
                moments.exact(span.from),
            );
        }
    }
    for (place, state) in shown_states(found).into_iter().enumerate() {
        let (x, y) = (left + (place % 8) as f64 * 120.0, foot + 16.0 + (place / 8) as f64 * 16.0);
        let _ = write!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" fill=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"11\">{}</text>",
            y - 9.0,
            colour(state),
            x + 14.0,
            state.word()
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Every state in the timeline, once per word and colour, for the legend.
fn shown_states(found: &Timeline) -> Vec<State> {
    let mut states: Vec<State> =
        found.rows.iter().flat_map(|row| &row.spans).map(|span| span.state).collect();
    states.sort_unstable();
    states.dedup_by_key(|state| (state.word(), colour(*state)));
    states
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Span, Window};
    use paceline_core::ids::{AgentId, AttemptId, CampaignId};
    use paceline_core::number::PhoneNumber;
    use paceline_core::outcome::Outcome;
    use std::collections::BTreeSet;

    fn at(millis: i64) -> Utc {
        Utc::from_millis(1_795_226_400_000 + millis)
    }

    fn timeline() -> Timeline {
        let window = Window { from: at(0), until: at(10_000), campaign: None };
        let mut found = Timeline::new(window);
        found.seen_until = Some(at(10_000));
        let span = |from, until, state| Span { from: at(from), until: at(until), state };
        let call = |from, until, stage| span(from, until, State::Call(stage));
        let agent = |from, until, state| span(from, until, State::Agent(state));
        found.rows = vec![
            Row {
                of: RowSubject::Agent { agent: AgentId(1), number: "8001".into() },
                spans: vec![agent(0, 4_400, AgentState::Idle), agent(4_400, 10_000, AgentState::Talking)],
            },
            Row {
                of: RowSubject::Call {
                    attempt: AttemptId(17),
                    campaign: CampaignId(1),
                    number: PhoneNumber::from_e164(8_613_800_138_000),
                    lead: None,
                    inbound: false,
                    agent: None,
                    outcome: Some(Outcome::Answered),
                },
                spans: vec![
                    call(500, 1_600, CallStage::Placed),
                    call(1_600, 4_390, CallStage::Ringing),
                    call(4_390, 4_400, CallStage::Waiting),
                    call(4_400, 8_200, CallStage::Talking),
                    call(8_200, 8_210, CallStage::Ended),
                ],
            },
        ];
        found
    }

    #[test]
    fn the_text_has_a_column_per_step_and_shows_the_end_of_a_call() {
        let moments = TimeFormat::in_zone("Asia/Shanghai");
        let options =
            TextOptions { moments: &moments, step: Duration::from_secs(1), numbers: false, lang: Lang::En };
        let text = to_text(&timeline(), &options);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].contains("|10:00:00"), "{text}");
        assert!(
            lines[2].ends_with("agent 8001          ....TTTTTT") || lines[2].ends_with(" ....TTTTTT"),
            "{text}"
        );
        assert!(lines[3].contains("call 17 138****8000 pprrTTTTx  answered"), "{text}");
        assert!(text.contains("none: nothing changed"), "{text}");
    }

    #[test]
    fn every_state_has_its_own_glyph_and_is_in_the_legend() {
        let agents: BTreeSet<char> =
            AgentState::ALL.iter().map(|state| glyph(State::Agent(*state))).collect();
        let calls: BTreeSet<char> = CallStage::ALL.iter().map(|stage| glyph(State::Call(*stage))).collect();
        assert_eq!((agents.len(), calls.len()), (AgentState::ALL.len(), CallStage::ALL.len()));
        for lang in [Lang::En, Lang::Zh] {
            let legend = legend(lang);
            for letter in agents.iter().chain(&calls).filter(|letter| **letter != ' ') {
                assert!(legend.contains(&format!("{letter} ")), "{letter}: {legend}");
            }
        }
    }

    #[test]
    fn json_and_svg_hold_the_same_spans_and_mask_numbers() {
        let moments = TimeFormat::in_zone("Asia/Shanghai");
        let data = to_json(&timeline(), &moments, false);
        assert_eq!(data["agents"][0]["spans"][1]["state"], "talking");
        assert_eq!(data["agents"][0]["spans"][1]["from"], "2026-11-21T02:00:04.400Z");
        assert_eq!(data["calls"][0]["spans"].as_array().map(Vec::len), Some(5));
        let picture = to_svg(&timeline(), &moments, false);
        assert_eq!(picture.matches("<title>").count(), 7);
        assert!(picture.ends_with("</svg>\n") && !picture.contains("13800138000"));
        assert!(!data.to_string().contains("13800138000"));
        assert!(to_json(&timeline(), &moments, true).to_string().contains("13800138000"));
    }
}
