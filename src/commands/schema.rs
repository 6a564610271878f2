//! `paceline schema`: JSON Schemas of the files and the OpenAPI document of the API, generated from the code.

use super::Failure;
use crate::cli::{Exit, SchemaArgs};
use crate::config::{CampaignFile, Config};
use crate::console;
use crate::lists::ListReport;
use crate::output::{print_line, print_part};
use crate::results::Summary;
use schemars::schema_for;

/// File name of the OpenAPI document.
pub const OPENAPI: &str = "openapi.json";

/// Every schema, by name.
pub fn all() -> Vec<(&'static str, schemars::Schema)> {
    vec![
        ("campaign", schema_for!(CampaignFile)),
        ("paceline", schema_for!(Config)),
        ("list-report", schema_for!(ListReport)),
        ("summary", schema_for!(Summary)),
    ]
}

/// The text of a schema file.
pub fn text(schema: &schemars::Schema) -> String {
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}

pub fn schema(args: &SchemaArgs) -> Result<Exit, Failure> {
    let all = all();
    if let Some(dir) = &args.write {
        for (name, schema) in &all {
            let file = dir.join(format!("{name}.schema.json"));
            std::fs::write(&file, text(schema))
                .map_err(|error| Failure::unexpected(format!("{}: {error}", file.display())))?;
            print_line!("{}", file.display());
        }
        let file = dir.join(OPENAPI);
        std::fs::write(&file, console::openapi_text())
            .map_err(|error| Failure::unexpected(format!("{}: {error}", file.display())))?;
        print_line!("{}", file.display());
        return Ok(Exit::Done);
    }
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    let wanted = args.name.as_deref().unwrap_or("campaign");
    if wanted == "openapi" {
        print_part!("{}", console::openapi_text());
        return Ok(Exit::Done);
    }
    match all.iter().find(|(name, _)| *name == wanted) {
        Some((_, schema)) => {
            print_part!("{}", text(schema));
            Ok(Exit::Done)
        }
        None => Err(Failure::usage(format!(
            "there is no schema `{wanted}`; there are: {}, openapi",
            names.join(", ")
        ))),
    }
}
