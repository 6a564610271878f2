//! `paceline user` and `paceline group`: manage accounts and groups, over the same API routes that screens
//! use.

use super::{Failure, config, target};
use crate::cli::{Exit, Global, GroupAction, GroupArgs, UserAction, UserAddArgs, UserArgs};
use crate::console::client::{Client, Method};
use crate::output::print_line;
use crate::text::Lang;
use comfy_table::Table;
use serde_json::{Value, json};

pub async fn user(global: &Global, args: UserArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let client = target::service_or_local_client(&args.target, &config).await?;
    let lang = Lang::of_process();
    let answer = match args.action {
        UserAction::Add(args) => add(&client, args).await?,
        UserAction::List => call_api(&client, Method::GET, "/agents", None).await?,
        UserAction::Passwd { user, phone, password_stdin } => {
            let number = find_agent_number(&client, &user).await?;
            let (path, body) = match phone {
                true => (format!("/agents/{number}/phone-password"), json!({})),
                false => (
                    format!("/agents/{number}/password"),
                    json!({ "password": read_password(password_stdin)? }),
                ),
            };
            call_api(&client, Method::POST, &path, Some(&body)).await?
        }
        UserAction::Remove { user } => {
            let number = find_agent_number(&client, &user).await?;
            call_api(&client, Method::DELETE, &format!("/agents/{number}"), None).await?;
            json!({ "removed": number })
        }
    };
    show(global, &answer, lang);
    Ok(Exit::Done)
}

async fn add(client: &Client, args: UserAddArgs) -> Result<Value, Failure> {
    let mut body = json!({
        "name": args.name.as_ref().unwrap_or(&args.login),
        "login": args.login,
        "role": args.role,
        "groups": args.groups,
        "skills": args.skills,
        "recorded": args.recorded,
        "telephone": args.telephone,
        "password": read_password(args.password_stdin)?,
    });
    match args.number {
        Some(number) => body["number"] = number.into(),
        None => {
            body["pattern"] = args.pattern.into();
            body["digits"] = args.digits.into();
        }
    }
    call_api(client, Method::POST, "/agents", Some(&body)).await
}

pub async fn group(global: &Global, args: GroupArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let client = target::service_or_local_client(&args.target, &config).await?;
    let answer = match args.action {
        GroupAction::Add { name, telephones, no_number, idle_release, work_mode, seats } => {
            let body = json!({
                "name": name,
                "telephones": telephones,
                "announce_number": !no_number,
                "idle_release_secs": idle_release,
                "work_mode": work_mode,
                "seats": seats,
            });
            call_api(&client, Method::POST, "/groups", Some(&body)).await?
        }
        GroupAction::List => call_api(&client, Method::GET, "/groups", None).await?,
    };
    show(global, &answer, Lang::of_process());
    Ok(Exit::Done)
}

pub(super) async fn call_api(
    client: &Client,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, Failure> {
    client.ask(method, &format!("/api/v1{path}"), body).await.map_err(Failure::refused)
}

/// Finds the agent number of an account by its login or number.
async fn find_agent_number(client: &Client, user: &str) -> Result<String, Failure> {
    let all = call_api(client, Method::GET, "/agents", None).await?;
    let agents = all["agents"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = agents.iter().find(|agent| agent["login"] == user || agent["number"] == user);
    let number = found.and_then(|agent| agent["number"].as_str());
    number.map(str::to_owned).ok_or_else(|| Failure::refused(format!("{user}: there is no such account")))
}

/// The password from the first line of stdin; `None` = the service draws one.
fn read_password(from_stdin: bool) -> Result<Option<String>, Failure> {
    if !from_stdin {
        return Ok(None);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(Failure::usage)?;
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn show(global: &Global, answer: &Value, lang: Lang) {
    if global.json {
        print_line!("{answer}");
        return;
    }
    if let Some(agents) = answer["agents"].as_array() {
        let mut table = Table::new();
        table.set_header([
            lang.number(),
            lang.login(),
            lang.name(),
            lang.role(),
            lang.groups(),
            lang.telephone(),
        ]);
        for agent in agents {
            let groups: Vec<String> =
                agent["groups"].as_array().into_iter().flatten().map(|it| escaped(&it["group"])).collect();
            let mut row: Vec<String> =
                ["number", "login", "name", "role"].iter().map(|field| escaped(&agent[*field])).collect();
            row.extend([groups.join(", "), escaped(&agent["telephone"])]);
            table.add_row(row);
        }
        print_line!("{table}");
        return;
    }
    if let Some(groups) = answer["groups"].as_array() {
        let mut table = Table::new();
        table.set_header([lang.groups(), lang.members(), lang.telephone(), lang.seats()]);
        for group in groups {
            let members: Vec<String> =
                group["members"].as_array().into_iter().flatten().map(escaped).collect();
            let row = [
                escaped(&group["name"]),
                members.join(", "),
                escaped(&group["telephones"]),
                escaped(&group["seats"]),
            ];
            table.add_row(row);
        }
        print_line!("{table}");
        return;
    }
    if let Some(agent) = answer.get("agent") {
        print_line!(
            "{} {} ({})",
            escaped(&agent["number"]),
            escaped(&agent["name"]),
            escaped(&agent["role"])
        );
    }
    if let Some(password) = answer["password"].as_str() {
        print_line!("{}: {password}", lang.console_password());
    }
    if let Some(sheet) = answer.get("sheet") {
        print_line!("{}", lang.sheet());
        for field in ["user", "password", "domain", "proxy", "transport"] {
            print_line!("  {field}: {}", escaped(&sheet[field]));
        }
    }
    if let Some(name) = answer["name"].as_str().or(answer["removed"].as_str()) {
        print_line!("{}", name.escape_debug());
    }
}

fn escaped(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.escape_debug().to_string(),
        other => other.to_string(),
    }
}
