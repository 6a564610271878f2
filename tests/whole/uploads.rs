//! Lists uploaded to a running service: the leads are dialled without a restart, and a service that is killed in the
//! middle of a load loads each row once.

use super::Site;
use paceline::console::client::Client;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::Duration;

/// A site on the built-in simulated carrier, at any hour, one attempt a number.
fn site(list: &str) -> Site {
    let site = Site::new("127.0.0.1:5060".parse().expect("an address"), 1, "");
    site.write(
        "paceline.toml",
        // The disk of a build machine may be nearly full.
        "[files]\nfree_gib_min = 0\nfree_pct_min = 0\n[http]\nlisten = \"127.0.0.1:0\"\n[sip]\nlisten = [\"udp://127.0.0.1:0\"]\n",
    );
    site.write("list.csv", list);
    let campaign = std::fs::read_to_string(site.path("campaign.toml")).expect("a campaign");
    let hours = "[calling]\ncalls_per_sec = 50.0\nwindows = [{ days = \"mon-sun\", from = \"00:00\", to = \"24:00\" }]\n\
                 [retry]\nattempts_max = 1\n";
    site.write("campaign.toml", &format!("{campaign}\n{hours}"));
    site
}

/// A running service with its API; killed when dropped.
pub struct Service {
    child: Child,
    client: Client,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until there is an answer that fits.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1_200 {
        if let Some(found) = ask() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} did not come");
}

impl Service {
    pub fn start(site: &Site, arguments: &[&str]) -> Service {
        let store = site.path("paceline.db");
        // That of a service that was killed.
        let _ = std::fs::remove_file(paceline::console::client::key_file(&store));
        let child = site.start(arguments);
        let client = until("the API", || Client::for_store(&store));
        let mut service = Service { child, client };
        until("an answer", || service.request("GET", "/campaigns", "", &[]).ok().filter(|it| it.0 == 200));
        assert!(service.child.try_wait().expect("a process").is_none(), "{}", site.log());
        service
    }

    /// Status and JSON of an answer.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        more: &str,
        body: &[u8],
    ) -> std::io::Result<(u16, Value)> {
        let (status, body) = self.exchange(method, path, more, body)?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    /// The body of an answer.
    pub fn bytes(&self, method: &str, path: &str, more: &str) -> Vec<u8> {
        let (status, body) = self.exchange(method, path, more, &[]).expect("an answer");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        body
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it has ended");
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        more: &str,
        body: &[u8],
    ) -> std::io::Result<(u16, Vec<u8>)> {
        let host = self.client.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let head = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
             Content-Length: {}\r\n{more}\r\n",
            self.client.token,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(answer.len());
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Ok((status, answer.split_off((end + 4).min(answer.len()))))
    }

    fn upload(&self, name: &str, bytes: &[u8]) -> Value {
        self.upload_to("whole", name, bytes)
    }

    /// Sends a list to a campaign and waits for its check.
    pub fn upload_to(&self, campaign: &str, name: &str, bytes: &[u8]) -> Value {
        let head = format!("Content-Type: application/octet-stream\r\nIdempotency-Key: upload-{name}\r\n");
        let path = format!("/campaigns/{campaign}/lists?file_name={name}");
        let (status, answer) = self.request("POST", &path, &head, bytes).expect("an answer");
        assert_eq!(status, 201, "{answer}");
        self.ended(&answer["task"]);
        self.list(answer["list"]["id"].as_i64().expect("an id"))
    }

    fn list(&self, id: i64) -> Value {
        self.request("GET", &format!("/lists/{id}"), "", &[]).expect("a list").1
    }

    /// Begins to load a list; the id of the task.
    pub fn load(&self, list: &Value) -> Value {
        let head = format!("Content-Type: application/json\r\nIdempotency-Key: load-{}\r\n", list["id"]);
        let path = format!("/lists/{}/actions", list["id"]);
        let body = json!({ "action": "load" }).to_string();
        let (status, answer) = self.request("POST", &path, &head, body.as_bytes()).expect("an answer");
        assert_eq!(status, 202, "{answer}");
        answer["task"].clone()
    }

    fn task(&self, task: &Value) -> Value {
        self.request("GET", &format!("/tasks/{task}"), "", &[]).expect("a task").1
    }

    pub fn ended(&self, task: &Value) -> Value {
        until("the end of the task", || {
            let now = self.task(task);
            (now["state"] != "queued" && now["state"] != "running").then_some(now)
        })
    }
}

