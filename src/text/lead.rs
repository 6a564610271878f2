//! Texts: why one lead is not dialled, the outcomes, and the reasons for closing a lead.

use super::why::Sentence;
use super::{Lang, TimeFormat};
use paceline_core::dialer::{CallStage, Held};
use paceline_core::explain::{LeadWhy, Rest};
use paceline_core::ids::AgentId;
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Outcome, Reason};
use paceline_core::time::Utc;
use std::collections::BTreeMap;

/// Agents' numbers (extensions) by id.
pub type AgentNumbers = BTreeMap<AgentId, String>;

impl Lang {
    /// The outcome of a call.
    pub fn outcome_words(self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Answered => self.pick("answered", "接通"),
            Outcome::Machine => self.pick("a machine answered", "录音机应答"),
            Outcome::Abandoned => self.pick("abandoned: no agent was free", "呼损:接通后无坐席空闲"),
            Outcome::NoAnswer => self.pick("no answer", "无人接听"),
            Outcome::Busy => self.pick("busy", "占线"),
            Outcome::Rejected => self.pick("rejected", "拒接"),
            Outcome::Vacant => self.pick("number not in use", "空号"),
            Outcome::PoweredOff => self.pick("switched off", "关机"),
            Outcome::Suspended => self.pick("suspended", "停机"),
            Outcome::Unreachable => self.pick("unreachable", "无法接通"),
            Outcome::Restricted => self.pick("restricted", "呼叫限制"),
            Outcome::CarrierBlock => self.pick("blocked by the carrier", "运营商拦截"),
            Outcome::LineFault => self.pick("line fault", "线路故障"),
            Outcome::AgentFailed => self.pick("the agent's phone failed", "坐席话机未接通"),
            Outcome::Interrupted => self.pick("interrupted by a stop of the service", "中断:服务停止"),
            Outcome::Cancelled => self.pick("cancelled", "已取消"),
        }
    }

    /// Why a lead is closed without (another) call.
    pub fn reason_words(self, reason: Reason) -> &'static str {
        match reason {
            Reason::InvalidNumber => self.pick("no trunk may carry its numbers", "号码无效或无可用中继"),
            Reason::EmergencyNumber => self.pick("an emergency or service number", "紧急或服务号码"),
            Reason::Duplicate => self.pick("a duplicate of another row", "与其他行重复"),
            Reason::Blacklisted => self.pick("blacklisted", "在黑名单中"),
            Reason::OutsideWindow => self.pick("the campaign's last day had passed", "活动已过截止时间"),
            Reason::AttemptsUsed => self.pick("all its attempts are used", "拨打次数已用完"),
            Reason::HouseholdDone => self.pick("its household was reached", "同户已完成"),
            Reason::NoTrunk => {
                self.pick("no trunk of the campaign may carry its numbers", "没有中继可以呼叫该号码")
            }
            Reason::Stopped => self.pick("stopped by a person", "被人工停止"),
        }
    }

    /// Why the call that an agent asked for was refused, and what to do, as one sentence for the agent.
    pub fn call_refused(self, reason: Reason) -> String {
        let why = match reason {
            Reason::InvalidNumber => self.pick("this is no number that can be called", "该号码无效"),
            Reason::EmergencyNumber => {
                self.pick("this is an emergency or service number", "这是紧急或服务号码")
            }
            Reason::Duplicate => self.pick("the lead is a duplicate of another row", "该客户与其他行重复"),
            Reason::Blacklisted => self.pick("the number is on the blacklist", "该号码在黑名单中"),
            Reason::OutsideWindow => {
                self.pick("it is outside the calling hours of this number", "不在该号码的可拨打时段")
            }
            Reason::AttemptsUsed => self.pick(
                "the calls allowed to this number are used up for now",
                "该号码的拨打次数已用完或间隔未到",
            ),
            Reason::HouseholdDone => self.pick("the household was reached already", "该户已有接通结果"),
            Reason::NoTrunk => {
                self.pick("no trunk of the campaign may carry this number", "没有中继可以呼叫该号码")
            }
            Reason::Stopped => self.pick("the lead was closed by a person", "该客户已被人工关闭"),
        };
        let advice = match reason {
            Reason::OutsideWindow => self.pick("book a callback within them", "请预约在可拨打时段回拨"),
            Reason::AttemptsUsed => self.pick("book a callback for another day", "请预约改天回拨"),
            Reason::InvalidNumber => self.pick("check its digits", "请核对号码"),
            _ => self.pick("ask the shift lead if it must be called", "如确需呼叫,请联系班长"),
        };
        match self {
            Lang::En => format!("not called: {why}; {advice}"),
            Lang::Zh => format!("未呼叫:{why};{advice}"),
        }
    }

    /// Why this lead is not dialled, and what to do about it.
    pub fn lead_why(self, why: &LeadWhy, moments: &TimeFormat, agents: &AgentNumbers) -> Sentence {
        let at = |at: Utc| moments.show(at);
        match why {
            LeadWhy::Held(held) => Sentence::new(self.held(held, agents), ""),
            LeadWhy::Closed { state, reason, last, at: ended, tries, blacklisted } => {
                let mut sentence = self.closed(*state, *reason, *last, *ended, *tries, moments);
                if *reason == Some(Reason::Blacklisted) && !blacklisted {
                    sentence.says += self.pick(
                        " when its turn came; no entry holds its number now",
                        "(轮到时);目前已没有匹配的条目",
                    );
                    let advice = self.pick(
                        "a lead stays closed until a person opens it again",
                        "如需再次拨打,请人工重新打开该客户",
                    );
                    sentence.advice = Some(advice.to_owned());
                }
                sentence
            }
            LeadWhy::CutOff => Sentence::new(
                self.pick(
                    "its call was cut off when the service stopped; what became of it is not settled",
                    "服务停止时其通话被中断,结果尚未处理",
                ),
                self.pick("start the service: it settles the call first", "启动服务后会先处理该通话"),
            ),
            LeadWhy::Blacklisted(number) => {
                let number = number.national();
                Sentence::new(
                    match self {
                        Lang::En => format!("{number} is on the blacklist: it is closed when its turn comes"),
                        Lang::Zh => format!("{number} 已在黑名单中:轮到时将关闭"),
                    },
                    "",
                )
            }
            LeadWhy::AttemptsUsed { number, made, most } => {
                let number = number.national();
                Sentence::new(
                    match self {
                        Lang::En => format!(
                            "{number} has {made} of {most} attempts in this campaign: it is closed when its turn comes"
                        ),
                        Lang::Zh => format!("{number} 在本活动中已拨 {made}/{most} 次:轮到时将关闭"),
                    },
                    self.pick("raise “Attempts a number” in the settings", "可在设置里调高“每个号码最多拨”"),
                )
            }
            LeadWhy::Booked { agent, skill, at: booked, anyone_from } => {
                let whom = self.whom(*agent, skill.as_deref(), agents);
                let says = match self {
                    Lang::En => format!(
                        "a callback is booked {whom} at {}; from {} on anyone gets it",
                        at(*booked),
                        at(*anyone_from)
                    ),
                    Lang::Zh => {
                        format!("已预约回拨{whom}:{};{} 起任何坐席均可接手", at(*booked), at(*anyone_from))
                    }
                };
                Sentence::new(says, "")
            }
            LeadWhy::Rests { number, until, because, opens } => {
                self.rests(*number, *until, because, *opens, moments)
            }
            LeadWhy::Household(held) => {
                let says = self.pick("somebody of its household is in use", "同户有人正在处理");
                Sentence::new(self.with_held(says, held.as_ref(), agents), "")
            }
            LeadWhy::Number(held) => {
                let says = self.pick("its number is in use for another lead", "同一号码正在为另一条名单处理");
                Sentence::new(self.with_held(says, held.as_ref(), agents), "")
            }
            LeadWhy::Hours { opens: Some(until), holiday } => Sentence::new(
                match (self, holiday.map(|holiday| self.holiday(&holiday))) {
                    (Lang::En, None) => format!("outside the calling hours, which open at {}", at(*until)),
                    (Lang::Zh, None) => format!("不在拨打时段内,{} 开始", at(*until)),
                    (Lang::En, Some(holiday)) => {
                        format!("not called on {holiday}; calls go on at {}", at(*until))
                    }
                    (Lang::Zh, Some(holiday)) => format!("{holiday}不拨打,{} 继续", at(*until)),
                },
                "",
            ),
            LeadWhy::Hours { opens: None, .. } => Sentence::new(
                self.pick("the calling hours never open again", "拨打时段不再开放"),
                self.pick(
                    "look at “Calling hours” and “End” in the settings",
                    "请检查设置里的“可拨打时段”与“结束”",
                ),
            ),
            LeadWhy::NoTrunk(number) => {
                let number = number.national();
                Sentence::new(
                    match self {
                        Lang::En => format!("no trunk of the campaign may carry {number}"),
                        Lang::Zh => format!("活动的中继均不可拨打 {number}"),
                    },
                    self.pick("look at `allow` of the trunks", "请检查中继的 `allow`"),
                )
            }
            LeadWhy::Assigned { agent } => {
                let agent = named(*agent, agents);
                Sentence::new(
                    match self {
                        Lang::En => format!("it waits for agent {agent}, who alone calls it and is not free"),
                        Lang::Zh => format!("只由坐席 {agent} 拨打,该坐席现在不空闲"),
                    },
                    self.pick("unassign it, if anyone may call it", "如可由他人拨打,请取消分配"),
                )
            }
            LeadWhy::Hopper { ahead } => Sentence::new(
                match self {
                    Lang::En => format!("it is at hand: {ahead} leads stand before it"),
                    Lang::Zh => format!("已在待拨队列中:前面还有 {ahead} 条"),
                },
                "",
            ),
            LeadWhy::Due { ahead } => Sentence::new(
                match self {
                    Lang::En => format!("it is due: {ahead} due leads come before it"),
                    Lang::Zh => format!("已到拨打时间:前面还有 {ahead} 条"),
                },
                "",
            ),
        }
    }

    fn closed(
        self,
        state: LeadState,
        reason: Option<Reason>,
        last: Option<Outcome>,
        ended: Option<Utc>,
        tries: u32,
        moments: &TimeFormat,
    ) -> Sentence {
        let mut says = match (state, self) {
            (LeadState::Done, Lang::En) => "it is done".to_owned(),
            (LeadState::Done, Lang::Zh) => "已完成".to_owned(),
            (LeadState::FollowUp, Lang::En) => "it waits for a person, not for a call".to_owned(),
            (LeadState::FollowUp, Lang::Zh) => "等待人工跟进,不再自动拨打".to_owned(),
            (_, Lang::En) => "it is closed".to_owned(),
            (_, Lang::Zh) => "已关闭".to_owned(),
        };
        if let Some(reason) = reason {
            says += &match self {
                Lang::En => format!(": {}", self.reason_words(reason)),
                Lang::Zh => format!(":{}", self.reason_words(reason)),
            };
        }
        if let Some(last) = last {
            let when = ended.map(|ended| moments.show(ended)).unwrap_or_default();
            says += &match self {
                Lang::En => format!("; {tries} attempts, the last one {when}: {}", self.outcome_words(last)),
                Lang::Zh => format!(";共拨 {tries} 次,最近一次 {when}:{}", self.outcome_words(last)),
            };
        }
        Sentence::new(says, "")
    }

    fn rests(
        self,
        number: PhoneNumber,
        until: Utc,
        because: &Rest,
        opens: Option<Utc>,
        moments: &TimeFormat,
    ) -> Sentence {
        let (number, until) = (number.national(), moments.show(until));
        let because = match (because, self) {
            (Rest::Retry(outcome), Lang::En) => {
                format!("the last call ended so: {}", self.outcome_words(*outcome))
            }
            (Rest::Retry(outcome), Lang::Zh) => format!("上次结果:{}", self.outcome_words(*outcome)),
            (Rest::Abandoned, Lang::En) => {
                "its owner answered and nobody was free to speak with her".to_owned()
            }
            (Rest::Abandoned, Lang::Zh) => "上次接听时无坐席空闲(呼损后静默期)".to_owned(),
            (Rest::CutOff, Lang::En) => {
                "a stop of the service cut off its call, which may still have rung".to_owned()
            }
            (Rest::CutOff, Lang::Zh) => "服务中断时该号码可能仍在振铃".to_owned(),
            (Rest::Gap(gap), Lang::En) => format!("{} must lie between two attempts", self.span(*gap)),
            (Rest::Gap(gap), Lang::Zh) => format!("两次拨打须间隔 {}", self.span(*gap)),
            (Rest::PerDay { made, most }, Lang::En) => format!("{made} of {most} attempts were made today"),
            (Rest::PerDay { made, most }, Lang::Zh) => format!("今日已拨 {made}/{most} 次"),
            (Rest::Postponed, Lang::En) => "it was put off until then".to_owned(),
            (Rest::Postponed, Lang::Zh) => "已推迟至该时间".to_owned(),
        };
        let mut says = match self {
            Lang::En => format!("{number} rests until {until}: {because}"),
            Lang::Zh => format!("{number} 在 {until} 前不拨打:{because}"),
        };
        if let Some(opens) = opens {
            says += &match self {
                Lang::En => {
                    format!("; the calling hours are closed then and open at {}", moments.show(opens))
                }
                Lang::Zh => format!(";届时不在拨打时段,{} 开始", moments.show(opens)),
            };
        }
        Sentence::new(says, "")
    }

    fn whom(self, agent: Option<AgentId>, skill: Option<&str>, agents: &AgentNumbers) -> String {
        match (agent, skill, self) {
            (Some(agent), _, Lang::En) => format!("for agent {}", named(agent, agents)),
            (Some(agent), _, Lang::Zh) => format!("(坐席 {})", named(agent, agents)),
            (None, Some(skill), Lang::En) => format!("for agents with the skill {skill}"),
            (None, Some(skill), Lang::Zh) => format!("(技能 {skill})"),
            (None, None, Lang::En) => "for anyone".to_owned(),
            (None, None, Lang::Zh) => String::new(),
        }
    }

    fn with_held(self, says: &str, held: Option<&Held>, agents: &AgentNumbers) -> String {
        held.map_or(says.to_owned(), |held| format!("{says}: {}", self.held(held, agents)))
    }

    fn held(self, held: &Held, agents: &AgentNumbers) -> String {
        match (held, self) {
            (Held::Call { call, stage, agent }, _) => {
                let attempt = call.attempt();
                let stage = self.stage(*stage);
                let with = agent.map(|agent| named(agent, agents));
                match (with, self) {
                    (None, Lang::En) => format!("it is being called (attempt {attempt}, {stage})"),
                    (None, Lang::Zh) => format!("正在呼叫(第 {attempt} 号呼叫,{stage})"),
                    (Some(agent), Lang::En) => {
                        format!("it is being called (attempt {attempt}, {stage}, agent {agent})")
                    }
                    (Some(agent), Lang::Zh) => format!("正在呼叫(第 {attempt} 号呼叫,{stage},坐席 {agent})"),
                }
            }
            (Held::Screen { agent }, Lang::En) => {
                format!("it is on the screen of agent {}", named(*agent, agents))
            }
            (Held::Screen { agent }, Lang::Zh) => format!("正在坐席 {} 的屏幕上预览", named(*agent, agents)),
            (Held::WrapUp { agent }, Lang::En) => {
                format!("agent {} writes what became of its call", named(*agent, agents))
            }
            (Held::WrapUp { agent }, Lang::Zh) => format!("坐席 {} 正在填写话后结果", named(*agent, agents)),
        }
    }

    /// The stage of a call.
    pub fn stage(self, stage: CallStage) -> &'static str {
        match stage {
            CallStage::Opening => self.pick("about to be placed", "准备拨出"),
            CallStage::Placed => self.pick("placed", "已拨出"),
            CallStage::Ringing => self.pick("ringing", "振铃"),
            CallStage::Answered => self.pick("answered", "已接听"),
            CallStage::Announcing => self.pick("announcement playing", "播放语音"),
            CallStage::Waiting => self.pick("waiting for an agent", "等待坐席"),
            CallStage::Talking => self.pick("talking", "通话"),
            CallStage::Held => self.pick("on hold", "保持"),
            CallStage::Sorry => self.pick("hears that nobody is free", "播放致歉语"),
            CallStage::Ended => self.pick("over, being written down", "已结束,正在写入"),
        }
    }

    /// A rounded duration.
    pub fn span(self, span: paceline_core::time::Duration) -> String {
        let secs = span.as_secs();
        let (n, unit) = match secs {
            0..120 => (secs, self.pick("s", "秒")),
            120..7_200 => (secs / 60, self.pick("min", "分钟")),
            _ => (secs / 3_600, self.pick("h", "小时")),
        };
        format!("{n} {unit}")
    }
}

