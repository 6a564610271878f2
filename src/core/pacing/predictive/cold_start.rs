//! Cold start of the call model: the answer rate assumed for a new list, until its first calls have rung to
//! the end and give its level.

use super::call_model::{COLD_ANSWER, CallModel, VERDICT_SECS};
use crate::pacing::estimate::Scale;
use crate::time::{Duration, Time};

/// How many ended first calls suffice.
const FIRST_ENOUGH: f64 = 60.0;
/// A level lower by more than this factor than the first calls' result is corrected.
const TOO_LOW: f64 = 1.4;

impl CallModel {
    /// Estimates an unknown list's answer rate from its first calls. Only those old enough to have rung to
    /// the end count: before, quick refusals and slow answers make the list look dead.
    pub(super) fn judge_first_calls(&mut self, now: Time) {
        if self.cautious_rate.is_none() {
            return;
        }
        let judged = if self.verdicts { VERDICT_SECS as u64 / 2 } else { 0 };
        let whole =
            Duration::from_millis(((self.ring_max * 1000.0) as u64).saturating_add(4000 + judged * 1000));
        let old = self.first_calls.values().filter(|(placed, _)| now.since(*placed) >= whole);
        let (seen, answered) =
            old.fold((0.0, 0.0), |(n, k), (_, live)| (n + 1.0, k + f64::from(u8::from(*live))));
        self.cautious_rate = (seen < FIRST_ENOUGH).then_some((answered + COLD_ANSWER * 4.0) / (seen + 4.0));
        if self.cautious_rate.is_none() {
            self.first_calls.clear();
            self.raise_low_levels((answered + 0.5) / (seen + 1.0));
        }
    }

    /// Raises scales that the first calls prove too low. Calls placed together fall silent together: while
    /// answer times are unknown, that looks like a list which has gone bad.
    fn raise_low_levels(&mut self, share: f64) {
        self.refresh_live_rates();
        let (mut low, mut high) = (0.02f64, 8.0f64);
        for _ in 0..20 {
            let middle = (low * high).sqrt();
            if self.answer_chance(middle) < share {
                low = middle;
            } else {
                high = middle;
            }
        }
        for scale in self.scales.values_mut().filter(|scale| scale.mean() < low / TOO_LOW) {
            *scale = Scale::new(low, 0.3);
        }
        let levels: f64 = self.scales.values().map(Scale::mean).sum();
        self.live.scale_exposure(levels / self.scales.len().max(1) as f64);
    }

    /// Lower limit of the answer rate to assume while the list is new.
    pub fn cautious_answer_rate(&self) -> Option<f64> {
        self.cautious_rate
    }
}
