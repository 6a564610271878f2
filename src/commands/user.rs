//! `paceline user` and `paceline group`: manage accounts and groups, over the same API routes that screens
//! use.

use super::{Failure, config, target};
use crate::cli::{Exit, Global, GroupAct, GroupArgs, UserAct, UserAddArgs, UserArgs};
use crate::console::client::{Client, Method};
use crate::text::Lang;
use comfy_table::Table;
use serde_json::{Value, json};

pub async fn user(global: &Global, args: UserArgs) -> Result<Exit, Failure> {
    let config = config(global)?;
    let client = target::any(&args.reach, &config).await?;
    let lang = Lang::of_process();
    let answer = match args.act {
        UserAct::Add(args) => add(&client, args).await?,
        UserAct::List => ask(&client, Method::GET, "/agents", None).await?,
        UserAct::Passwd { user, phone, password_stdin } => {
            let number = number_of(&client, &user).await?;
            let (path, body) = match phone {
                true => (format!("/agents/{number}/phone-password"), json!({})),
                false => {
                    (format!("/agents/{number}/password"), json!({ "password": given(password_stdin)? }))
                }
            };
            ask(&client, Method::POST, &path, Some(&body)).await?
        }
        UserAct::Remove { user } => {
            let number = number_of(&client, &user).await?;
            ask(&client, Method::DELETE, &format!("/agents/{number}"), None).await?;
            json!({ "removed": number })
        }
    };
    show(global, &answer, lang);
    Ok(Exit::Done)
}

async fn add(client: &Client, args: UserAddArgs) -> Result<Value, Failure> {
    let mut asked = json!({
        "name": args.name.as_ref().unwrap_or(&args.login),
        "login": args.login,
        "role": args.role,
        "groups": args.groups,
        "skills": args.skills,
        "recorded": args.recorded,
        "telephone": args.telephone,
        "password": given(args.password_stdin)?,
    });
    match args.number {
        Some(number) => asked["number"] = number.into(),
        None => {
            asked["pattern"] = args.pattern.into();
            asked["digits"] = args.digits.into();
        }
    }
    ask(client, Method::POST, "/agents", Some(&asked)).await
}

pub async fn group(global: &Global, args: GroupArgs) -> Result<Exit, Failure> {
    let config = config(global)?;
    let client = target::any(&args.reach, &config).await?;
    let answer = match args.act {
        GroupAct::Add { name, telephones, no_number, idle_release, work_mode, seats } => {
            let asked = json!({
                "name": name,
                "telephones": telephones,
                "announce_number": !no_number,
                "idle_release_secs": idle_release,
                "work_mode": work_mode,
                "seats": seats,
            });
            ask(&client, Method::POST, "/groups", Some(&asked)).await?
        }
        GroupAct::List => ask(&client, Method::GET, "/groups", None).await?,
    };
    show(global, &answer, Lang::of_process());
    Ok(Exit::Done)
}

pub(super) async fn ask(
    client: &Client,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, Failure> {
    client.ask(method, &format!("/api/v1{path}"), body).await.map_err(Failure::refused)
}

/// Finds the agent number of an account by its login or number.
async fn number_of(client: &Client, user: &str) -> Result<String, Failure> {
    let all = ask(client, Method::GET, "/agents", None).await?;
    let agents = all["agents"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = agents.iter().find(|agent| agent["login"] == user || agent["number"] == user);
    let number = found.and_then(|agent| agent["number"].as_str());
    number.map(str::to_owned).ok_or_else(|| Failure::refused(format!("{user}: there is no such account")))
}

/// The password from the first line of stdin; `None` = the service draws one.
fn given(from_stdin: bool) -> Result<Option<String>, Failure> {
    if !from_stdin {
        return Ok(None);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(Failure::usage)?;
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn show(global: &Global, answer: &Value, lang: Lang) {
    if global.json {
        println!("{answer}");
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
                agent["groups"].as_array().into_iter().flatten().map(|it| plain(&it["group"])).collect();
            let mut row: Vec<String> =
                ["number", "login", "name", "role"].iter().map(|field| plain(&agent[*field])).collect();
            row.extend([groups.join(", "), plain(&agent["telephone"])]);
            table.add_row(row);
        }
        println!("{table}");
        return;
    }
    if let Some(groups) = answer["groups"].as_array() {
        let mut table = Table::new();
        table.set_header([lang.groups(), lang.members(), lang.telephone(), lang.seats()]);
        for group in groups {
            let members: Vec<String> = group["members"].as_array().into_iter().flatten().map(plain).collect();
            let row = [
                plain(&group["name"]),
                members.join(", "),
                plain(&group["telephones"]),
                plain(&group["seats"]),
            ];
            table.add_row(row);
        }
        println!("{table}");
        return;
    }
    if let Some(agent) = answer.get("agent") {
        println!("{} {} ({})", plain(&agent["number"]), plain(&agent["name"]), plain(&agent["role"]));
    }
    if let Some(password) = answer["password"].as_str() {
        println!("{}: {password}", lang.console_password());
    }
    if let Some(sheet) = answer.get("sheet") {
        println!("{}", lang.sheet());
        for field in ["user", "password", "domain", "proxy", "transport"] {
            println!("  {field}: {}", plain(&sheet[field]));
        }
    }
    if let Some(name) = answer["name"].as_str().or(answer["removed"].as_str()) {
        println!("{}", name.escape_debug());
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.escape_debug().to_string(),
        other => other.to_string(),
    }
}
