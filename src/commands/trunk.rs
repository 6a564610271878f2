//! `paceline trunk test`: one call over one trunk, its SIP ladder, and what it means. It goes through the service
//! that runs on the store, else through an engine of its own; both through the same two routes of the API.

use super::run::Signals;
use super::setup::{Openings, Service};
use super::user::call_api;
use super::{Failure, config, target};
use crate::cli::{Exit, Global, TrunkAction, TrunkArgs, TrunkTestArgs};
use crate::config::Config;
use crate::console::client::{Client, Method};
use crate::engine::{Board, EngineHandle, EngineRequest};
use crate::lists;
use crate::output::{error_line, print_line};
use crate::text::Lang;
use paceline_core::call_steps::{Direction, Step};
use paceline_core::campaign::SIMULATED_TRUNK;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a trunk that is not up yet may take to register before it is tried all the same.
const REGISTER_WAIT: Duration = Duration::from_secs(6);

/// How often the trace of the live call is read.
const TRACE_INTERVAL: Duration = Duration::from_millis(150);

pub async fn trunk(global: &Global, args: TrunkArgs) -> Result<Exit, Failure> {
    match args.action {
        TrunkAction::Test(args) => test(global, args).await,
    }
}

async fn test(global: &Global, args: TrunkTestArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    check_trunk(&config, &args.trunk)?;
    let body = request(&config, &args)?;
    let mut signals = Signals::new()?;
    if let Some(client) = target::running_service(&config).await {
        error_line!("a service runs on this store: calling through {}", client.url);
        return call(global, &client, &args.trunk, &body, None, &mut signals).await;
    }
    let service = Service::start(config, None, false, false, Openings::default(), true).await?;
    wait_until_up(&service.handle, &args.trunk).await;
    let client = service.local_client();
    let handle = service.handle.clone();
    let called = call(global, &client, &args.trunk, &body, Some(&handle), &mut signals).await;
    service.finish().await?;
    called
}

/// The names of the trunks that there are.
fn names(config: &Config) -> Vec<String> {
    match config.has_trunks() {
        false => vec![SIMULATED_TRUNK.to_owned()],
        true => config.known_trunks().into_keys().collect(),
    }
}

fn check_trunk(config: &Config, name: &str) -> Result<(), Failure> {
    let names = names(config);
    match names.iter().any(|it| it == name) {
        true => Ok(()),
        false => Err(Failure::usage(format!(
            "there is no trunk `{}`; there are: {}",
            name.escape_debug(),
            names.join(", ")
        ))),
    }
}

/// The body of the request, its numbers in E.164.
fn request(config: &Config, args: &TrunkTestArgs) -> Result<Value, Failure> {
    let of_trunk = config.known_trunks().remove(&args.trunk).map_or(String::new(), |it| it.settings.region);
    let region = args.region.as_deref().unwrap_or(&of_trunk);
    let refused = |text: &str, refusal: lists::Refusal| {
        Failure::refused(format!("{}: {}: {}", text.escape_debug(), refusal.reason, refusal.hint))
    };
    let number = lists::clean_number(&args.number, region).map_err(|it| refused(&args.number, it))?;
    let mut body = json!({ "action": "test_call", "number": format!("+{}", number.as_u64()) });
    if let Some(text) = &args.caller_id {
        let shown = lists::caller_id(text, region).map_err(|it| refused(text, it))?;
        body["caller_id"] = format!("+{}", shown.as_u64()).into();
    }
    Ok(body)
}

/// Waits until the trunk is registered, within a bound: the call then shows why it is not.
async fn wait_until_up(handle: &EngineHandle, name: &str) {
    let is_up = |board: &Board| board.trunks.iter().any(|trunk| trunk.name == name && trunk.up);
    let mut board = handle.board();
    let _ = tokio::time::timeout(REGISTER_WAIT, board.wait_for(|board| is_up(board))).await;
}

