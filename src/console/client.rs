//! HTTP client of the API, for commands that talk to a running service: plain HTTP/1.1, one connection a
//! request, and the live stream (server-sent events). A key file beside the store, readable by its owner
//! alone, holds the service's URL and the local service token.

use super::AppState;
use http_body_util::{BodyExt, Full};
pub use hyper::Method;
use hyper::body::{Bytes, Incoming};
use hyper::service::Service;
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpStream;

/// Largest response body, in bytes.
const ANSWER_MAX: usize = 64 * 1024 * 1024;

const ANSWER_WAIT: Duration = Duration::from_secs(20);

/// Why a request failed, as a sentence for the user.
pub type ClientError = String;

/// A client of a service: over a socket, or calling the router of this process.
#[derive(Clone, Serialize, Deserialize)]
pub struct Client {
    /// `http://host:port`; empty for the router of this process.
    pub url: String,
    pub token: String,
    #[serde(skip)]
    router: Option<axum::Router>,
}

/// Leaves the token out.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Path of the key file of the service that runs on this store.
pub fn key_file(store: &Path) -> PathBuf {
    let mut name = store.file_name().unwrap_or_default().to_owned();
    name.push(".door");
    store.with_file_name(name)
}

/// The key file on disk; removed when dropped, that is when the service stops.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(store: &Path, client: &Client) -> std::io::Result<KeyFile> {
        use std::os::unix::fs::OpenOptionsExt;
        let path = key_file(store);
        // A file of an earlier process may be there with other permissions.
        let _ = std::fs::remove_file(&path);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(serde_json::to_string(client)?.as_bytes())?;
        Ok(KeyFile { path })
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        // If a later process has put its own file there, it writes that file again once it is gone.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Client {
    pub fn new(url: &str, token: &str) -> Client {
        Client { url: url.into(), token: token.into(), router: None }
    }

    /// For commands on a store without a running service: calls the router directly, without a socket.
    pub fn in_process(state: AppState) -> Client {
        let token = state.local_service_token().to_owned();
        Client { url: String::new(), token, router: Some(super::routes(state)) }
    }

    /// A client of the service that runs on this store, if its key file can be read.
    pub fn for_store(store: &Path) -> Option<Client> {
        serde_json::from_str(&std::fs::read_to_string(key_file(store)).ok()?).ok()
    }

    /// Sends one request. `Ok` = the JSON of a success, `Null` if the response has no body.
    ///
    /// # Errors
    /// The problem document's `detail`, or the connection error.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, ClientError> {
        let asked = async {
            let (status, text) = match &self.router {
                Some(routes) => {
                    let request = self.request(method, path, "inside", body)?;
                    let routes = TowerToHyperService::new(routes.clone());
                    let response = routes.call(request).await.map_err(|error| error.to_string())?;
                    (response.status(), read_body(response.into_body()).await?)
                }
                None => {
                    let response = self.send(method, path, body).await?;
                    (response.status(), read_body(response.into_body()).await?)
                }
            };
            let answer: Value = serde_json::from_slice(&text).unwrap_or_default();
            if status.is_success() {
                return Ok(answer);
            }
            let detail = answer["detail"].as_str().map(str::to_owned);
            Err(detail.unwrap_or_else(|| format!("{} answered {status}", self.url)))
        };
        let answered = tokio::time::timeout(ANSWER_WAIT, asked).await;
        answered.unwrap_or_else(|_| Err(format!("{} does not answer", self.url)))
    }

    /// Opens the live stream; needs a client with a URL.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn live(&self) -> Result<Events, ClientError> {
        let response = self.send(Method::GET, "/api/v1/live", None).await?;
        let status = response.status();
        if !status.is_success() {
            let text = read_body(response.into_body()).await?;
            let answer: Value = serde_json::from_slice(&text).unwrap_or_default();
            let detail = answer["detail"].as_str().unwrap_or("no live stream");
            return Err(format!("{}: {detail}", self.url));
        }
        Ok(Events { body: response.into_body(), text: Vec::new() })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Incoming>, ClientError> {
        let authority = self.authority()?;
        let gone = |error: &dyn std::fmt::Display| format!("{} cannot be reached: {error}", self.url);
        let stream = TcpStream::connect(&authority).await.map_err(|error| gone(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| gone(&error))?;
        tokio::spawn(connection);
        let request = self.request(method, path, &authority, body)?;
        sender.send_request(request).await.map_err(|error| gone(&error))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        host: &str,
        body: Option<&Value>,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let text = body.map(Value::to_string).unwrap_or_default();
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, host)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(text)))
            .map_err(|error| error.to_string())
    }

    fn authority(&self) -> Result<String, ClientError> {
        let rest = self.url.strip_prefix("http://").ok_or_else(|| {
            format!("{}: only http:// is spoken here; use a tunnel or the machine itself", self.url)
        })?;
        let authority = rest.trim_end_matches('/');
        if authority.contains(':') { Ok(authority.to_owned()) } else { Ok(format!("{authority}:80")) }
    }
}

async fn read_body<B>(body: B) -> Result<Bytes, ClientError>
where
    B: hyper::body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let limited = http_body_util::Limited::new(body, ANSWER_MAX);
    Ok(limited.collect().await.map_err(|error| error.to_string())?.to_bytes())
}

/// Reader of the live stream (server-sent events).
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    text: Vec<u8>,
}

impl Events {
    /// The next event's name and data; `None` = the stream ended.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.text.drain(..end + 2).collect();
                if let Some(event) = parse_event(&String::from_utf8_lossy(&event)) {
                    return Some(event);
                }
                continue;
            }
            if self.text.len() > ANSWER_MAX {
                return None;
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.text.extend_from_slice(&data);
            }
        }
    }
}

/// Parses one server-sent event; `None` = a comment.
fn parse_event(text: &str) -> Option<(String, Value)> {
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Some((line("event")?.to_owned(), serde_json::from_str(line("data")?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_file_is_readable_by_its_owner_only_and_removed_with_the_service() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("paceline.db");
        let client = Client::new("http://127.0.0.1:1", "secret");
        let file = KeyFile::write(&store, &client).unwrap();
        let path = dir.path().join("paceline.db.door");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Client::for_store(&store).unwrap().token, "secret");
        assert!(!format!("{client:?}").contains("secret"));
        drop(file);
        assert!(!path.exists() && Client::for_store(&store).is_none());
    }

    #[test]
    fn a_server_sent_event_has_a_name_and_data() {
        assert_eq!(
            parse_event("event: seat\ndata: {\"a\":1}\n\n"),
            Some(("seat".into(), serde_json::json!({"a": 1})))
        );
        assert_eq!(parse_event(": still here\n\n"), None);
    }
}
