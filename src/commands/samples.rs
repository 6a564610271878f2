//! Sample campaigns of a service: opened at a task's request and again after a restart, with simulated agents for as
//! long as they are open.

use super::Failure;
use super::campaign_service::{live, load_row, open_row};
use super::setup::Service;
use crate::config::LoadedCampaign;
use crate::net::clock::Clock;
use crate::sim::agents::PhoneAgents;
use crate::tasks::SampleOpening;
use paceline_core::ids::CampaignId;
use paceline_core::time::{Duration, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Requests that wait for the one that is carried out.
pub(super) const WAITING_MAX: usize = 4;

/// Agents whose phones could not be started are tried again after this.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// How long agents of a campaign that has ended may take to finish their calls.
const LEAVING_MAX: Duration = Duration::from_secs(120);

/// The sample campaigns, and the simulated agents of those that are open.
pub(super) struct Samples {
    clock: Clock,
    known: BTreeSet<CampaignId>,
    crews: BTreeMap<CampaignId, SampleCrew>,
    /// Campaigns whose agents could not be started, and when they are tried again.
    failed: BTreeMap<CampaignId, Time>,
}

struct SampleCrew {
    agents: PhoneAgents,
    /// Since when they sign out.
    leaving: Option<Time>,
}

impl Samples {
    pub async fn load(service: &Service) -> Result<Samples, Failure> {
        let known = service.store.samples().await.map_err(Failure::unexpected)?;
        let known = known.into_iter().collect();
        Ok(Samples { clock: Clock::start(), known, crews: BTreeMap::new(), failed: BTreeMap::new() })
    }

    /// Opens a sample campaign at the request of its task.
    pub async fn carry_out(
        &mut self,
        service: &Service,
        open: &mut Vec<LoadedCampaign>,
        request: SampleOpening,
    ) {
        let SampleOpening { campaign, answer } = request;
        let done = self.open(service, open, campaign).await;
        // The task may have been stopped.
        let _ = answer.send(done.map_err(|failure| failure.sentence));
    }

    async fn open(
        &mut self,
        service: &Service,
        open: &mut Vec<LoadedCampaign>,
        id: CampaignId,
    ) -> Result<(), Failure> {
        self.known.insert(id);
        // The agents first: a campaign that has none would dial nobody.
        if !self.crews.contains_key(&id) {
            self.start_crew(service, id).await?;
        }
        // A task that is begun again after a restart finds it open.
        if live(&service.handle.board().borrow(), id).is_some() {
            return Ok(());
        }
        open_row(service, open, id).await
    }

    async fn start_crew(&mut self, service: &Service, id: CampaignId) -> Result<(), Failure> {
        let row = service.store.any_campaign_row(id).await.map_err(Failure::unexpected)?;
        let loaded = load_row(service, &row).await?;
        let agents = service.start_sample_crew(id, &loaded).await?;
        self.crews.insert(id, SampleCrew { agents, leaving: None });
        Ok(())
    }

    /// Brings the agents in step with their campaigns: at work while one is open, signed out when it has ended.
    pub async fn follow(&mut self, service: &Service) {
        let now = self.clock.now();
        for id in self.known.clone() {
            let is_open = live(&service.handle.board().borrow(), id).is_some();
            match (is_open, self.crews.get_mut(&id)) {
                (true, None) if self.failed.get(&id).is_none_or(|at| *at <= now) => {
                    self.failed.remove(&id);
                    if let Err(failure) = self.start_crew(service, id).await {
                        let why = failure.sentence;
                        tracing::warn!(
                            campaign = id.0,
                            why,
                            "simulated agents are not at work; trying again"
                        );
                        self.failed.insert(id, now + RETRY_AFTER);
                    }
                }
                (false, Some(crew)) if crew.leaving.is_none() => {
                    crew.agents.sign_out_all();
                    crew.leaving = Some(now);
                }
                (_, Some(crew)) => {
                    let is_late = crew.leaving.is_some_and(|since| now >= since + LEAVING_MAX);
                    if is_late || (crew.leaving.is_some() && crew.agents.seen().borrow().signed_in == 0) {
                        self.crews.remove(&id);
                    }
                }
                _ => {}
            }
        }
    }

    /// Every agent signs out once the current call is over.
    pub fn sign_out(&self) {
        self.crews.values().for_each(|crew| crew.agents.sign_out_all());
    }
}
