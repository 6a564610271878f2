//! `kill -9` during conversations: the service is killed with bridged calls up and others ringing, and
//! started again. Callees and agents are real SIP phones; their records are the judge.

use super::{Site, column, free_port};
use crate::floor::rig::{AGENT_HZ, CALLEE_HZ, LOCALHOST, ports, voice};
use paceline::console::client::{Client, Method};
use paceline::sim::phones::{self, PhoneCall, PhoneLogin, PhoneOptions, RunningPhones};
use paceline_core::ids::CallId;
use paceline_core::media::Codec;
use paceline_core::sip::user_agent::{Peer, Transport};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

/// Longer than any step takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(240);
/// Poll interval where no notification exists.
const LOOK: Duration = Duration::from_millis(25);

/// Agents 8001 to 8007 have SIP phones, 8008 an ordinary telephone.
const PHONES: u64 = 7;
const TELEPHONE: &str = "15499990008";
const LEADS: u32 = 14;
/// The number of the first eight calls that are answered; the others ring when the process is killed.
const BRIDGED: usize = 6;

const RULES: &str = "[agents]\ngroup = \"vote\"\nwrap_up_secs = 1\nannounce_agent_id = false\nrecord = \"all\"\n\
    [[dispositions]]\ncode = \"said\"\nlabel = \"said\"\nstate = \"done\"\ndefault = true\n\
    [calling]\nring_secs = 25\nwindows = [{ days = \"mon-sun\", from = \"00:00\", to = \"24:00\" }]\n\
    [retry]\nattempts_max = 3\nper_day_max = 5\ngap_min = \"1s\"\n\
    [retry.after]\ninterrupted = \"1s\"\nno_answer = \"1s\"\nagent_failed = \"1s\"\n";

/// A site with a progressive campaign, and the address at which its service listens for phones.
pub(super) fn site(callees: SocketAddr, leads: u32, rules: &str) -> (Site, SocketAddr) {
    let site = Site::new(callees, leads, rules);
    let sip = SocketAddr::new(LOCALHOST, free_port());
    site.write(
        "paceline.toml",
        &format!(
            "[sip]\nlisten = [\"udp://{sip}\"]\n[http]\nlisten = \"127.0.0.1:0\"\n[trunks.main]\n\
             uri = \"sip:{callees}\"\noptions_secs = 0\ncalls_max = 1000\ncalls_per_sec = 50.0\n"
        ),
    );
    let campaign = std::fs::read_to_string(site.path("campaign.toml")).unwrap();
    let campaign = campaign.replace("mode = \"announce\"", "mode = \"progressive\"");
    let (before, after) = campaign.split_once("[announcement]").unwrap();
    let rest = after.split_once("[agents]").unwrap().1;
    site.write("campaign.toml", &format!("{before}[agents]{rest}"));
    (site, sip)
}

/// `answer_after` = from ringing to answering; `None` = the test answers.
pub(super) async fn phones(
    registrar: Option<SocketAddr>,
    logins: Vec<PhoneLogin>,
    hz: f32,
    answer_after: Option<Duration>,
) -> RunningPhones {
    phones::start(PhoneOptions {
        answer_after,
        registrar: registrar.map(|address| Peer { transport: Transport::Udp, address }),
        domain: "paceline".into(),
        phones: logins,
        address: LOCALHOST,
        rtp_ports: ports(1_000),
        codecs: vec![Codec::Pcma],
        voice: Some(voice(hz)),
        keep: Duration::from_secs(1),
        service: None,
    })
    .await
    .unwrap()
}

/// Polls until `look` returns a value.
pub(super) async fn poll_until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "it never came: {what}");
        tokio::time::sleep(LOOK).await;
    }
}

/// Starts the service and an API client; `starts` = how often it was started, this time included.
pub(super) async fn serve(site: &Site, starts: usize) -> (Child, Client) {
    let mut child = site.start(&["serve", "campaign.toml"]);
    poll_until("the open campaign", async || {
        let ended = child.try_wait().expect("a state");
        assert!(ended.is_none(), "{ended:?}: {}", site.log());
        (site.log().matches("campaign whole is open").count() >= starts).then_some(())
    })
    .await;
    (child, Client::for_store(&site.path("paceline.db")).expect("the way in"))
}

