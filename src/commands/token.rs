//! `paceline token`: manages bearer tokens of programs, over the same API routes that screens use.

use super::user::call_api;
use super::{Failure, config, target};
use crate::cli::{Exit, Global, TokenAction, TokenArgs};
use crate::console::client::Method;
use crate::output::{error_line, print_line};
use crate::text::Lang;
use comfy_table::Table;
use serde_json::{Value, json};

pub async fn token(global: &Global, args: TokenArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let client = target::service_or_local_client(&args.target, &config).await?;
    let answer = match args.action {
        TokenAction::Add { name, role, days } => {
            let body = json!({ "name": name, "role": role, "days": days });
            call_api(&client, Method::POST, "/tokens", Some(&body)).await?
        }
        TokenAction::List => call_api(&client, Method::GET, "/tokens", None).await?,
        TokenAction::Remove { id } => {
            call_api(&client, Method::DELETE, &format!("/tokens/{id}"), None).await?;
            json!({ "removed": id })
        }
    };
    show(global, &answer, Lang::of_process());
    Ok(Exit::Done)
}

fn show(global: &Global, answer: &Value, lang: Lang) {
    if global.json {
        print_line!("{answer}");
    } else if let Some(token) = answer["token"].as_str() {
        // The token alone on stdout, so that a script can store it.
        error_line!("{}", lang.token_once());
        print_line!("{token}");
    } else if let Some(tokens) = answer["tokens"].as_array() {
        let mut table = Table::new();
        table.set_header(["id", lang.name(), lang.role(), lang.expires()]);
        for token in tokens {
            let name = token["name"].as_str().unwrap_or_default().escape_debug().to_string();
            let role = token["role"].as_str().unwrap_or_default().to_owned();
            let expires = token["expires_at"].as_str().unwrap_or("-").to_owned();
            table.add_row([token["id"].to_string(), name, role, expires]);
        }
        print_line!("{table}");
    } else {
        print_line!("{}", answer["removed"]);
    }
}
