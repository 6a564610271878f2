//! The built-in simulated carrier of a service: there from the start where no trunk is configured, else from the first
//! campaign that names it.

use super::trunks::{simulated_trunk, start_simulated_carrier};
use crate::commands::Failure;
use crate::config::{Config, LoadedCampaign};
use crate::engine::{EngineHandle, TrunkParts};
use crate::output::error_line;
use crate::sim::near_service::NearService;
use crate::sim::serve::RunningCarrier;
use paceline_core::ids::TrunkId;
use paceline_core::sip::user_agent::Transport;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokio::sync::Mutex;

pub(super) struct Simulation {
    /// File of simulated callees; `None` = the usual ones.
    people: Option<PathBuf>,
    service: Option<NearService>,
    /// Held while the carrier starts, so that it starts once.
    carrier: Mutex<Option<RunningCarrier>>,
}

impl Simulation {
    /// Starts the carrier where no trunk is configured. `is_loopback` = the service listens on this machine alone.
    pub async fn begin(
        config: &Config,
        people: Option<PathBuf>,
        is_loopback: bool,
    ) -> Result<(Simulation, Option<TrunkParts>), Failure> {
        let listeners = config.sip_listeners().unwrap_or_default();
        let over_udp =
            listeners.iter().find(|(transport, address)| *transport == Transport::Udp && address.is_ipv4());
        let service =
            over_udp.filter(|_| !is_loopback).map(|(_, address)| NearService::listening_on(*address));
        let simulation = Simulation { people, service, carrier: Mutex::default() };
        if config.has_trunks() {
            return Ok((simulation, None));
        }
        let trunk = simulation.start(config).await?;
        error_line!("no trunk is configured: calling the built-in simulated carrier, no real phone rings");
        Ok((simulation, trunk))
    }

    /// Starts the carrier, unless it runs. Returns its trunk if it was started.
    async fn start(&self, config: &Config) -> Result<Option<TrunkParts>, Failure> {
        let mut carrier = self.carrier.lock().await;
        if carrier.is_some() {
            return Ok(None);
        }
        let running = start_simulated_carrier(self.people.as_deref(), self.service).await?;
        let trunk = simulated_trunk(config.simulated_trunk(), &running)?;
        *carrier = Some(running);
        Ok(Some(trunk))
    }

    /// Has the carrier running, and its trunk known to the engine, if a campaign with these trunks calls over it.
    ///
    /// # Errors
    /// The service has no address that the carrier can reach, or the carrier does not start.
    pub async fn serve(
        &self,
        config: &Config,
        used: &[TrunkId],
        engine: &EngineHandle,
    ) -> Result<(), Failure> {
        if used != [config.simulated_trunk()] {
            return Ok(());
        }
        if config.has_trunks() && !config.listens_for_simulation() {
            return Err(Failure::refused(
                "the simulated carrier is reached over UDP and IPv4, and [sip] listen has no such address: \
                 add \"udp://0.0.0.0:5060\" and start the service again",
            ));
        }
        if let Some(trunk) = self.start(config).await? {
            engine.set_trunk(trunk, true).await.map_err(Failure::unexpected)?;
        }
        Ok(())
    }

    /// Ends the carrier's calls.
    pub async fn stop(self) {
        if let Some(carrier) = self.carrier.into_inner() {
            carrier.stop().await;
        }
    }
}

/// The trunks of a campaign. One that names none, and has called over the simulated carrier while `paceline.toml` has no
/// trunk, stays there: a trunk that is added in the browser rings no phones for it.
pub(super) fn trunks_of(config: &Config, loaded: &LoadedCampaign, has_simulated_calls: bool) -> Vec<TrunkId> {
    let named = &loaded.written.trunks;
    match has_simulated_calls && named.is_empty() && config.trunks.is_empty() {
        true => vec![config.simulated_trunk()],
        false => config.trunks_named(named),
    }
}

/// Where phones on this machine register: the first address for UDP and IPv4.
pub(super) fn local_registrar(listening: &[(Transport, SocketAddr)]) -> Option<SocketAddr> {
    let found =
        listening.iter().find(|(transport, address)| *transport == Transport::Udp && address.is_ipv4());
    found.map(|(_, address)| match address.ip().is_unspecified() {
        true => SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())),
        false => *address,
    })
}
