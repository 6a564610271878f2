//! Finds the service a command talks to: the one named, the one that runs on this store, or the API's routes
//! inside this process when no service runs.

use super::Failure;
use super::setup::reserve;
use crate::cli::TargetArgs;
use crate::config::Config;
use crate::console::client::{Client, Method};
use crate::console::{AppState, AppStateParts, PhoneSettings};
use crate::engine::{Board, EngineHandle};
use crate::files::Files;
use crate::metrics::Metrics;
use crate::net::clock::Clock;
use crate::output::error_line;
use crate::store::{Store, StoreError};
use crate::tasks::{TaskParts, Tasks};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};

/// The named service, or the one that runs on this store.
pub(super) fn service_client(args: &TargetArgs, config: &Config) -> Result<Client, Failure> {
    let beside = || Client::for_store(&config.store.file());
    match (&args.url, &args.token) {
        (Some(url), Some(token)) => Ok(Client::new(url, token)),
        (Some(url), None) => {
            beside().filter(|client| client.url == url.trim_end_matches('/')).ok_or_else(|| {
                Failure::usage(format!(
                    "{url} asks for a token: --token, or PACELINE_TOKEN in the environment"
                ))
            })
        }
        (None, token) => {
            let found = beside().map(|client| match token {
                Some(token) => Client::new(&client.url, token),
                None => client,
            });
            let missing = "no service runs on this store (or its key is another user's); start one with \
                           `paceline serve`, or name it with --url and --token";
            found.ok_or_else(|| Failure::refused(missing))
        }
    }
}

/// As [`service_client`]; without a service on this store, the API's routes inside this process.
pub(super) async fn service_or_local_client(args: &TargetArgs, config: &Config) -> Result<Client, Failure> {
    if args.url.is_some() || args.token.is_some() {
        return service_client(args, config);
    }
    match Store::open(&config.store.url, Arc::new(Clock::utc)).await {
        Ok(store) => local_client(store, config),
        Err(StoreError::InUse { .. }) => {
            let client = service_client(args, config)?;
            error_line!("a service runs on this store: asking it at {}", client.url);
            Ok(client)
        }
        Err(other) => Err(Failure::refused(other)),
    }
}

/// The service that runs on this store and answers, if there is one; a key file may outlive a killed service.
pub(super) async fn running_service(config: &Config) -> Option<Client> {
    let client = Client::for_store(&config.store.file())?;
    let answers = client.ask(Method::GET, "/api/v1/me", None).await.is_ok();
    answers.then_some(client)
}

/// A text for a path or a query.
pub(super) fn percent_encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The API's routes over this store, with an engine handle that no engine answers.
fn local_client(store: Store, config: &Config) -> Result<Client, Failure> {
    let (asks, _) = mpsc::channel(1);
    let (_, board) = watch::channel(Arc::new(Board::default()));
    let (live, _) = broadcast::channel(1);
    let (store, engine) = (Arc::new(store), EngineHandle::new(asks, board, live));
    let folder = config.files.folder(store.path());
    let failed =
        |error| Failure::usage(format!("the object store {} cannot be used: {error}", folder.display()));
    let files = Files::open_with(&folder, reserve(config)).map_err(failed)?;
    let tasks = Tasks::idle(TaskParts {
        store: store.clone(),
        files: files.clone(),
        engine: engine.clone(),
        config: Arc::default(),
        samples: None,
        openings: None,
    });
    let state = AppState::new(AppStateParts {
        files,
        tasks,
        store,
        engine,
        metrics: Arc::new(Metrics::new()),
        clock: Arc::new(Clock::utc),
        phones: expected_phone_line(config),
        recordings: PathBuf::from(&config.recordings.dir),
        campaigns: None,
        list_changes: None,
        config: Arc::new(config.clone()),
        campaign_service: None,
        trunk_changes: None,
        http: config.http.clone(),
        settings: Vec::new(),
    });
    Ok(Client::in_process(
        state.map_err(|_| Failure::unexpected("the random number generator of this machine failed"))?,
    ))
}

/// The address at which phones will register, as far as the configuration alone says.
fn expected_phone_line(config: &Config) -> PhoneSettings {
    let first = config.sip.listen.first().map_or("", String::as_str);
    let (transport, listen) = first.split_once("://").unwrap_or(("udp", "0.0.0.0:5060"));
    let listen: Option<SocketAddr> = listen.parse().ok();
    let known =
        listen.filter(|address| !address.ip().is_unspecified()).map(|address| address.ip().to_string());
    let host = match config.sip.external_address.as_str() {
        "" => known.unwrap_or_else(|| "(this machine)".into()),
        external => external.to_owned(),
    };
    let port = listen.map_or(5060, |address| address.port());
    PhoneSettings {
        domain: config.sip.domain.clone(),
        proxy: format!("{host}:{port}"),
        transport: transport.to_owned(),
    }
}
