//! The `paceline` binary: accounts made with and without a running service, `serve` with its folder of
//! campaigns, `agents` without a terminal.

use super::*;
use paceline::console::client::{Client, Method};
use serde_json::json;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// Longer than any step here takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn program(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paceline"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PACELINE_")) {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .current_dir(dir)
        .env("LC_ALL", "C")
        .env("PACELINE_HTTP__LISTEN", "127.0.0.1:0")
        .env("PACELINE_SIP__LISTEN", "[\"udp://127.0.0.1:0\"]")
        .kill_on_drop(true);
    command
}

/// Runs a command to its end: exit code, stdout, stderr.
async fn run(dir: &Path, arguments: &[&str], stdin: &str) -> (i32, String, String) {
    let mut command = program(dir, arguments);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).await.unwrap();
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Starts `serve` and waits until it listens.
async fn serve(dir: &Path, arguments: &[&str]) -> Child {
    let mut all = vec!["serve"];
    all.extend(arguments);
    let mut child = program(dir, &all).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let listening = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("/api/v1") {
                return;
            }
        }
        panic!("the service ended before it listened");
    };
    tokio::time::timeout(PATIENCE, listening).await.expect("it listens");
    // Keep reading, so that the service never blocks on a full pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}

async fn stop(mut service: Child) -> i32 {
    let pid = service.id().expect("it runs");
    let killed = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await.unwrap();
    assert!(killed.success());
    let ended = tokio::time::timeout(PATIENCE, service.wait()).await.expect("it stops").unwrap();
    ended.code().expect("an exit of its own")
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn accounts_are_made_on_the_store_and_through_a_service_that_runs_on_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert_eq!(run(dir, &["group", "add", "vote", "--telephones"], "").await.0, 0);
    let add = ["user", "add", "ana", "--name", "安娜", "--number", "8001", "--group", "vote", "--json"];
    let (code, out, _) = run(dir, &add, "").await;
    let made = json_of(&out);
    assert_eq!(
        (code, made["agent"]["number"].as_str(), made["sheet"]["user"].as_str()),
        (0, Some("8001"), Some("8001"))
    );
    assert_eq!(run(dir, &add, "").await.0, 3, "the number is taken");
    let (code, out, _) = run(dir, &["user", "passwd", "ana", "--password-stdin"], "a good password\n").await;
    assert_eq!((code, out.as_str()), (0, ""), "what was given is not shown");
    assert_eq!(run(dir, &["user", "passwd", "nobody"], "").await.0, 3);
    let (code, _, err) = run(dir, &["agents", "--once"], "").await;
    assert!(code == 3 && err.contains("no service"), "{err}");

    let service = serve(dir, &[]).await;
    let (code, out, err) = run(dir, &["user", "list"], "").await;
    assert!(code == 0 && out.contains("安娜") && out.contains("8001"), "{out}");
    assert!(err.contains("a service runs on this store"), "{err}");
    let (_, out, _) = run(dir, &["user", "add", "bo", "--role", "manager", "--json"], "").await;
    assert!(json_of(&out).get("sheet").is_none(), "a manager has no phone");
    let (code, out, _) = run(dir, &["agents", "--once"], "").await;
    assert!(code == 0 && out.contains("8001") && out.contains("signed out") && !out.contains("bo"), "{out}");
    let (_, out, _) = run(dir, &["agents", "--once", "--json"], "").await;
    assert_eq!(json_of(&out)["data"]["seats"][0]["agent"], "8001");
    assert_eq!(run(dir, &["user", "remove", "8001"], "").await.0, 0);
    // Only the token is on stdout, and it authenticates.
    let (code, out, _) = run(dir, &["token", "add", "crm", "--role", "manager"], "").await;
    let token = out.trim();
    assert_eq!((code, token.len()), (0, 64), "{out}");
    let (code, out, _) = run(dir, &["user", "--token", token, "list"], "").await;
    assert!(code == 0 && out.contains("bo"), "{out}");
    let (_, out, _) = run(dir, &["token", "list", "--json"], "").await;
    let id = json_of(&out)["tokens"][0]["id"].to_string();
    assert_eq!(run(dir, &["token", "remove", &id], "").await.0, 0);
    assert_eq!(run(dir, &["user", "--token", token, "list"], "").await.0, 3);
    assert_eq!(stop(service).await, 0);
    let (_, out, _) = run(dir, &["user", "list", "--json"], "").await;
    assert_eq!(json_of(&out)["agents"].as_array().unwrap().len(), 1);
    // The store holds the argon2id hash only.
    for file in ["paceline.db", "paceline.db-wal"] {
        let bytes = std::fs::read(dir.join(file)).unwrap_or_default();
        assert!(!bytes.windows(15).any(|part| part == b"a good password"), "{file}");
    }
}

