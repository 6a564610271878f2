//! Single-number tests that somebody waits for: the attempt that was opened, or why none was.

use paceline_core::ids::{AttemptId, CallId, CampaignId};
use paceline_core::number::PhoneNumber;
use std::collections::BTreeMap;
use tokio::sync::oneshot;

/// The attempt, or a sentence that says why the number is not called.
pub type TestAnswer = oneshot::Sender<Result<AttemptId, String>>;

/// Requesters by what they wait for.
#[derive(Debug, Default)]
pub(super) struct TestCalls {
    /// The dialer has the number and has not opened its attempt; in the order of the requests.
    queued: Vec<(CampaignId, PhoneNumber, TestAnswer)>,
    /// The store is asked.
    opening: BTreeMap<CallId, TestAnswer>,
}

impl TestCalls {
    pub fn queue(&mut self, campaign: CampaignId, number: PhoneNumber, answer: TestAnswer) {
        // Requesters that have gone away wait for nothing.
        self.queued.retain(|(_, _, answer)| !answer.is_closed());
        self.queued.push((campaign, number, answer));
    }

    fn take_queued(&mut self, campaign: CampaignId, number: PhoneNumber) -> Option<TestAnswer> {
        let place = self.queued.iter().position(|it| (it.0, it.1) == (campaign, number))?;
        Some(self.queued.remove(place).2)
    }

    /// The dialer opens an attempt at this number.
    pub fn opened(&mut self, campaign: CampaignId, number: PhoneNumber, call: CallId) {
        if let Some(answer) = self.take_queued(campaign, number) {
            self.opening.insert(call, answer);
        }
    }

    /// The store has opened the attempt, or refused it with this sentence.
    pub fn decided(&mut self, attempt: AttemptId, refusal: Option<String>) {
        if let Some(answer) = self.opening.remove(&attempt.call()) {
            // The requester may have gone away.
            let _ = answer.send(refusal.map_or(Ok(attempt), Err));
        }
    }

    /// The dialer opens no attempt at this number.
    pub fn refused(&mut self, campaign: CampaignId, number: PhoneNumber, why: &str) {
        if let Some(answer) = self.take_queued(campaign, number) {
            let _ = answer.send(Err(why.to_owned()));
        }
    }

    /// The campaign is drained: its tests that are not opened yet are dropped.
    pub fn drained(&mut self, campaign: CampaignId) {
        let (dropped, kept) = std::mem::take(&mut self.queued).into_iter().partition(|it| it.0 == campaign);
        self.queued = kept;
        for (_, _, answer) in Vec::from_iter::<Vec<_>>(dropped) {
            let _ = answer.send(Err("the campaign was drained before the call".to_owned()));
        }
    }
}
