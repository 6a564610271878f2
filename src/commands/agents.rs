//! `paceline agents`: a live table of agents and campaigns on the terminal, fed by the event stream of a
//! service.

use super::{Failure, config, target};
use crate::cli::{AgentsArgs, Exit, Global};
use crate::console::client::Client;
use crate::net::clock::Clock;
use crate::output::{end_without_reader, print_line, print_part, reader_gone};
use crate::text::Lang;
use comfy_table::{Cell, CellAlignment, Table};
use paceline_core::time::Utc;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Interval of redraws, so that the `since` column counts on.
const REDRAW_INTERVAL: Duration = Duration::from_millis(500);

pub async fn agents(global: &Global, args: AgentsArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let client = target::service_client(&args.target, &config)?;
    let mut events = client.live().await.map_err(Failure::refused)?;
    let lang = Lang::of_process();
    let terminal = std::io::stdout().is_terminal();
    let mut view = LiveView { group: args.group, ..LiveView::default() };
    let mut redraw = tokio::time::interval(REDRAW_INTERVAL);
    let screen = (terminal && !args.once && !global.json).then(Screen::open);
    loop {
        tokio::select! {
            event = events.next() => {
                let Some((name, data)) = event else {
                    return Err(Failure::unexpected(closed_message(&client)));
                };
                view.apply_event(&name, &data);
                let line = match (global.json, screen.is_none()) {
                    (true, _) => Some(json!({ "event": name, "data": data }).to_string()),
                    (false, true) => view.event_line(lang, &name, &data),
                    (false, false) => None,
                };
                if let Some(line) = line {
                    print_line!("{line}");
                }
                if args.once {
                    return Ok(Exit::Done);
                }
            }
            _ = redraw.tick(), if screen.is_some() => Screen::draw(&view.tables(lang, Clock::utc())),
            () = reader_gone() => end_without_reader(),
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
        }
    }
}

fn closed_message(client: &Client) -> String {
    format!("{}: the service has stopped, or the token is no longer valid", client.url)
}

/// The terminal while it shows the table; the cursor comes back on drop.
struct Screen;

impl Screen {
    fn open() -> Screen {
        // Clear the screen, hide the cursor.
        print_part!("\x1b[2J\x1b[?25l");
        Screen
    }

    fn draw(text: &str) {
        let mut out = std::io::stdout().lock();
        // Draw from the top, clear the rest of each line and everything below. A failed write is ignored: the
        // next event notices a closed terminal.
        let text = text.replace('\n', "\x1b[K\n");
        let _ = write!(out, "\x1b[H{text}\x1b[K\n\x1b[J");
        let _ = out.flush();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        print_part!("\x1b[?25h\n");
    }
}

/// Agents and campaigns, as the latest events describe them.
#[derive(Default)]
struct LiveView {
    group: Option<String>,
    seats: BTreeMap<String, Value>,
    campaigns: BTreeMap<String, Value>,
}

impl LiveView {
    fn apply_event(&mut self, name: &str, data: &Value) {
        match name {
            "snapshot" => {
                self.seats.clear();
                self.campaigns.clear();
                data["seats"].as_array().into_iter().flatten().for_each(|seat| self.update_seat(seat));
                data["campaigns"].as_array().into_iter().flatten().for_each(|it| self.update_campaign(it));
            }
            "seat" => self.update_seat(data),
            "campaign" => self.update_campaign(data),
            _ => {}
        }
    }

    fn update_seat(&mut self, seat: &Value) {
        let of_group = |group: &String| {
            seat["groups"].as_array().into_iter().flatten().any(|name| name == group.as_str())
        };
        let number = seat["agent"].as_str().unwrap_or_default().to_owned();
        if self.group.as_ref().is_none_or(of_group) {
            self.seats.insert(number, seat.clone());
        } else {
            self.seats.remove(&number);
        }
    }

    fn update_campaign(&mut self, campaign: &Value) {
        let name = campaign["name"].as_str().unwrap_or_default().to_owned();
        self.campaigns.insert(name, campaign.clone());
    }

    /// One line per change, for pipes and logs; the whole table for a snapshot.
    fn event_line(&self, lang: Lang, name: &str, data: &Value) -> Option<String> {
        match name {
            "snapshot" => Some(self.tables(lang, Clock::utc())),
            "seat" => {
                let state = lang.seat(word(&data["availability"]), word(&data["activity"]));
                let callee = escaped(&data["work"]["number"]);
                Some(format!("{} {} {state} {callee}", escaped(&data["since"]), escaped(&data["agent"])))
            }
            "decision" | "finished" => {
                let why = reason_words(lang, data);
                Some(format!("{} {} {why}", escaped(&data["at"]), escaped(&data["campaign"])))
            }
            _ => None,
        }
    }

    fn tables(&self, lang: Lang, now: Utc) -> String {
        format!("{}\n{}", self.seat_table(lang, now), self.campaign_table(lang))
    }