#[tokio::test]
async fn a_service_opens_campaigns_below_its_folder_only() {
    let dir = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns/jade-garden");
    let copy = dir.path().join("campaigns/jade");
    std::fs::create_dir_all(&copy).unwrap();
    for entry in std::fs::read_dir(sample).unwrap() {
        let file = entry.unwrap().path();
        if file.is_file() {
            std::fs::copy(&file, copy.join(file.file_name().unwrap())).unwrap();
        }
    }
    let blacklist = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns/blacklist.csv");
    std::fs::copy(blacklist, dir.path().join("campaigns/blacklist.csv")).unwrap();
    std::fs::write(dir.path().join("outside.toml"), "name = \"outside\"\n").unwrap();
    std::os::unix::fs::symlink(dir.path().join("outside.toml"), dir.path().join("campaigns/link.toml"))
        .unwrap();
    let service = serve(dir.path(), &["--campaigns", "campaigns"]).await;
    let client = Client::for_store(&dir.path().join("paceline.db")).expect("the key of the service");
    let open = async |file: &str| {
        client.ask(Method::POST, "/api/v1/campaigns", Some(&json!({ "file": file, "paused": true }))).await
    };
    let absolute = dir.path().join("outside.toml");
    for outside in
        ["../outside.toml", "jade/../../outside.toml", "link.toml", absolute.to_str().unwrap(), "", "jade"]
    {
        assert!(open(outside).await.unwrap_err().contains("no such file"), "{outside:?}");
    }
    assert!(open("\u{0}").await.unwrap_err().contains("control character"));
    let name = open("jade/campaign.toml").await.unwrap()["campaign"].as_str().unwrap().to_owned();
    assert!(open("jade/campaign.toml").await.unwrap_err().contains("open already"));
    let campaigns = client.ask(Method::GET, "/api/v1/campaigns", None).await.unwrap();
    assert_eq!(campaigns["campaigns"][0]["name"], name.as_str());
    let path = format!("/api/v1/campaigns/{name}/actions");
    client.ask(Method::POST, &path, Some(&json!({ "action": "pause" }))).await.unwrap();
    // No lead was called, so leads are left: exit code 4.
    assert_eq!(stop(service).await, 4);
}

#[tokio::test]
async fn the_blacklist_is_edited_on_the_store_and_through_a_service_that_runs_on_it() {
    let dir = tempfile::tempdir().unwrap();
    let blacklist = async |arguments: &[&str]| {
        let mut all = vec!["blacklist"];
        all.extend(arguments);
        run(dir.path(), &all, "").await
    };
    let listed = async || -> Vec<String> {
        let (code, out, err) = blacklist(&["list", "--json"]).await;
        assert_eq!(code, 0, "{err}");
        let answer: Value = serde_json::from_str(&out).unwrap();
        let items = answer["items"].as_array().unwrap().iter();
        items.map(|item| item["number"].as_str().unwrap().to_owned()).collect()
    };
    let (code, _, err) = blacklist(&["add", "138-0013-8000", "--reason", "asked by letter"]).await;
    assert_eq!(code, 0, "{err}");
    let service = serve(dir.path(), &[]).await;
    let (code, out, err) = blacklist(&["add", "1390013*", "--until", "2036-02-12"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("1 entry added"), "{out}");
    std::fs::write(dir.path().join("dnc.csv"), "phone,why\n13700137000,x\n0755*,y\n").unwrap();
    let (code, _, err) = blacklist(&["import", "dnc.csv"]).await;
    assert_eq!(code, 0, "{err}");
    assert_eq!(listed().await, ["+8613800138000", "+861390013*", "+8613700137000", "+86755*"]);
    std::fs::write(dir.path().join("bad.csv"), "13600136000\n138x\n").unwrap();
    let (code, _, err) = blacklist(&["import", "bad.csv"]).await;
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("bad.csv: row 2: `138x`") && err.contains("nothing was added"), "{err}");
    for command in ["add", "remove"] {
        let (code, _, err) = blacklist(&[command, "13600136000", "abc"]).await;
        assert!(code == 3 && err.contains("`abc`") && err.contains("nothing was changed"), "{code} {err}");
    }
    assert_eq!(blacklist(&["add", "13800138000", "--until", "soon"]).await.0, 2);
    let (code, out, _) = blacklist(&["list", "--number", "13900131111"]).await;
    assert!(code == 0 && out.contains("+861390013*") && out.contains("2036-02-12T16:00:00"), "{out}");
    stop(service).await;
    assert_eq!(blacklist(&["remove", "+86755*", "13800138000"]).await.0, 0);
    assert_eq!(listed().await, ["+861390013*", "+8613700137000"]);
    let (code, _, err) = blacklist(&["remove", "13800138000"]).await;
    assert!(code != 0 && err.contains("not on the blacklist"), "{err}");
}

