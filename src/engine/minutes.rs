//! Counts what each open campaign did in the present minute. The rows go to the store by the minute, with the board and
//! never on the path of a call.

use super::{Engine, LiveEvent};
use crate::store::{CampaignMinute, Command};
use paceline_core::agent::{Activity, Availability, SeatView};
use paceline_core::campaign::is_system_name;
use paceline_core::ids::{CampaignId, GroupId};
use paceline_core::pacing::Why;
use paceline_core::time::{Time, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

const MINUTE_MILLIS: i64 = 60_000;

/// What a campaign did in the present minute so far.
#[derive(Clone, Debug, Default, PartialEq)]
struct Counting {
    placed: u64,
    answered: u64,
    abandoned_calls: u64,
    secs: f64,
    talking_secs: f64,
    limits: BTreeMap<&'static str, f64>,
}

/// The present minute of every campaign.
#[derive(Debug, Default)]
pub(super) struct Minutes {
    campaigns: BTreeMap<CampaignId, Counting>,
    /// When campaigns were looked at last.
    looked_at: Option<Time>,
    /// Minutes since 1970.
    minute: Option<i64>,
}

impl Minutes {
    pub fn count_placed(&mut self, campaign: CampaignId) {
        self.campaigns.entry(campaign).or_default().placed += 1;
    }

    pub fn count_answered(&mut self, campaign: CampaignId) {
        self.campaigns.entry(campaign).or_default().answered += 1;
    }

    pub fn count_abandoned(&mut self, campaign: CampaignId) {
        self.campaigns.entry(campaign).or_default().abandoned_calls += 1;
    }

    /// The time since the last look counts as spent in the campaign's present state.
    fn count_state(&mut self, campaign: CampaignId, secs: f64, talking: u32, why: Option<Why>) {
        let counting = self.campaigns.entry(campaign).or_default();
        counting.secs += secs;
        counting.talking_secs += secs * f64::from(talking);
        if let Some(why) = why {
            *counting.limits.entry(why.limit()).or_default() += secs;
        }
    }

    /// Seconds since the last look.
    fn look(&mut self, now: Time) -> f64 {
        let before = self.looked_at.replace(now).unwrap_or(now);
        now.since(before).as_secs_f64()
    }

    /// The minute that is over at `utc`, if one is: its begin, and what was counted in it.
    fn take_over(&mut self, utc: Utc, end_now: bool) -> Option<(Utc, BTreeMap<CampaignId, Counting>)> {
        let present = utc.as_millis().div_euclid(MINUTE_MILLIS);
        let counted = *self.minute.get_or_insert(present);
        if counted == present && !end_now {
            return None;
        }
        self.minute = Some(present);
        Some((Utc::from_millis(counted * MINUTE_MILLIS), std::mem::take(&mut self.campaigns)))
    }
}

impl Engine {
    /// Looks at each campaign as the board has it, and writes the minute that is over; with `end_now` also one that
    /// is not, because the service stops.
    pub(super) fn count_minutes(&mut self, now: Time, end_now: bool) {
        let secs = self.minutes.look(now);
        for (id, board) in &self.board.campaigns {
            if !board.finished && !is_system_name(&board.name) {
                self.minutes.count_state(*id, secs, board.view.talking, board.view.why);
            }
        }
        let utc = crate::net::clock::Clock::utc();
        let Some((at, counted)) = self.minutes.take_over(utc, end_now) else { return };
        let groups: BTreeMap<CampaignId, Option<GroupId>> = self
            .dialer
            .campaigns()
            .map(|rules| (rules.id, rules.agents.as_ref().map(|agents| agents.group)))
            .collect();
        for (campaign, counting) in counted {
            let Some(board) = self.board.campaigns.get(&campaign) else { continue };
            if is_system_name(&board.name) {
                continue;
            }
            let braking = board.view.abandon.map(|report| report.braking());
            let group = groups.get(&campaign).copied().flatten();
            let seats = self.board.seats.values().map(AsRef::as_ref);
            let minute = CampaignMinute {
                campaign,
                at,
                placed: counting.placed,
                answered: counting.answered,
                abandoned_calls: counting.abandoned_calls,
                talking: rounded(counting.talking_secs / counting.secs.max(1e-3)),
                abandoned: braking.map_or(0.0, |rate| rate.abandoned),
                divisor: braking.map_or(0.0, |rate| rate.of),
                upper: braking.map(|rate| rate.upper),
                agents: group.map(|group| heads(seats, group)).unwrap_or_default(),
                limits: counting
                    .limits
                    .iter()
                    .map(|(limit, secs)| ((*limit).to_owned(), rounded(*secs)))
                    .collect(),
            };
            let _ = self.live.send(LiveEvent::Minute(Arc::new(minute.clone())));
            self.send_to_store(Command::SaveMinute(Box::new(minute)));
        }
    }
}

/// To a tenth.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Agents at work in the group by what they do.
fn heads<'a>(seats: impl Iterator<Item = &'a SeatView>, group: GroupId) -> BTreeMap<String, u32> {
    let mut heads = BTreeMap::new();
    for seat in seats.filter(|seat| seat.groups.contains(&group)) {
        let word = match (&seat.availability, &seat.activity) {
            (Availability::SignedOut, _) => continue,
            (Availability::Paused { .. }, Activity::Idle) => seat.availability.word(),
            (_, activity) => activity.word(),
        };
        *heads.entry(word.to_owned()).or_default() += 1;
    }
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: CampaignId = CampaignId(1);

    fn at(secs: u64) -> Time {
        Time::from_millis(secs * 1_000)
    }

    #[test]
    fn a_minute_is_over_when_the_next_has_begun() {
        let mut minutes = Minutes::default();
        let utc = |secs: i64| Utc::from_millis(1_795_226_400_000 + secs * 1_000);
        minutes.look(at(0));
        assert_eq!(minutes.take_over(utc(10), false), None);
        minutes.count_placed(ONE);
        for second in 1..=50 {
            let secs = minutes.look(at(second));
            let why = if second <= 20 { Why::LinesOut } else { Why::AbandonBudget };
            minutes.count_state(ONE, secs, 3, Some(why));
        }
        assert_eq!(minutes.take_over(utc(59), false), None);
        let (begin, counted) = minutes.take_over(utc(60), false).expect("a minute");
        assert_eq!(begin, utc(0));
        let one = &counted[&ONE];
        assert_eq!((one.placed, one.secs, one.talking_secs), (1, 50.0, 150.0));
        assert_eq!(one.limits, [("agents", 20.0), ("budget", 30.0)].into());
        assert_eq!(minutes.take_over(utc(61), false), None);
        // A clock that was set back ends the minute too.
        minutes.count_answered(ONE);
        let (begin, counted) = minutes.take_over(utc(-5), false).expect("a minute");
        assert_eq!((begin, counted[&ONE].answered), (utc(60), 1));
    }
}