    fn seat_table(&self, lang: Lang, now: Utc) -> Table {
        let mut table = Table::new();
        table.set_header([
            lang.agent(),
            lang.name(),
            lang.doing(),
            lang.since(),
            lang.phone(),
            lang.campaign(),
            lang.callee(),
            lang.answered_calls(),
            lang.talked(),
        ]);
        for seat in self.seats.values() {
            let state = lang.seat(word(&seat["availability"]), word(&seat["activity"]));
            let state = match seat["reason"].as_str() {
                Some(reason) => format!("{state}: {}", reason.escape_debug()),
                None => state.to_owned(),
            };
            table.add_row([
                Cell::new(escaped(&seat["agent"])),
                Cell::new(escaped(&seat["name"])),
                Cell::new(state),
                right_aligned(since(&seat["since"], now)),
                Cell::new(phone(seat, lang)),
                Cell::new(escaped(&seat["work"]["campaign"])),
                Cell::new(escaped(&seat["work"]["number"])),
                right_aligned(escaped(&seat["answered"])),
                right_aligned(span(seat["talked_secs"].as_f64().unwrap_or(0.0))),
            ]);
        }
        table
    }

    fn campaign_table(&self, lang: Lang) -> Table {
        let mut table = Table::new();
        table.set_header([
            lang.campaign(),
            lang.reason(),
            lang.ringing(),
            lang.waiting(),
            lang.talking(),
            lang.abandoned(),
            lang.placed(),
        ]);
        for campaign in self.campaigns.values() {
            let view = &campaign["view"];
            let why = reason_words(lang, campaign);
            let ringing = view["starting"].as_u64().unwrap_or(0) + view["ringing"].as_u64().unwrap_or(0);
            table.add_row([
                Cell::new(escaped(&campaign["name"])),
                Cell::new(why),
                right_aligned(ringing.to_string()),
                right_aligned(escaped(&view["waiting"])),
                right_aligned(escaped(&view["talking"])),
                Cell::new(abandoned(campaign, lang)),
                right_aligned(escaped(&campaign["placed"])),
            ]);
        }
        table
    }
}

/// Abandon rate by the strictest chosen rule; empty before the first answered call.
fn abandoned(campaign: &Value, lang: Lang) -> String {
    let Some(rate) = campaign["abandon_rate"].as_f64() else { return String::new() };
    let abandon = &campaign["abandon"];
    let rule = escaped(&abandon["strictest"]);
    lang.abandon_rate(rate, &rule, abandon["left"].as_u64().unwrap_or_default())
}

fn right_aligned(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// Text from outside, with control characters escaped.
fn escaped(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.escape_debug().to_string(),
        other => other.to_string(),
    }
}

/// Why a campaign dials or does not, in the service's words; an older service sends only the code.
fn reason_words(lang: Lang, data: &Value) -> String {
    let words = match lang {
        Lang::En => &data["words"]["en"],
        Lang::Zh => &data["words"]["zh"],
    };
    match words.as_str().filter(|words| !words.is_empty()) {
        Some(words) => words.chars().filter(|letter| !letter.is_control()).collect(),
        None => serde_json::from_value(data["why"].clone())
            .map_or_else(|_| escaped(&data["why"]), |why| lang.why(why).to_owned()),
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn phone(seat: &Value, lang: Lang) -> String {
    match seat["phone"]["latency_ms"].as_u64() {
        Some(millis) => format!("{millis} ms"),
        None => lang.yes_no(seat["phone_ready"] == true).to_owned(),
    }
}

fn since(at: &Value, now: Utc) -> String {
    let at: Option<jiff::Timestamp> = at.as_str().and_then(|text| text.parse().ok());
    let at = at.map(|at| Utc::from_millis(at.as_millisecond()));
    at.map_or_else(String::new, |at| span(now.since(at).as_secs_f64()))
}

/// `1:02:03`
fn span(secs: f64) -> String {
    let secs = secs.max(0.0) as u64;
    format!("{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(number: &str, activity: &str) -> Value {
        json!({
            "agent": number, "name": "安娜\u{1b}[2J", "availability": "available", "activity": activity,
            "since": "1970-01-01T00:00:10.000Z", "groups": ["vote"], "phone_ready": true,
            "work": { "number": "13800138000", "campaign": "vote" }, "answered": 3, "talked_secs": 3723.0,
        })
    }

    #[test]
    fn the_table_shows_the_latest_event_of_each_seat() {
        let mut view = LiveView::default();
        let snapshot = json!({ "seats": [seat("8001", "idle"), seat("8002", "idle")], "campaigns": [
            { "name": "vote", "why": "agents_busy", "abandon_rate": 0.025, "placed": 7,
              "abandon": { "strictest": "uk_ofcom", "left": 4 },
              "view": { "starting": 1, "ringing": 2, "waiting": 0, "talking": 4 } }] });
        view.apply_event("snapshot", &snapshot);
        view.apply_event("seat", &seat("8001", "talking"));
        let text = view.tables(Lang::En, Utc::from_millis(75_000));
        for shown in [
            "8001",
            "talking",
            "0:01:05",
            "13800138000",
            "1:02:03",
            "2.5 % abandoned (uk_ofcom), 4 more",
            "idle",
            "安娜",
        ] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        assert!(!text.contains('\u{1b}'), "a name cannot clear the screen");
        assert!(view.tables(Lang::Zh, Utc::from_millis(0)).contains("通话"));
    }

    #[test]
    fn a_seat_that_leaves_the_group_leaves_the_table() {
        let mut view = LiveView { group: Some("vote".into()), ..LiveView::default() };
        view.apply_event("seat", &seat("8001", "idle"));
        assert_eq!(view.seats.len(), 1);
        let mut other = seat("8001", "idle");
        other["groups"] = json!(["night"]);
        view.apply_event("seat", &other);
        assert!(view.seats.is_empty());
    }
}