/// Creates agents with SIP phones, and one more where there is a telephone.
pub(super) async fn create_agents(client: &Client, phones: u64, telephone: Option<&str>) -> Vec<PhoneLogin> {
    let outside = json!({ "telephones": true });
    client.ask(Method::PATCH, "/api/v1/groups/vote", Some(&outside)).await.unwrap();
    let mut logins = Vec::new();
    for n in 1..=phones + u64::from(telephone.is_some()) {
        let number = format!("{}", 8_000 + n);
        let telephone = telephone.filter(|_| n > phones);
        let asked = json!({
            "name": number, "login": number, "number": number, "role": "agent", "groups": ["vote"],
            "telephone": telephone,
        });
        let made = client.ask(Method::POST, "/api/v1/agents", Some(&asked)).await.unwrap();
        let text = |name: &str| made["sheet"][name].as_str().unwrap().to_owned();
        logins.push(PhoneLogin { user: text("user"), password: text("password") });
    }
    logins.truncate(phones as usize);
    logins
}

/// Signs the agent in as soon as the agent's phone is registered.
pub(super) async fn sign_in(client: &Client, n: u64, endpoint: &str, holding: &str) {
    let asked = json!({ "action": "sign_in", "endpoint": endpoint, "holding": holding });
    let path = format!("/api/v1/agents/{}/actions", 8_000 + n);
    poll_until(&format!("the sign-in of agent {n}"), async || {
        match client.ask(Method::POST, &path, Some(&asked)).await {
            Ok(_) => Some(()),
            Err(why) if why.contains("the phone is not registered") => None,
            Err(why) => panic!("agent {n}: {why}"),
        }
    })
    .await;
}

/// Signs every agent in, each with another phone mode.
async fn all_sign_in(client: &Client) {
    for n in 1..=PHONES + 1 {
        let endpoint = if n > PHONES { "telephone" } else { "phone" };
        let holding = if n % 3 == 0 { "per_call" } else { "nailed_up" };
        sign_in(client, n, endpoint, holding).await;
    }
}

pub(super) async fn seats(client: &Client) -> Vec<Value> {
    let floor = client.ask(Method::GET, "/api/v1/floor", None).await.unwrap();
    floor["seats"].as_array().cloned().unwrap_or_default()
}

fn calls(phones: &RunningPhones) -> Vec<PhoneCall> {
    phones.seen().borrow().calls.clone()
}

/// Unfinished recordings that hold some audio already.
fn parts(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(parts(&path));
        } else if path.extension().is_some_and(|end| end == "part")
            && entry.metadata().is_ok_and(|about| about.len() > 30_000)
        {
            found.push(path);
        }
    }
    found
}

/// Waits until eight callees were called, six of them talk with an agent each, and all six are recorded.
async fn bridge(client: &Client, callees: &RunningPhones, site: &Site) {
    let mut answered: BTreeSet<CallId> = BTreeSet::new();
    poll_until("six conversations that are recorded", async || {
        for call in calls(callees).iter().filter(|call| !call.answered && !call.ended) {
            let lead = call.user != TELEPHONE;
            let room = answered.len() < BRIDGED;
            if (!lead || room) && !answered.contains(&call.call) {
                callees.answer(call.call);
                if lead {
                    answered.insert(call.call);
                }
            }
        }
        let called = calls(callees).iter().filter(|call| call.user != TELEPHONE).count();
        let talking = seats(client).await.iter().filter(|seat| seat["activity"] == "talking").count();
        let recorded = parts(&site.path("recordings")).len();
        (called == 8 && talking == BRIDGED && recorded == BRIDGED).then_some(())
    })
    .await;
}

/// Callees answer, listen for six seconds (several that hang up sooner look like a fault of the line) and hang up,
/// until no lead is left to call.
async fn work_off(client: &Client, callees: &RunningPhones) {
    let mut picked_up: BTreeSet<CallId> = BTreeSet::new();
    let mut heard: BTreeMap<CallId, Instant> = BTreeMap::new();
    let mut hung_up: BTreeSet<CallId> = BTreeSet::new();
    poll_until("the end of the list", async || {
        for call in calls(callees).iter().filter(|call| !call.ended) {
            if !call.answered && picked_up.insert(call.call) {
                callees.answer(call.call);
            }
            if call.heard_audio && call.user != TELEPHONE {
                let since = heard.entry(call.call).or_insert_with(Instant::now);
                if since.elapsed() > Duration::from_secs(6) && hung_up.insert(call.call) {
                    callees.hang_up(call.call);
                }
            }
        }
        let floor = client.ask(Method::GET, "/api/v1/floor", None).await.unwrap();
        (floor["campaigns"][0]["finished"] == true).then_some(())
    })
    .await;
}

