//! `paceline carrier`: the simulated carrier as a stand-alone SIP server.

use super::Failure;
use crate::cli::{CarrierArgs, Exit, Global};
use crate::output::print_line;
use crate::sim::people::Population;
use crate::sim::serve::{self, CarrierOptions};
use paceline_core::sip::user_agent::Transport;
use serde_json::json;
use std::path::{Path, PathBuf};

pub async fn carrier(global: &Global, args: CarrierArgs) -> Result<Exit, Failure> {
    let (people, people_dir) = people(args.people.as_deref())?;
    let mut options = CarrierOptions::on_loopback(people);
    options.listen = vec![(Transport::Udp, args.listen), (Transport::Tcp, args.listen)];
    options.people_dir = people_dir;
    options.log = args.invites;
    let json_out = global.json;
    let report = serve::serve(
        options,
        move |addresses| {
            for (transport, address) in addresses {
                if json_out {
                    print_line!("{}", json!({ "transport": transport, "address": address }));
                } else {
                    print_line!("listening on {transport:?} {address}");
                }
            }
        },
        async {
            let _ = tokio::signal::ctrl_c().await;
        },
    )
    .await
    .map_err(Failure::unexpected)?;
    if let Some(why) = report.log_failure {
        return Err(Failure::unexpected(format!("the log could not be written to its end: {why}")));
    }
    Ok(Exit::Done)
}

/// The simulated callees: from the file, or the default ones.
pub(super) fn people(file: Option<&Path>) -> Result<(Population, PathBuf), Failure> {
    let Some(file) = file else { return Ok((Population::default(), PathBuf::from("."))) };
    let wrong = |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    let people = Population::parse(&text).map_err(|error| wrong(&error))?;
    Ok((people, file.parent().map(Path::to_owned).unwrap_or_default()))
}
