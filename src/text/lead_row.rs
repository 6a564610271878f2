//! Texts: one short sentence for each row of the table of leads, from the stored facts alone. What a running dialer
//! knows beside them is in [`Lang::lead_why`].

use super::{Lang, TimeFormat};
use paceline_core::explain::CALLBACK_GRACE;
use paceline_core::outcome::{LeadState, Outcome, Reason};
use paceline_core::time::Utc;

/// The stored facts of one lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeadRowFacts {
    /// `None` = a word of a later version.
    pub state: Option<LeadState>,
    pub reason: Option<Reason>,
    pub attempts: u32,
    pub last_outcome: Option<Outcome>,
    pub next_at: Option<Utc>,
    /// The number of the agent for whom a callback is booked.
    pub callback_agent: Option<String>,
    pub callback_skill: Option<String>,
    /// The number of the agent who alone calls this lead.
    pub assigned_agent: Option<String>,
    /// A person moved it to the front.
    pub is_first: bool,
    pub is_called: bool,
}

/// Month, day and minute: the table shows leads of these weeks.
const SHORT: &str = "%m-%d %H:%M";

impl Lang {
    /// Why this lead is where it is, in a few words.
    pub fn lead_row(self, lead: &LeadRowFacts, now: Utc, moments: &TimeFormat) -> String {
        if lead.is_called {
            return self.pick("its call is up", "正在呼叫").to_owned();
        }
        let at = |at: Utc| moments.written(at, SHORT);
        match (lead.state, lead.next_at) {
            (Some(LeadState::Done), _) => match lead.reason {
                Some(reason) => self.reason_words(reason).to_owned(),
                None => self.pick("done", "已完成").to_owned(),
            },
            (Some(LeadState::Failed) | None, _) => self.closed_row(lead),
            (Some(LeadState::FollowUp), None) => {
                self.pick("waits for a person, not for a call", "等待人工跟进,不再自动拨打").to_owned()
            }
            (Some(LeadState::FollowUp), Some(booked)) => self.booked_row(lead, booked, at),
            (Some(LeadState::Open), Some(until)) if until > now => match (lead.last_outcome, self) {
                (Some(last), Lang::En) => format!("rests until {}: {}", at(until), self.outcome_words(last)),
                (Some(last), Lang::Zh) => {
                    format!("休息到 {}:上次{}", at(until), self.outcome_words(last))
                }
                (None, Lang::En) => format!("put off until {}", at(until)),
                (None, Lang::Zh) => format!("推迟到 {}", at(until)),
            },
            (Some(LeadState::Open), _) => self.due_row(lead),
        }
    }

    fn closed_row(self, lead: &LeadRowFacts) -> String {
        let closed = self.pick("closed", "已关闭");
        let why = match (lead.reason, lead.last_outcome) {
            (Some(reason), _) => self.reason_words(reason),
            (None, Some(last)) => self.outcome_words(last),
            (None, None) => return closed.to_owned(),
        };
        match self {
            Lang::En => format!("{closed}: {why}"),
            Lang::Zh => format!("{closed}:{why}"),
        }
    }

    fn booked_row(self, lead: &LeadRowFacts, booked: Utc, at: impl Fn(Utc) -> String) -> String {
        let (moment, anyone) = (at(booked), at(booked + CALLBACK_GRACE));
        match (&lead.callback_agent, &lead.callback_skill, self) {
            (Some(agent), _, Lang::En) => {
                format!("a callback by {agent} at {moment}; by anyone from {anyone} on")
            }
            (Some(agent), _, Lang::Zh) => format!("预约 {agent} 于 {moment} 回拨,{anyone} 起任何坐席"),
            (None, Some(skill), Lang::En) => format!("a callback by agents with {skill} at {moment}"),
            (None, Some(skill), Lang::Zh) => format!("预约 {moment} 回拨(技能 {skill})"),
            (None, None, Lang::En) => format!("a callback by anyone at {moment}"),
            (None, None, Lang::Zh) => format!("预约 {moment} 回拨,任何坐席"),
        }
    }

    fn due_row(self, lead: &LeadRowFacts) -> String {
        let mut says = match lead.attempts {
            0 => self.pick("waits for its first call", "等待首次拨打"),
            _ => self.pick("due for another call", "已到重呼时间"),
        }
        .to_owned();
        if lead.is_first {
            says += self.pick("; moved to the front", ",已提前");
        }
        if let Some(agent) = &lead.assigned_agent {
            says += &match self {
                Lang::En => format!("; for agent {agent} alone"),
                Lang::Zh => format!(",仅由坐席 {agent} 拨打"),
            };
        }
        says
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_why_the_lead_is_where_it_is() {
        let now = Utc::from_millis(1_772_416_800_000);
        let later = Some(now + CALLBACK_GRACE);
        let open = LeadRowFacts { state: Some(LeadState::Open), ..LeadRowFacts::default() };
        let tried =
            LeadRowFacts { attempts: 1, last_outcome: Some(Outcome::Busy), next_at: later, ..open.clone() };
        let booked = LeadRowFacts {
            state: Some(LeadState::FollowUp),
            next_at: later,
            callback_agent: Some("8003".into()),
            ..open.clone()
        };
        let closed =
            LeadRowFacts { state: Some(LeadState::Failed), reason: Some(Reason::Stopped), ..open.clone() };
        let moments = TimeFormat::in_zone("Asia/Shanghai");
        let first = LeadRowFacts { is_first: true, assigned_agent: Some("8001".into()), ..open.clone() };
        let up = LeadRowFacts { is_called: true, ..closed.clone() };
        for (lead, en, zh) in [
            (&open, "first call", "首次"),
            (&tried, "rests until 03-02 10:15: busy", "休息到 03-02 10:15:上次占线"),
            (&booked, "by 8003 at 03-02 10:15; by anyone from 03-02 10:30", "预约 8003"),
            (&closed, "closed: stopped by a person", "已关闭:被人工停止"),
            (&first, "front; for agent 8001", "已提前,仅由坐席 8001"),
            (&up, "its call is up", "正在呼叫"),
        ] {
            let (said_en, said_zh) =
                (Lang::En.lead_row(lead, now, &moments), Lang::Zh.lead_row(lead, now, &moments));
            assert!(said_en.contains(en) && said_zh.contains(zh), "{said_en} / {said_zh}");
        }
    }
}