/// Places the call, prints its steps as they come, and what they mean. `own` = the engine of this process: a signal
/// hangs up. A call through a service goes on without the command.
async fn call(
    global: &Global,
    client: &Client,
    trunk: &str,
    body: &Value,
    own: Option<&EngineHandle>,
    signals: &mut Signals,
) -> Result<Exit, Failure> {
    let lang = Lang::of_process();
    let path = format!("/trunks/{}/actions", target::percent_encode(trunk));
    let placed = call_api(client, Method::POST, &path, Some(body)).await?;
    let path = format!("/calls/{}/trace", placed["attempt"]);
    let mut ladder = Ladder::default();
    let mut is_stopped = false;
    let trace = loop {
        let trace = call_api(client, Method::GET, &path, None).await?;
        if !global.json {
            ladder.print(&trace, lang);
        }
        if trace["ended_at"].is_string() {
            break trace;
        }
        tokio::select! {
            () = tokio::time::sleep(TRACE_INTERVAL) => {}
            () = signals.next() => {
                is_stopped = true;
                match own {
                    Some(handle) => handle.send(EngineRequest::HangUpAll).await,
                    None => break trace,
                }
            }
        }
    };
    show_meaning(global, &trace, lang);
    Ok(match (is_stopped, trace["answered_at"].is_string()) {
        (true, _) => Exit::Stopped,
        (false, true) => Exit::Done,
        (false, false) => Exit::Refused,
    })
}

fn show_meaning(global: &Global, trace: &Value, lang: Lang) {
    if global.json {
        print_line!("{trace}");
        return;
    }
    let word = lang.pick("en", "zh");
    if let Some(says) = trace["words"][word].as_str() {
        print_line!("{says}");
    }
    if let Some(advice) = trace["advice"][word].as_str() {
        print_line!("  {advice}");
    }
}

/// The steps that were printed. The record of a live call drops steps between its first and its last ones.
#[derive(Default)]
struct Ladder {
    printed: usize,
    last_ms: u32,
    has_gap: bool,
}

impl Ladder {
    fn print(&mut self, trace: &Value, lang: Lang) {
        let steps: Vec<Step> = serde_json::from_value(trace["steps"].clone()).unwrap_or_default();
        for step in self.fresh(&steps) {
            print_line!("{}", lang.step(step));
        }
    }

    /// The steps that were not printed yet.
    fn fresh<'a>(&mut self, steps: &'a [Step]) -> Vec<&'a Step> {
        let gap = steps.iter().position(|step| step.dir == Direction::Gap);
        let fresh: Vec<&Step> = match gap {
            None => steps.iter().skip(self.printed).collect(),
            // Places have moved: what is later than the last printed step is new.
            Some(gap) => {
                let from = if self.has_gap { gap + 1 } else { gap.min(self.printed) };
                let later = |(place, step): &(usize, &Step)| {
                    *place == gap && !self.has_gap || step.at_ms > self.last_ms
                };
                steps.iter().enumerate().skip(from).filter(later).map(|(_, step)| step).collect()
            }
        };
        self.has_gap |= gap.is_some();
        self.printed = steps.len();
        self.last_ms = steps.last().map_or(self.last_ms, |step| step.at_ms);
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::call_steps::CallSteps;
    use paceline_core::time::Time;

    #[test]
    fn every_kept_step_is_printed_once_and_the_gap_too() {
        let mut record = CallSteps::default();
        let (mut ladder, mut printed) = (Ladder::default(), Vec::new());
        for n in 0..200u64 {
            let now = Time::ZERO + Duration::from_millis(n * 10);
            record.add_message(now, Direction::Out, &format!("step {n}"), n as u32, None);
            if n % 7 == 0 || n == 199 {
                let steps: Vec<Step> = serde_json::from_str(&record.to_json()).expect("JSON");
                printed.extend(ladder.fresh(&steps).into_iter().map(|step| step.text.clone()));
            }
        }
        let gaps = printed.iter().filter(|text| text.ends_with("left out")).count();
        let steps: Vec<&String> = printed.iter().filter(|text| text.starts_with("step")).collect();
        assert_eq!((gaps, steps.len()), (1, 200), "{printed:?}");
        assert!(steps.windows(2).all(|pair| pair[0] != pair[1]), "{steps:?}");
    }
}
