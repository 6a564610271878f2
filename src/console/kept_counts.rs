//! Counts over a whole campaign, kept for a while: a list of a million leads is not counted again for each page that
//! shows it, and never twice at once.

use super::problem::Problem;
use paceline_core::ids::CampaignId;
use paceline_core::time::{Duration, Utc};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The oldest that a count may be.
const OLDEST: Duration = Duration::from_secs(60);

/// A count is kept so many times as long as it took, so that counting takes a thirtieth of a processor at most and the
/// count of a small campaign is always fresh.
const SHARE: u32 = 30;

/// What was counted, and when.
pub(super) struct Counted<T> {
    pub value: Arc<T>,
    pub as_of: Utc,
}

struct Kept<T> {
    /// What it was counted by, such as the campaign's text.
    by: String,
    value: Arc<T>,
    as_of: Utc,
    until: Utc,
}

impl<T> Kept<T> {
    /// A clock that was set back makes no count last.
    fn is_fresh(&self, now: Utc) -> bool {
        self.as_of <= now && now < self.until
    }
}

type Place<T> = Arc<tokio::sync::Mutex<Option<Kept<T>>>>;

/// The counts of one kind by campaign.
pub(super) struct KeptCounts<T>(Mutex<BTreeMap<CampaignId, Place<T>>>);

impl<T> Default for KeptCounts<T> {
    fn default() -> Self {
        KeptCounts(Mutex::default())
    }
}

impl<T: Send + Sync + 'static> KeptCounts<T> {
    /// The kept count, or a new one by `count`. Callers who ask meanwhile wait for that one, which goes on if its request
    /// ends. `by`: a count by something else is never shown.
    pub async fn get(
        &self,
        campaign: CampaignId,
        by: &str,
        now: impl Fn() -> Utc + Send + 'static,
        count: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<Counted<T>, Problem> {
        let mut kept = self.place(campaign, now()).lock_owned().await;
        if let Some(known) = kept.as_ref().filter(|it| it.by == by && it.is_fresh(now())) {
            return Ok(Counted { value: known.value.clone(), as_of: known.as_of });
        }
        let by = by.to_owned();
        let counting = tokio::spawn(async move {
            let as_of = now();
            let value = Arc::new(count.await?);
            let until = as_of + (now().since(as_of) * SHARE).min(OLDEST);
            *kept = Some(Kept { by, value: value.clone(), as_of, until });
            Ok(Counted { value, as_of })
        });
        counting.await.map_err(Problem::internal)?
    }

    /// The place of a campaign's count; those that are too old to be shown are dropped.
    fn place(&self, campaign: CampaignId, now: Utc) -> Place<T> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|id, place| {
            *id == campaign
                || place.try_lock().map_or(true, |kept| kept.as_ref().is_some_and(|it| it.is_fresh(now)))
        });
        places.entry(campaign).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::SeqCst};
    use std::task::Poll;

    const ONE: CampaignId = CampaignId(1);

    /// Counts that take a second each, and how many there were.
    #[derive(Default)]
    struct Counting {
        kept: KeptCounts<u32>,
        millis: Arc<AtomicI64>,
        count: Arc<AtomicU32>,
    }

    impl Counting {
        fn now(&self) -> impl Fn() -> Utc + Send + use<> {
            let millis = self.millis.clone();
            move || Utc::from_millis(millis.load(SeqCst))
        }

        /// A count that takes so long.
        fn count(&self, took: i64) -> impl Future<Output = Result<u32, Problem>> + Send + use<> {
            let (millis, count) = (self.millis.clone(), self.count.clone());
            async move {
                // The others ask meanwhile.
                tokio::task::yield_now().await;
                millis.fetch_add(took, SeqCst);
                Ok(count.fetch_add(1, SeqCst) + 1)
            }
        }

        async fn ask(&self, campaign: CampaignId, by: &str) -> u32 {
            *self.kept.get(campaign, by, self.now(), self.count(1_000)).await.unwrap().value
        }
    }

    #[tokio::test]
    async fn requests_at_the_same_time_share_one_count() {
        let it = Counting::default();
        assert_eq!(tokio::join!(it.ask(ONE, "a"), it.ask(ONE, "a"), it.ask(ONE, "a")), (1, 1, 1));
        assert_eq!(it.ask(ONE, "b").await, 2, "counted by something else");
        assert_eq!(it.ask(CampaignId(2), "b").await, 3, "of another campaign");
    }

    #[tokio::test]
    async fn a_count_goes_on_when_its_request_ends_and_is_not_made_twice() {
        let it = Counting::default();
        {
            let mut first = std::pin::pin!(it.ask(ONE, ""));
            let is_pending = poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await;
            assert!(is_pending, "it counts");
        }
        assert_eq!(it.ask(ONE, "").await, 1);
    }

    #[tokio::test]
    async fn a_count_is_kept_thirty_times_as_long_as_it_took_and_a_minute_at_most() {
        let it = Counting::default();
        assert_eq!(it.ask(ONE, "").await, 1);
        it.millis.store(29_999, SeqCst);
        assert_eq!(it.ask(ONE, "").await, 1);
        it.millis.store(30_000, SeqCst);
        assert_eq!(it.ask(ONE, "").await, 2);
        // The clock was set back.
        it.millis.store(5_000, SeqCst);
        assert_eq!(it.ask(ONE, "").await, 3);
        it.kept.get(CampaignId(2), "", it.now(), it.count(10_000)).await.unwrap();
        it.millis.fetch_add(49_999, SeqCst);
        assert_eq!(it.ask(CampaignId(2), "").await, 4);
        it.millis.fetch_add(1, SeqCst);
        assert_eq!(it.ask(CampaignId(2), "").await, 5, "a minute has passed since its moment");
    }

    #[tokio::test]
    async fn a_count_that_failed_is_made_again() {
        let it = Counting::default();
        let failed = it.kept.get(ONE, "", it.now(), async { Err(Problem::not_found("campaign")) }).await;
        assert!(failed.is_err());
        assert_eq!(it.ask(ONE, "").await, 1);
    }

    #[tokio::test]
    async fn counts_that_are_too_old_are_dropped() {
        let it = Counting::default();
        for id in 1..=5 {
            it.ask(CampaignId(id), "").await;
        }
        it.millis.store(100_000, SeqCst);
        it.ask(ONE, "").await;
        assert_eq!(it.kept.0.lock().unwrap().len(), 1);
    }
}
