//! Simulated agents of a service, each with a phone that registers here.

use super::{Service, send_agents};
use crate::commands::Failure;
use crate::commands::demo_agents::{self, Crew, CrewStart, DemoAgents};
use crate::config::LoadedCampaign;
use crate::sim::agents::{AgentProfile, PhoneAgents};
use crate::sim::near_service::NearService;
use crate::store::AgentRow;
use paceline_core::ids::{CampaignId, GroupId, TrunkId};

impl Service {
    /// Adds simulated agents to the group, for the life of this process.
    pub(super) async fn add_demo_agents(
        &self,
        group: &str,
        crew: Crew,
        loaded: &LoadedCampaign,
        campaign: CampaignId,
    ) -> Result<PhoneAgents, Failure> {
        let group = self.store.group_named(group).await.map_err(Failure::unexpected)?;
        let domain = &self.state.phones().domain;
        let created = demo_agents::create(&self.store, group, crew.agents, domain).await?;
        self.start_crew(created, loaded, campaign, crew.profile).await
    }

    /// Gives the simulated agents of a sample campaign phones, and has them sign in.
    ///
    /// # Errors
    /// The campaign has no simulated agents left, or their phones have no way to the service.
    pub async fn start_sample_crew(
        &self,
        campaign: CampaignId,
        loaded: &LoadedCampaign,
    ) -> Result<PhoneAgents, Failure> {
        let equipped = demo_agents::equip(&self.store, campaign, &self.state.phones().domain).await?;
        if equipped.is_empty() {
            return Err(Failure::refused(
                "its simulated agents were removed: archive it, and start the sample anew",
            ));
        }
        self.start_crew(equipped, loaded, campaign, demo_agents::sample_habits()).await
    }

    async fn start_crew(
        &self,
        staff: DemoAgents,
        loaded: &LoadedCampaign,
        campaign: CampaignId,
        profile: AgentProfile,
    ) -> Result<PhoneAgents, Failure> {
        let registrar = self.registrar.ok_or_else(|| {
            Failure::refused(
                "simulated phones register over UDP and IPv4, and [sip] listen has no such address: \
                 add \"udp://0.0.0.0:5060\" and start the service again",
            )
        })?;
        send_agents(&self.store, &self.handle).await?;
        let start = CrewStart {
            registrar,
            domain: &self.state.phones().domain,
            service: NearService::listening_on(registrar),
            staff,
            profile,
        };
        demo_agents::start(&self.handle, start, loaded, campaign).await
    }

    /// A campaign that rings phones has no simulated agents.
    pub(super) async fn refuse_simulated_agents(
        &self,
        group: GroupId,
        name: &str,
        used: &[TrunkId],
    ) -> Result<(), Failure> {
        let agents = self.store.agents().await.map_err(Failure::unexpected)?;
        let is_member = |row: &AgentRow| row.groups.iter().any(|it| it.group == group);
        if used == [self.config.simulated_trunk()]
            || !agents.iter().any(|row| row.simulated_for.is_some() && is_member(row))
        {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "the agents of the group {name} are simulated, and this campaign would call real phones: \
             choose another group"
        )))
    }
}
