//! `paceline run` dials one campaign without a service; `paceline call` makes one test call.

use super::setup::{RunningCampaign, Setup};
use super::user::call_api;
use super::{Failure, campaign, config, named, target};
use crate::cli::{CallArgs, Exit, Global, RunArgs};
use crate::config::LoadedCampaign;
use crate::console::client::{Client, Method};
use crate::engine::{Board, CampaignBoard, EngineHandle, EngineRequest};
use crate::net::clock::Clock;
use crate::output::{error_line, print_line};
use crate::progress::Progress;
use crate::results::{self, Summary};
use crate::store::Store;
use crate::text::Lang;
use comfy_table::{Cell, CellAlignment, Table};
use paceline_core::dialer::input::ManagerAction;
use paceline_core::dialer::output::AttemptResult;
use paceline_core::ids::CampaignId;
use paceline_core::outcome::Outcome;
use paceline_core::pacing::Why;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Interval of result files while a campaign runs.
const RESULTS_INTERVAL: Duration = Duration::from_secs(60);

pub async fn run(global: &Global, args: RunArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let loaded = campaign(&named::file_of(&args.campaign, &config).await?, &config)?;
    let (people, use_text) = (args.people, args.use_text);
    let setup = Setup { config, loaded, people, with_api: true, crew: None, first_start: false, use_text };
    run_campaign(global, setup).await
}

/// Runs a campaign to its end, or to a signal.
pub(super) async fn run_campaign(global: &Global, setup: Setup) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let lang = Lang::of_process();
    let store_url = setup.config.store.url.clone();
    let drain = Duration::from_secs(u64::from(setup.config.node.drain_secs));
    let running = setup.start(false).await?;
    let loaded = running.loaded.clone();
    let campaign = running.campaign;
    let (title, timezone) = (loaded.title.clone(), loaded.rules.windows.timezone.clone());
    let progress =
        Progress::start(&title, running.leads, running.leads - running.leads_open, &timezone, lang);
    let stopped =
        watch_until_finished(&running, &mut signals, Some(progress), &title, &loaded, &store_url).await;
    let handle = running.handle.clone();
    let finishing = running.finish();
    let board = if stopped {
        say_stopping(drain);
        finish_within(drain, &handle, &mut signals, finishing).await?
    } else {
        finishing.await?
    };
    let stopped = stopped && campaign_board(&handle.board(), campaign).view.leads_open > 0;
    let summary = write_results(&store_url, &loaded).await?;
    show(global, lang, &loaded, &summary, &board, stopped);
    Ok(match (stopped, summary.reconciles) {
        (true, _) => Exit::Stopped,
        (false, true) => Exit::Done,
        (false, false) => Exit::Unexpected,
    })
}

/// How often the line is looked at.
const TICK: Duration = Duration::from_secs(1);

/// A campaign all of whose trunks rest this long is stopped: someone has to speak with the carrier.
const LINE_PATIENCE: Duration = Duration::from_secs(30);
/// The same for a campaign that waits for a region alone.
const REGION_PATIENCE: Duration = Duration::from_secs(30 * 60);

/// How long the line has kept a campaign from calling, and whether that is too long.
#[derive(Default)]
struct LineWatch {
    waited: Duration,
}

impl LineWatch {
    /// Called once a [`TICK`].
    fn is_over(&mut self, board: &CampaignBoard) -> bool {
        let waits = matches!(board.view.why, Some(Why::RetriesLater | Why::HopperEmpty));
        let patience = match board.view.line {
            Some(line) if line.all => LINE_PATIENCE,
            Some(_) if waits => REGION_PATIENCE,
            _ => {
                self.waited = Duration::ZERO;
                return false;
            }
        };
        self.waited += TICK;
        self.waited >= patience
    }
}

/// Waits for a service that stops. Calls may end by themselves until the deadline or the next signal; then
/// they are hung up.
pub(super) async fn finish_within<T>(
    drain: Duration,
    handle: &EngineHandle,
    signals: &mut Signals,
    finishing: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::pin!(finishing);
    let deadline = tokio::time::sleep(drain);
    tokio::pin!(deadline);
    let mut hung_up = false;
    loop {
        tokio::select! {
            finished = &mut finishing => return finished,
            () = &mut deadline, if !hung_up => {
                hung_up = true;
                error_line!("calls are still up after {} s: hanging up", drain.as_secs());
                handle.send(EngineRequest::HangUpAll).await;
            }
            () = signals.next() => {
                error_line!("hanging up");
                handle.send(EngineRequest::HangUpAll).await;
            }
        }
    }
}

