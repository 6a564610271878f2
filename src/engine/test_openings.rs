//! Campaigns that are open for their single-number tests alone. They stand on no board, so that no screen and no task
//! takes one for an open campaign; they are closed once their tests have ended.

use super::test_calls::TestAnswer;
use super::{CampaignOpening, Engine};
use paceline_core::dialer::Input;
use paceline_core::dialer::input::ManagerAction;
use paceline_core::ids::CampaignId;
use paceline_core::number::PhoneNumber;
use std::collections::BTreeMap;
use tokio::sync::oneshot;

/// Campaigns that are open for tests alone, each with the opening that waits for the end of its tests.
#[derive(Debug, Default)]
pub(super) struct TestOpenings {
    open: BTreeMap<CampaignId, Option<Box<CampaignOpening>>>,
    /// Requesters who wait for the end of a campaign's tests.
    awaited: Vec<(CampaignId, oneshot::Sender<()>)>,
}

impl TestOpenings {
    pub fn campaigns(&self) -> impl Iterator<Item = CampaignId> {
        self.open.keys().copied()
    }
}

impl Engine {
    /// Places a test in the open campaign. One that is not open, or drained, is opened for the test alone.
    pub(super) fn place_test(
        &mut self,
        campaign: CampaignId,
        number: PhoneNumber,
        opening: Option<Box<CampaignOpening>>,
        answer: TestAnswer,
    ) {
        if matches!(self.test_openings.open.get(&campaign), Some(Some(_))) {
            // The requester may have gone away.
            let _ = answer.send(Err("the campaign is being started; try again once it is open".to_owned()));
            return;
        }
        let is_open = self.board.campaigns.contains_key(&campaign) && !self.dialer.view(campaign).drained;
        match opening {
            Some(opening) if !is_open => {
                if self.is_stopping {
                    let _ = answer.send(Err("the service is stopping".to_owned()));
                    return;
                }
                // A second test beside the first is placed by the rules of the first.
                if self.dialer.is_idle(campaign) {
                    self.open_for_tests(*opening);
                }
            }
            None if !is_open => {
                let _ = answer.send(Err("the campaign is not open".to_owned()));
                return;
            }
            Some(_) | None => {}
        }
        self.test_calls.queue(campaign, number, answer);
        self.handle(Input::ManagerActed { campaign, action: ManagerAction::TestCall { number } });
    }

    fn open_for_tests(&mut self, opening: CampaignOpening) {
        let CampaignOpening { campaign, region, sound, sorry: _, .. } = opening;
        let id = campaign.id;
        // A drained campaign is closed: what the board still shows of it is over.
        self.board.campaigns.remove(&id);
        self.set_texts(id, region, sound, None);
        self.test_openings.open.insert(id, None);
        self.handle(Input::CampaignOpenedForTests { campaign: Box::new(campaign) });
    }

    /// Opens a campaign once its tests are hung up: a test must not outlive the rules it was placed by.
    pub(super) fn open_after_tests(&mut self, opening: CampaignOpening) {
        let id = opening.campaign.id;
        match self.test_openings.open.get_mut(&id) {
            Some(waiting) => {
                *waiting = Some(Box::new(opening));
                self.end_tests(id);
                self.close_ended_tests();
            }
            None => self.open_campaign(opening),
        }
    }

    /// Hangs up the tests of a campaign that is open for them alone.
    pub(super) fn end_tests(&mut self, campaign: CampaignId) {
        if self.test_openings.open.contains_key(&campaign) {
            self.test_calls.drained(campaign);
            self.handle(Input::ManagerActed { campaign, action: ManagerAction::HangUpAll });
        }
    }

    /// As [`Engine::end_tests`]; the answer comes once they have ended.
    pub(super) fn await_end_of_tests(&mut self, campaign: CampaignId, answer: oneshot::Sender<()>) {
        self.end_tests(campaign);
        self.test_openings.awaited.push((campaign, answer));
        self.close_ended_tests();
    }

    /// Closes the campaigns whose tests have ended, and opens those that were started meanwhile.
    pub(super) fn close_ended_tests(&mut self) {
        let ended: Vec<CampaignId> =
            self.test_openings.campaigns().filter(|id| self.dialer.is_idle(*id)).collect();
        for id in ended {
            if let Some(Some(opening)) = self.test_openings.open.remove(&id) {
                self.open_campaign(*opening);
            }
        }
        let (open, awaited) = (&self.test_openings.open, &mut self.test_openings.awaited);
        for (_, answer) in awaited.extract_if(.., |(campaign, _)| !open.contains_key(campaign)) {
            // The requester may have gone away.
            let _ = answer.send(());
        }
    }
}
