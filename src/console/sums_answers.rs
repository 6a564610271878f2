//! Shapes of the answers about sums over calls: aggregates, a campaign's summary, abandoned calls.

use super::answers::{Moment, Words, answers};
use crate::tasks::Summary;
use schemars::JsonSchema;
use std::collections::BTreeMap;

/// The content of `summary.json`.
#[derive(JsonSchema)]
pub struct CampaignSummary {
    #[schemars(flatten)]
    pub summary: Summary,
    /// Local day of the first call: `2026-03-02`.
    pub first_day: Option<String>,
    /// When it was counted, a minute ago at most.
    pub as_of: Moment,
}

answers! {
    /// The sums of calls that have `keys` in common.
    CallSum {
        /// In the order of `by` and `then`: `2026-03-02T14:00:00+08:00`, `2026-03-02`, or the filter's own value; `null` =
        /// the calls have none.
        keys: Vec<Option<String>>,
        /// Names of agents; else `null`.
        labels: Vec<Option<String>>,
        /// Begin and end of the hour or the day.
        from: Option<Moment>,
        until: Option<Moment>,
        calls: u64,
        answered: u64,
        /// Placed without line faults: what `answered` is a share of.
        divisor: u64,
        /// Calls with a talk.
        talked: u64,
        talked_secs: f64,
        /// Answered, and no agent came.
        abandoned: u64,
        /// Answered by a person: what `abandoned` is a share of.
        people: u64,
    }
    /// What a figure is a share of.
    Divisor {
        of: String,
        /// The field that it is divided by.
        by: String,
        words: Words,
    }
    CallAggregates {
        items: Vec<CallSum>,
        total: CallSum,
        divisors: Vec<Divisor>,
        /// The zone of hours and days.
        timezone: String,
        /// The span in which calls were placed or arrived; `null` = without a begin or an end.
        from: Option<Moment>,
        until: Option<Moment>,
        as_of: Moment,
    }

    BusySeat { agent: String, name: String, activity: String, }
    AbandonedCallView {
        attempt: i64,
        lead: Option<i64>,
        name: Option<String>,
        number: Option<String>,
        /// The answer.
        at: Moment,
        /// Until an agent came or the call ended.
        waited_ms: u64,
        /// An agent came, but later than the rule allows.
        late: bool,
        /// The callee hung up before the wait was over.
        hung_up: bool,
        /// When the next agent of the group became free, within a day; by the state log.
        free_next_at: Option<Moment>,
        /// Agents of the group by what they did at the answer.
        seats: BTreeMap<String, u64>,
        /// The first of those who were not free.
        busy: Vec<BusySeat>,
    }
    AbandonedCalls {
        items: Vec<AbandonedCallView>,
        /// Begin of the rule's window, or `from`.
        from: Moment,
        /// How long a callee was to wait for an agent.
        answer_wait_ms: u64,
        /// `after` of the next page.
        next: Option<i64>,
    }
}