/// Both commands open the store themselves when no service runs, and were refused by its lock when one did.
#[tokio::test]
async fn an_import_is_removed_and_a_number_is_called_through_a_running_service() {
    let dir = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    let copy = dir.path().join("campaigns/jade-garden");
    std::fs::create_dir_all(&copy).unwrap();
    for file in ["campaign.toml", "list.csv", "notice.mp3", "sorry.wav"] {
        std::fs::copy(sample.join("jade-garden").join(file), copy.join(file)).unwrap();
    }
    std::fs::copy(sample.join("blacklist.csv"), dir.path().join("campaigns/blacklist.csv")).unwrap();
    let file = "campaigns/jade-garden/campaign.toml";
    let service = serve(dir.path(), &["--paused", file]).await;
    let client = Client::for_store(&dir.path().join("paceline.db")).expect("the key of the service");
    // The service listens before it has taken the list in.
    let opened = async || {
        let open = client.ask(Method::GET, "/api/v1/campaigns", None).await.unwrap();
        !open["campaigns"].as_array().unwrap().is_empty()
    };
    while !opened().await {}
    let (code, out, err) = run(dir.path(), &["undo-import", file], "").await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("import removed: ") && out.contains("rows)"), "{out}");
    let (code, _, err) = run(dir.path(), &["undo-import", file], "").await;
    assert!(code == 3 && err.contains("no imported list"), "{err}");
    let (code, out, err) = run(dir.path(), &["call", "13800138000", "--campaign", file], "").await;
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("13800138000: ") && err.contains("a service runs on this store"), "{out}{err}");
    stop(service).await;
}

/// A campaign that was made in the console has no file: commands find it by its name.
#[tokio::test]
async fn commands_find_a_campaign_of_the_store_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let service = serve(dir.path(), &["--campaigns", "."]).await;
    let client = Client::for_store(&dir.path().join("paceline.db")).expect("the key of the service");
    for name in ["spring-vote", "spring-vote-2", "autumn"] {
        let text = format!(
            "name = \"{name}\"\nmode = \"progressive\"\n[agents]\ngroup = \"vote\"\n\
             [[dispositions]]\ncode = \"voted\"\nlabel = \"Voted\"\nstate = \"done\"\ndefault = true\n"
        );
        client.ask(Method::POST, "/api/v1/campaigns", Some(&json!({ "toml": text }))).await.unwrap();
    }
    let commands = [
        &["check", "spring-vote"][..],
        &["why", "spring-vote"],
        &["export", "spring-vote"],
        &["forecast", "spring-vote", "--leads", "20", "--agents", "2", "--hours", "1", "--seeds", "1"],
    ];
    for arguments in commands {
        let (code, out, err) = run(dir.path(), arguments, "").await;
        assert!(code == 0 && !out.is_empty(), "{arguments:?}: {code}\n{out}\n{err}");
        let wrong = [&arguments[..1], &["sprin-vote"], &arguments[2..]].concat();
        let (code, _, err) = run(dir.path(), &wrong, "").await;
        assert_eq!(code, 3, "{wrong:?}: {err}");
        assert!(err.contains("did you mean `spring-vote`, `spring-vote-2`?"), "{wrong:?}: {err}");
    }
    assert!(dir.path().join("spring-vote/results").is_dir(), "each campaign has results of its own");
    // There is no list to undo, and no file to run.
    let (code, _, err) = run(dir.path(), &["undo-import", "spring-vote"], "").await;
    assert!(code == 3 && err.contains("no imported list"), "{code}: {err}");
    let (code, _, err) = run(dir.path(), &["run", "spring-vote"], "").await;
    assert!(code == 3 && err.contains("made in the console"), "{code}: {err}");
    stop(service).await;
    // Without a service the store is asked.
    let (code, _, err) = run(dir.path(), &["undo-import", "autumn"], "").await;
    assert!(code == 3 && err.contains("no imported list"), "{code}: {err}");
}