#[test]
fn an_uploaded_list_is_dialled_without_a_restart() {
    let site = site("phone,name\n15400610000,a\n15400610023,b\n");
    let service = Service::start(&site, &["serve", "campaign.toml"]);
    until("the end of the first list", || {
        let board = service.request("GET", "/campaigns", "", &[]).ok()?.1;
        (board["campaigns"][0]["finished"] == json!(true)).then_some(())
    });
    let list = service
        .upload("more.csv", "手机,姓名\n15400610023,b\n15400610100,c\n15400610200,d\n138,e\n".as_bytes());
    assert_eq!((&list["leads"], &list["found"]["new_leads"]), (&json!(3), &json!(2)), "{list}");
    let done = service.ended(&service.load(&list));
    assert_eq!(done["state"], "done", "{done}");
    let called = until("the calls to the new leads", || {
        let calls = service.request("GET", "/calls?campaign=whole", "", &[]).ok()?.1;
        let calls = calls["calls"].as_array()?.clone();
        (calls.len() == 4 && calls.iter().all(|call| !call["ended_at"].is_null())).then_some(calls)
    });
    let mut numbers: Vec<&str> = called.iter().filter_map(|call| call["number"].as_str()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["15400610000", "15400610023", "15400610100", "15400610200"]);
    // Two leads on it were called: it stays.
    let head = "Content-Type: application/json\r\nIdempotency-Key: undo\r\n";
    let path = format!("/lists/{}/actions", list["id"]);
    let (status, refused) = service.request("POST", &path, head, br#"{"action":"undo"}"#).expect("an answer");
    assert_eq!(
        (status, &refused["code"], &refused["calls"]),
        (409, &json!("called"), &json!(2)),
        "{refused}"
    );
}

#[test]
fn a_service_killed_in_the_middle_of_a_load_loads_each_row_once() {
    const ROWS: u64 = 60_000;
    let site = site("phone,name\n15400610000,a\n");
    let mut service = Service::start(&site, &["serve", "campaign.toml", "--paused"]);
    let rows: String = (0..ROWS).map(|n| format!("138{n:08},业主{n},{}-{n}\n", n / 4)).collect();
    let list = service.upload("big.csv", format!("手机,姓名,房号\n{rows}").as_bytes());
    assert_eq!(list["found"]["new_leads"], json!(ROWS), "{list}");
    let task = service.load(&list);
    let before = until("the first rows", || service.task(&task)["done"].as_u64().filter(|done| *done > 0));
    service.child.kill().expect("it is killed");
    service.child.wait().expect("it has ended");
    drop(service);
    println!("killed with {before} of {ROWS} rows");
    let service = Service::start(&site, &["serve", "campaign.toml", "--paused"]);
    let done = service.ended(&task);
    assert_eq!(done["state"], "done", "{done}");
    let list = service.list(list["id"].as_i64().expect("an id"));
    assert_eq!(list["state"], "loaded", "{list}");
    drop(service);
    // Each number is one lead, in the results too.
    let (code, _, err) = site.run(&["export", "campaign.toml"]);
    assert_eq!(code, 0, "{err}");
    let numbers: std::collections::BTreeSet<String> =
        site.leads().iter().map(|row| row[3].to_owned()).filter(|phone| !phone.is_empty()).collect();
    assert_eq!(numbers.len() as u64, ROWS + 1);
}