/// What is said at the first signal.
pub(super) fn say_stopping(drain: Duration) {
    let secs = drain.as_secs();
    error_line!("stopping: no new calls; calls may end within {secs} s (again to hang up)");
}

/// Watches the board until the campaign is finished, or until a signal or the line stops it (`true`): then nothing
/// more is placed.
async fn watch_until_finished(
    running: &RunningCampaign,
    signals: &mut Signals,
    mut progress: Option<Progress>,
    title: &str,
    loaded: &LoadedCampaign,
    store_url: &str,
) -> bool {
    let mut board = running.handle.board();
    let (mut stopped, mut line) = (false, LineWatch::default());
    let mut ticks = tokio::time::interval(TICK);
    let mut results_due = tokio::time::interval(RESULTS_INTERVAL);
    results_due.reset();
    loop {
        let state = campaign_board(&board, running.campaign);
        if let Some(progress) = &mut progress {
            progress.show(title, &state);
        }
        if state.finished {
            break;
        }
        tokio::select! {
            changed = board.changed() => if changed.is_err() { break },
            _ = ticks.tick() => if line.is_over(&state) {
                error_line!("the campaign pauses: {}", state.line);
                running.handle.send(EngineRequest::Drain).await;
                stopped = true;
                break;
            },
            () = signals.next() => {
                running.handle.send(EngineRequest::Drain).await;
                stopped = true;
                break;
            }
            _ = results_due.tick() => {
                match write_results(store_url, loaded).await {
                    Ok(summary) => running.metrics.set_leads(&loaded.rules.name, &summary.leads_by_state),
                    Err(failure) => {
                        tracing::warn!(why = failure.sentence, "the result files are not written now; retrying later");
                    }
                }
            }
        }
    }
    if let Some(progress) = progress {
        progress.finish();
    }
    stopped
}

pub async fn call(global: &Global, args: CallArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let loaded = named::find(&args.campaign, &config).await?.loaded;
    let number = crate::lists::clean_number(&args.number, &loaded.list.region).map_err(|refusal| {
        Failure::refused(format!("{}: {}: {}", args.number, refusal.reason, refusal.hint))
    })?;
    if let Some(client) = target::running_service(&config).await {
        return call_through_service(global, &client, &loaded.rules.name, &number.national()).await;
    }
    let loaded = campaign(&named::file_of(&args.campaign, &config).await?, &config)?;
    let mut signals = Signals::new()?;
    let setup = Setup {
        config,
        loaded,
        people: None,
        with_api: false,
        crew: None,
        first_start: false,
        use_text: None,
    };
    let running = setup.start(true).await?;
    let campaign = running.campaign;
    running
        .handle
        .send(EngineRequest::ManagerAction { campaign, action: ManagerAction::TestCall { number } })
        .await;
    let mut board = running.handle.board();
    let mut stopping = false;
    let result = loop {
        let state = campaign_board(&board, campaign);
        if let Some(result) = state.last_test {
            break Ok(result);
        }
        if let Some(verdict) = state.test_refused {
            break Err(verdict);
        }
        tokio::select! {
            changed = board.changed() => if changed.is_err() { break Err("the engine stopped".into()) },
            () = signals.next() => {
                stopping = true;
                running.handle.send(EngineRequest::HangUpAll).await;
            }
        }
    };
    running.finish().await?;
    let result = result.map_err(|why| Failure::refused(format!("{number} was not called: {why}")))?;
    show_call(global, &number.national(), &result);
    Ok(if stopping { Exit::Stopped } else { Exit::Done })
}

/// How often the call log is read for a test call.
const LOG_INTERVAL: Duration = Duration::from_millis(500);