/// Checks that a WAV file's header matches its data; returns its seconds.
fn seconds_of(file: &Path) -> f64 {
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!((&bytes[..4], word(4)), (&b"RIFF"[..], bytes.len() - 8), "{}", file.display());
    assert_eq!(word(40), bytes.len() - 44, "{}", file.display());
    word(40) as f64 / f64::from(word(28) as u32)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_floor_killed_in_conversation_ends_every_leg_and_goes_on() {
    let callees = phones(None, Vec::new(), CALLEE_HZ, None).await;
    let (site, sip) = site(callees.address(), LEADS, RULES);
    let (mut service, client) = serve(&site, 1).await;
    let logins = create_agents(&client, PHONES, Some(TELEPHONE)).await;
    let agents = phones(Some(sip), logins, AGENT_HZ, Some(Duration::ZERO)).await;
    all_sign_in(&client).await;
    bridge(&client, &callees, &site).await;
    let cut: Vec<PhoneCall> = calls(&callees);
    let cut_agents = calls(&agents);
    assert!(cut_agents.len() >= BRIDGED - 1, "{}", cut_agents.len());
    service.kill().unwrap();
    service.wait().unwrap();

    // The callees notice nothing until the service runs again.
    assert!(calls(&callees).iter().all(|call| !call.ended));
    assert!(calls(&agents).iter().all(|call| !call.ended));
    // The second process is killed too, while it ends those calls or before.
    let mut second = site.start(&["serve", "campaign.toml"]);
    poll_until("the second start", async || site.log().contains("they are ended and counted").then_some(()))
        .await;
    second.kill().unwrap();
    second.wait().unwrap();
    let starts = 2 + usize::from(site.log().matches("campaign whole is open").count() > 1);
    let (mut service, client) = serve(&site, starts).await;
    poll_until("the end of every call", async || {
        let over = |phones: &RunningPhones| calls(phones).iter().all(|call| call.ended);
        (over(&callees) && over(&agents)).then_some(())
    })
    .await;
    assert_eq!(
        (calls(&callees).len(), calls(&agents).len()),
        (cut.len(), cut_agents.len()),
        "nobody is called yet"
    );

    all_sign_in(&client).await;
    work_off(&client, &callees).await;
    let pid = service.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let code = tokio::task::spawn_blocking(move || service.wait().unwrap().code()).await.unwrap();
    let log = site.log();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("could not be ended"), "{log}");
    judge(&site, &callees, &cut);
}

/// Compares the store with the callees' records.
fn judge(site: &Site, callees: &RunningPhones, cut: &[PhoneCall]) {
    let answered: BTreeSet<&str> =
        cut.iter().filter(|call| call.answered).map(|call| call.user.as_str()).collect();
    let rang: BTreeMap<String, usize> = calls(callees)
        .into_iter()
        .filter(|call| call.user != TELEPHONE)
        .fold(BTreeMap::new(), |mut all, call| {
            *all.entry(call.user).or_default() += 1;
            all
        });
    assert_eq!(rang.len(), LEADS as usize, "everybody was called");
    let mut rows: BTreeMap<String, Vec<csv::StringRecord>> = BTreeMap::new();
    for row in site.attempts() {
        rows.entry(row[column("phone")].to_owned()).or_default().push(row);
    }
    let mut interrupted = 0;
    for (callee, times) in &rang {
        let rows = &rows[callee];
        assert_eq!(rows.len(), *times, "{callee}: one row for each call");
        let outcomes: Vec<&str> = rows.iter().map(|row| &row[column("outcome")]).collect();
        interrupted += outcomes.iter().filter(|outcome| **outcome == "interrupted").count();
        if answered.contains(callee.as_str()) {
            assert_eq!(outcomes, ["interrupted"], "{callee} answered, and is not called again");
            let row = &rows[0];
            assert!(!row[column("agent")].is_empty(), "{callee}: with whom she spoke");
            let recording = site.path("recordings").join(&row[column("recording")]);
            assert!(seconds_of(&recording) > 0.5, "{callee}: {}", recording.display());
        } else {
            assert_eq!(outcomes.last(), Some(&"answered"), "{callee}: {outcomes:?}");
        }
        for row in rows.iter().filter(|row| &row[column("outcome")] == "answered") {
            let talked: f64 = row[column("talk_secs")].parse().unwrap_or_default();
            let recording = &row[column("recording")];
            assert!(!recording.is_empty() || talked < 0.5, "{row:?}");
            if !recording.is_empty() {
                seconds_of(&site.path("recordings").join(recording));
            }
        }
    }
    assert_eq!(interrupted, 8, "each call that was up, once");
    assert!(parts(&site.path("recordings")).is_empty(), "nothing is left unfinished");
    assert!(site.leads().iter().all(|row| &row[6] != "open"));
    let summary = std::fs::read_to_string(site.path("results/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(
        (summary["reconciles"].as_bool(), summary["leads"].as_u64()),
        (Some(true), Some(LEADS.into())),
        "{summary}"
    );
}