fn named(agent: AgentId, agents: &AgentNumbers) -> String {
    agents.get(&agent).cloned().unwrap_or_else(|| format!("#{agent}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::ids::CallId;
    use paceline_core::time::Duration;
    use std::collections::BTreeSet;

    fn whys() -> Vec<LeadWhy> {
        let number = PhoneNumber::from_e164(8_613_800_138_000).expect("a number");
        let at = Utc::from_millis(1_795_226_400_000);
        let rests = |because, opens| LeadWhy::Rests { number, until: at, because, opens };
        let agent = AgentId(7);
        let call = Held::Call { call: CallId(42), stage: CallStage::Ringing, agent: None };
        let closed = |state, reason, last| LeadWhy::Closed {
            state,
            reason,
            last,
            at: Some(at),
            tries: 2,
            blacklisted: false,
        };
        let mut all = vec![
            LeadWhy::Held(call),
            LeadWhy::Held(Held::Call { call: CallId(42), stage: CallStage::Talking, agent: Some(agent) }),
            LeadWhy::Held(Held::Screen { agent }),
            LeadWhy::Held(Held::WrapUp { agent }),
            closed(LeadState::Done, None, Some(Outcome::Answered)),
            closed(LeadState::FollowUp, None, None),
            LeadWhy::CutOff,
            LeadWhy::Blacklisted(number),
            LeadWhy::AttemptsUsed { number, made: 3, most: 3 },
            LeadWhy::Booked { agent: Some(agent), skill: None, at, anyone_from: at },
            LeadWhy::Booked { agent: None, skill: Some("土话".into()), at, anyone_from: at },
            LeadWhy::Booked { agent: None, skill: None, at, anyone_from: at },
            rests(Rest::Retry(Outcome::Busy), None),
            rests(Rest::Retry(Outcome::Busy), Some(at)),
            rests(Rest::Abandoned, None),
            rests(Rest::CutOff, None),
            rests(Rest::Gap(Duration::from_secs(1800)), None),
            rests(Rest::PerDay { made: 2, most: 2 }, None),
            rests(Rest::Postponed, None),
            LeadWhy::Household(None),
            LeadWhy::Household(Some(call)),
            LeadWhy::Number(None),
            LeadWhy::Hours { opens: Some(at), holiday: None },
            LeadWhy::Hours { opens: None, holiday: None },
            LeadWhy::NoTrunk(number),
            LeadWhy::Assigned { agent: AgentId(3) },
            LeadWhy::Hopper { ahead: 5 },
            LeadWhy::Due { ahead: 312 },
        ];
        all.extend(Reason::ALL.iter().map(|reason| closed(LeadState::Failed, Some(*reason), None)));
        all
    }

    #[test]
    fn every_answer_has_its_own_text_in_both_languages() {
        let agents = AgentNumbers::from([(AgentId(7), "8007".to_owned())]);
        let moments = TimeFormat::in_zone("Asia/Shanghai");
        for lang in [Lang::En, Lang::Zh] {
            let mut seen = BTreeSet::new();
            for why in whys() {
                let says = lang.lead_why(&why, &moments, &agents).says;
                assert!(seen.insert(says.clone()), "{why:?} has the words of another: {says}");
                let chinese = says.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
                assert!(chinese == (lang == Lang::Zh) || says.contains("土话"), "{says}");
            }
        }
    }

    #[test]
    fn an_answers_text_contains_its_numbers() {
        let agents = AgentNumbers::from([(AgentId(7), "8007".to_owned())]);
        let moments = TimeFormat::in_zone("Asia/Shanghai");
        let all: Vec<String> =
            whys().iter().map(|why| Lang::En.lead_why(why, &moments, &agents).says).collect();
        for shown in [
            "it is being called (attempt 42, talking, agent 8007)",
            "13800138000 rests until 2026-11-21 10:00:00: the last call ended so: busy",
            "30 min must lie between two attempts",
            "2 of 2 attempts were made today",
            "it is at hand: 5 leads stand before it",
            "it is due: 312 due leads come before it",
            "a callback is booked for agent 8007 at 2026-11-21 10:00:00",
            "it is done; 2 attempts, the last one 2026-11-21 10:00:00: answered",
        ] {
            assert!(all.iter().any(|says| says.contains(shown)), "{shown}: {all:#?}");
        }
    }

    #[test]
    fn every_outcome_has_its_own_text() {
        for lang in [Lang::En, Lang::Zh] {
            let words: BTreeSet<&str> = Outcome::ALL.iter().map(|it| lang.outcome_words(*it)).collect();
            assert_eq!(words.len(), Outcome::ALL.len());
        }
    }
}