/// Has the service that runs on the store place the call, and reads what came of it from the call log.
async fn call_through_service(
    global: &Global,
    client: &Client,
    campaign: &str,
    number: &str,
) -> Result<Exit, Failure> {
    error_line!("a service runs on this store: calling through {}", client.url);
    let name = target::percent_encode(campaign);
    // The moment as the service's log writes it, in milliseconds.
    let from = jiff::Timestamp::from_millisecond(Clock::utc().as_millis()).map_err(Failure::unexpected)?;
    let body = json!({ "action": "test_call", "number": number });
    let answer = call_api(client, Method::POST, &format!("/campaigns/{name}/actions"), Some(&body)).await?;
    let attempt = &answer["attempt"];
    let log = format!(
        "/calls?campaign={name}&number={number}&limit=10&from={}",
        target::percent_encode(&from.to_string())
    );
    let call = loop {
        let mut page = call_api(client, Method::GET, &log, None).await?;
        let calls = page["calls"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let call = calls.into_iter().find(|call| call["id"] == *attempt).unwrap_or_default();
        if call["ended_at"].is_string() {
            break call;
        }
        tokio::time::sleep(LOG_INTERVAL).await;
    };
    if global.json {
        print_line!("{call}");
        return Ok(Exit::Done);
    }
    let text = |field: &str| call[field].as_str().unwrap_or("-").escape_debug().to_string();
    print_line!(
        "{number}: {}: {}; ended by the {}; call {}",
        text("outcome"),
        text("cause"),
        text("ended_by"),
        call["id"]
    );
    Ok(Exit::Done)
}

fn show_call(global: &Global, number: &str, result: &AttemptResult) {
    let keys: String = result.keys.iter().map(|key| key.as_char()).collect();
    if global.json {
        let talk = result.answered_at.map(|at| result.ended_at.since(at).as_secs_f64());
        print_line!(
            "{}",
            json!({
                "attempt_id": result.attempt, "phone": number, "outcome": result.outcome, "cause": result.cause,
                "sip_code": result.sip_code, "ended_by": result.ended_by, "keys": keys, "result": result.result,
                "talk_secs": talk,
            })
        );
        return;
    }
    let code = result.sip_code.map(|code| format!(" (SIP {code})")).unwrap_or_default();
    print_line!(
        "{number}: {}{code}: {}; ended by the {}",
        result.outcome,
        result.cause.escape_debug(),
        result.ended_by
    );
    if let Some(at) = result.answered_at {
        print_line!(
            "  talked {:.1} s, keys: {}",
            result.ended_at.since(at).as_secs_f64(),
            if keys.is_empty() { "none" } else { &keys }
        );
    }
}

fn campaign_board(board: &watch::Receiver<Arc<Board>>, campaign: CampaignId) -> CampaignBoard {
    board.borrow().campaigns.get(&campaign).cloned().unwrap_or_default()
}

pub(super) async fn write_results(store_url: &str, loaded: &LoadedCampaign) -> Result<Summary, Failure> {
    let mut reader = Store::open_reader(store_url).await.map_err(Failure::unexpected)?;
    results::write(&mut reader, &loaded.rules.name, &loaded.results_dir).await.map_err(Failure::unexpected)
}

fn show(
    global: &Global,
    lang: Lang,
    loaded: &LoadedCampaign,
    summary: &Summary,
    board: &CampaignBoard,
    stopped: bool,
) {
    if global.json {
        print_line!("{}", json!({ "stopped": stopped, "summary": summary, "results": loaded.results_dir }));
        return;
    }
    print_line!("{}", loaded.title);
    let ended: u64 = summary.attempts_by_outcome.values().sum();
    print_line!(
        "{}",
        count_table(lang.outcome(), lang, &summary.attempts_by_outcome, ended, |word| Outcome::from_word(
            word
        )
        .is_some())
    );
    if !summary.leads_by_result.is_empty() {
        print_line!(
            "{}",
            count_table(lang.result(), lang, &summary.leads_by_result, summary.leads, |_| true)
        );
    }
    print_line!("{}", count_table(lang.state(), lang, &summary.leads_by_state, summary.leads, |_| true));
    print_line!(
        "rows {} = {} leads + {} refused; {} attempts, {} in this run; {}",
        summary.rows_read,
        summary.leads,
        summary.refused,
        summary.attempts,
        board.placed,
        lang.reconciles(summary.reconciles)
    );
    if let Some(compared) = &board.view.shadow {
        print_line!("{}", lang.shadow(compared));
    }
    for trunk in board.key_watch.silent_trunks() {
        print_line!("{}", lang.no_keys(trunk));
    }
    print_line!("{} {}", lang.results_in(), loaded.results_dir.display());
    if let Some(trouble) = &summary.line_trouble {
        print_line!("{trouble}");
    }
    if stopped {
        print_line!("stopped before the end; run it again to go on");
    }
}

fn count_table(
    what: &str,
    lang: Lang,
    counts: &std::collections::BTreeMap<String, u64>,
    total: u64,
    wanted: impl Fn(&str) -> bool,
) -> Table {
    let mut table = Table::new();
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    table.set_header([Cell::new(what), right(lang.calls().into()), right(lang.share().into())]);
    for (word, count) in counts.iter().filter(|(word, _)| wanted(word)) {
        let share = *count as f64 * 100.0 / total.max(1) as f64;
        table.add_row([
            Cell::new(word.escape_debug()),
            right(count.to_string()),
            right(format!("{share:.1} %")),
        ]);
    }
    table
}

/// SIGINT and SIGTERM; both mean stop.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(Failure::unexpected);
        Ok(Signals {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
