//! Cost of hundreds of conversations held for ten minutes, all of them recorded or none. Run by hand: it
//! prints its figures.

use super::bridged::{create_agents, phones, poll_until, seats, serve, sign_in, site};
use crate::floor::rig::{AGENT_HZ, CALLEE_HZ};
use paceline::sim::phones::RunningPhones;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

const RULES: &str = "[agents]\ngroup = \"vote\"\nannounce_agent_id = false\nrecord = \"RECORD\"\n\
    [[dispositions]]\ncode = \"said\"\nlabel = \"said\"\nstate = \"done\"\ndefault = true\n\
    [calling]\nwindows = [{ days = \"mon-sun\", from = \"00:00\", to = \"24:00\" }]\n";

/// A setting from the environment, so that a short trial needs no other code.
fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// CPU seconds of each thread of a process so far, by thread name.
fn cpu_seconds(pid: u32) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    for task in tasks {
        let text = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let Some((name, rest)) = text.split_once('(').and_then(|(_, rest)| rest.rsplit_once(") ")) else {
            continue;
        };
        let ticks: f64 = rest.split(' ').skip(11).take(2).filter_map(|part| part.parse::<f64>().ok()).sum();
        *sums.entry(name.to_owned()).or_default() += ticks / 100.0;
    }
    sums
}

fn memory(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.trim_start_matches("VmRSS:").trim().to_owned()
}

/// Cumulative buckets of how late packets left, by their bound.
fn lateness(url: &str) -> Vec<(String, f64)> {
    let host = url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let buckets = text.lines().filter_map(|line| line.strip_prefix("paceline_rtp_late_seconds_bucket{le=\""));
    buckets
        .filter_map(|line| {
            let (bound, count) = line.split_once("\"} ")?;
            Some((bound.to_owned(), count.trim().parse().ok()?))
        })
        .collect()
}

/// Frames that recordings lost, and the number of recordings.
fn lost_frames(dir: &Path) -> (u64, u64, f64) {
    let mut sum = (0, 0, 0.0);
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            let below = lost_frames(&path);
            sum = (sum.0 + below.0, sum.1 + below.1, sum.2 + below.2);
        } else if path.extension().is_some_and(|end| end == "json") {
            let about: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let secs = about["seconds"].as_f64().unwrap_or_default();
            sum = (sum.0 + about["lost_frames"].as_u64().unwrap_or_default(), sum.1 + 1, sum.2 + secs);
        }
    }
    sum
}

fn print_heard(who: &str, phones: &RunningPhones) {
    let seen = phones.seen();
    let seen = seen.borrow();
    let stats: Vec<_> = seen.calls.iter().filter_map(|call| call.stats).collect();
    let (got, lost): (u64, u64) =
        stats.iter().fold((0, 0), |sum, it| (sum.0 + it.packets_received, sum.1 + it.packets_lost));
    let jitter = stats.iter().map(|it| it.jitter_micros).max().unwrap_or_default();
    println!("{who}: {} calls, {got} packets heard, {lost} lost, worst jitter {jitter} us", stats.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn three_hundred_conversations_are_held_for_ten_minutes() {
    let (agents, secs) = (setting("PACELINE_HELD", 300), setting("PACELINE_HELD_SECS", 600));
    let record = std::env::var("PACELINE_HELD_RECORD").unwrap_or_else(|_| "all".into());
    let callees = phones(None, Vec::new(), CALLEE_HZ, Some(Duration::from_millis(50))).await;
    let (site, sip) = site(callees.address(), agents as u32 + 10, &RULES.replace("RECORD", &record));
    let (mut service, client) = serve(&site, 1).await;
    let pid = service.id();
    let logins = create_agents(&client, agents, None).await;
    let agent_phones = phones(Some(sip), logins, AGENT_HZ, Some(Duration::ZERO)).await;
    for n in 1..=agents {
        sign_in(&client, n, "phone", "nailed_up").await;
    }
    let talking = async || seats(&client).await.iter().filter(|seat| seat["activity"] == "talking").count();
    poll_until("the conversations", async || (talking().await == agents as usize).then_some(())).await;
    println!("{agents} conversations are up; recorded: {record}");

    let (began, before, late_before) = (Instant::now(), cpu_seconds(pid), lateness(&client.url));
    let (mut last, mut last_at) = (before.values().sum::<f64>(), began);
    while began.elapsed() < Duration::from_secs(secs) {
        tokio::time::sleep(Duration::from_secs(secs.min(30))).await;
        let now = cpu_seconds(pid).values().sum::<f64>();
        let cores = (now - last) / last_at.elapsed().as_secs_f64();
        (last, last_at) = (now, Instant::now());
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or_default();
        println!(
            "{:4.0} s: {} talking, the service {cores:.3} cores, {}, load of the machine {load}",
            began.elapsed().as_secs_f64(),
            talking().await,
            memory(pid)
        );
    }
    let span = began.elapsed().as_secs_f64();
    for (name, sum) in cpu_seconds(pid) {
        let cores = (sum - before.get(&name).copied().unwrap_or_default()) / span;
        println!("thread {name}: {cores:.3} cores");
    }
    let (mut under, late) = (0.0, lateness(&client.url));
    let all: f64 = late.last().map_or(0.0, |last| last.1) - late_before.last().map_or(0.0, |last| last.1);
    println!("{all} packets left, {:.0} were due", agents as f64 * 2.0 * 50.0 * span);
    for ((bound, count), (_, earlier)) in late.iter().zip(&late_before) {
        let now = count - earlier;
        println!("late by {bound} s or less: {:.4} %, in this bucket {}", now / all * 100.0, now - under);
        under = now;
    }

    // Twice: the second signal hangs up.
    for wait in [200, 0] {
        let sent = std::process::Command::new("kill").args(["-TERM", &pid.to_string()]).status();
        assert!(sent.unwrap().success());
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    tokio::task::spawn_blocking(move || service.wait().unwrap()).await.unwrap();
    let over = async || {
        let all =
            |phones: &RunningPhones| phones.seen().borrow().calls.iter().all(|call| call.stats.is_some());
        (all(&callees) && all(&agent_phones)).then_some(())
    };
    poll_until("the end of every leg", over).await;
    print_heard("callees", &callees);
    print_heard("agents", &agent_phones);
    let (lost, recordings, seconds) = lost_frames(&site.path("recordings"));
    println!("{recordings} recordings of {seconds:.0} s in all, {lost} frames lost");
}
