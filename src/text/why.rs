//! Texts: why a campaign dials or does not, with its numbers, and the advice.

use super::{Lang, TimeFormat};
use paceline_core::campaign::window::{FOREVER, Holiday, WindowState};
use paceline_core::dialer::{GivenBy, GivenLines, View};
use paceline_core::explain::DialStatus;
use paceline_core::pacing::Why;
use paceline_core::pacing::fail_safe::PacerFault;
use paceline_core::pacing::ledger::Rule;
use paceline_core::pacing::predictive::Limit;

/// An answer in words: the state, and what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub says: String,
    pub advice: Option<String>,
}

impl Sentence {
    pub(super) fn new(says: impl Into<String>, advice: impl Into<String>) -> Sentence {
        let advice = advice.into();
        Sentence { says: says.into(), advice: Some(advice).filter(|advice| !advice.is_empty()) }
    }
}

impl Lang {
    /// Why a campaign dials or does not.
    pub fn dial_status(self, standing: &DialStatus, moments: &TimeFormat) -> Sentence {
        match standing {
            DialStatus::Open { view, .. } => match view.why {
                Some(why) => {
                    let advice = match (why, view.holiday) {
                        (Why::OutsideWindow, Some(_)) => self.pick(
                            "wait, or change the holidays on the page of the schedule",
                            "请等待,或在“排期”页修改节假日",
                        ),
                        _ => self.advice(why),
                    };
                    Sentence::new(self.view(view, moments), advice)
                }
                None => Sentence::new(self.pick("nothing was decided yet", "尚未做出任何拨号决定"), ""),
            },
            DialStatus::NotOpen { leads_open, due, next_due, window, holiday } => {
                self.not_open(*leads_open, *due, *next_due, (*window, *holiday), moments)
            }
        }
    }

    fn not_open(
        self,
        leads_open: u64,
        due: u64,
        next_due: Option<paceline_core::time::Utc>,
        (window, holiday): (WindowState, Option<Holiday>),
        moments: &TimeFormat,
    ) -> Sentence {
        if leads_open == 0 {
            let says = self.pick("no lead is open: the campaign is finished", "没有未完成的名单:活动已结束");
            return Sentence::new(says, "");
        }
        let mut says = match self {
            Lang::En => {
                format!("no service has this campaign open; open leads: {leads_open}, due now: {due}")
            }
            Lang::Zh => {
                format!("该活动未在任何服务中打开:未完成名单 {leads_open} 条,其中 {due} 条已到拨打时间")
            }
        };
        if let Some(at) = next_due.filter(|_| due == 0) {
            says += &match self {
                Lang::En => format!(", the next at {}", moments.show(at)),
                Lang::Zh => format!(",下一条在 {}", moments.show(at)),
            };
        }
        if let Some(holiday) = holiday.filter(|_| matches!(window, WindowState::ClosedUntil(Some(_)))) {
            let holiday = self.holiday(&holiday);
            says += &match self {
                Lang::En => format!("; it does not call on {holiday}"),
                Lang::Zh => format!(";{holiday}不拨打"),
            };
        }
        let hours = match (window, self) {
            (WindowState::OpenUntil(FOREVER), _) => String::new(),
            (WindowState::OpenUntil(until), Lang::En) => {
                format!("; its calling hours last until {}", moments.show(until))
            }
            (WindowState::OpenUntil(until), Lang::Zh) => format!(";可拨打至 {}", moments.show(until)),
            (WindowState::ClosedUntil(Some(opens)), Lang::En) => {
                format!("; its calling hours open at {}", moments.show(opens))
            }
            (WindowState::ClosedUntil(Some(opens)), Lang::Zh) => {
                format!(";拨打时段从 {} 开始", moments.show(opens))
            }
            (WindowState::ClosedUntil(None), Lang::En) => "; its calling hours never open again".into(),
            (WindowState::ClosedUntil(None), Lang::Zh) => ";拨打时段不再开放".into(),
        };
        says += &hours;
        let advice = self.pick(
            "start it: `paceline run CAMPAIGN.toml`, or `paceline serve CAMPAIGN.toml` with agents",
            "请启动:`paceline run CAMPAIGN.toml`,有坐席时用 `paceline serve CAMPAIGN.toml`",
        );
        Sentence::new(says, advice)
    }

    fn holiday_days(self, holiday: &Holiday) -> String {
        match holiday.first == holiday.last {
            true => holiday.first.to_string(),
            false => format!("{} – {}", holiday.first, holiday.last),
        }
    }

    /// Days without calls.
    pub fn holiday(self, holiday: &Holiday) -> String {
        let days = self.holiday_days(holiday);
        match self {
            Lang::En => format!("a holiday ({days})"),
            Lang::Zh => format!("节假日({days})"),
        }
    }

    /// One line for an open campaign: calls placed, limit, numbers.
    pub fn view(self, view: &View, moments: &TimeFormat) -> String {
        self.view_beside(view, moments, None)
    }

    /// [`Lang::view`]; `other` = the campaign that has the lines, as its reader may know it.
    pub fn view_beside(self, view: &View, moments: &TimeFormat, other: Option<&str>) -> String {
        let Some(why) = view.why else { return String::new() };
        let planned = view.reason.filter(|reason| planned_why(reason.limit) == Some(why));
        // The model's numbers say why so many; any other sentence says why not more.
        let mut line = match (view.numbers.placed, planned.is_some(), self) {
            (0, ..) => String::new(),
            (placed, true, Lang::En) => format!("dialling {placed} more: "),
            (placed, true, Lang::Zh) => format!("再拨 {placed} 路:"),
            (placed, false, Lang::En) => format!("dialling {placed} more, and no more than that: "),
            (placed, false, Lang::Zh) => format!("再拨 {placed} 路,不再多拨的原因:"),
        };
        match planned {
            Some(_) => line += &self.planned(view),
            None => match (why, view.share) {
                (Why::ShareUsed, Some(given)) => line += &self.given(given, other, view),
                _ => line += &self.because(why, view),
            },
        }
        if let Some(until) = view.until {
            line += &match self {
                Lang::En => format!(", until {}", moments.show(until)),
                Lang::Zh => format!(",至 {}", moments.show(until)),
            };
        }
        line
    }

    /// Who has the lines, and by which rule.
    fn given(self, given: GivenLines, other: Option<&str>, view: &View) -> String {
        let n = &view.numbers;
        let by = match given.by {
            GivenBy::Reserved => self.pick("which reserved them", "其保留线路"),
            GivenBy::Priority => self.pick("by priority", "按优先级"),
            GivenBy::Weight => self.pick("by weight", "按权重"),
        };
        match self {
            Lang::En => {
                let other =
                    other.map_or("another campaign".to_owned(), |name| format!("the campaign {name}"));
                let comma = if given.by == GivenBy::Reserved { "," } else { "" };
                format!(
                    "the lines are given to {other}{comma} {by} ({} of {} lines in use)",
                    n.lines, n.lines_max
                )
            }
            Lang::Zh => {
                let other = other.map_or("其他活动".to_owned(), |name| format!("活动 {name}"));
                format!("线路{by}分给{other}(已用 {}/{} 路)", n.lines, n.lines_max)
            }
        }
    }

    /// The model's numbers behind the last plan.
    fn planned(self, view: &View) -> String {
        let Some(reason) = view.reason else { return String::new() };
        let (free, answers, left) = (reason.expected_free, reason.expected_answers, reason.budget_left);
        let (risk, most) = (reason.risk * 100.0, reason.risk_max * 100.0);
        let ringing = view.starting + view.ringing;
        let limit = self.limit(reason.limit);
        match self {
            Lang::En => format!(
                "{free:.1} agents expected free, {answers:.1} answers expected from {ringing} ringing; \
                 {risk:.1} % that the next answer finds nobody, {most:.1} % allowed; \
                 budget {left:.1} people left; limited by {limit}"
            ),
            Lang::Zh => format!(
                "预计 {free:.1} 名坐席空闲,{ringing} 路振铃预计 {answers:.1} 人接听;\
                 下一位接听者无人应答的概率 {risk:.1} %,允许 {most:.1} %;\
                 呼损余额 {left:.1} 人;受限于{limit}"
            ),
        }
    }

    /// The limit of a plan, as the end of a sentence.
    pub fn limit(self, limit: Limit) -> &'static str {
        match limit {
            Limit::NoAgents => self.pick("agents: none is there", "坐席:无人在岗"),
            Limit::AgentsBusy => self.pick("agents", "坐席"),
            Limit::Budget => self.pick("the abandon budget", "呼损余额"),
            Limit::CallsPerAgent => self.pick("the cap of calls per agent", "每坐席呼叫上限"),
            Limit::LinesFull => self.pick("lines", "线路"),
            Limit::CallsPerSec => self.pick("calls per second", "每秒呼叫数"),
            Limit::LeadsOut => self.pick("leads", "名单数量"),
            Limit::ModelFailed => {
                self.pick("a model that failed: one call per idle agent", "预测模型故障:按空闲坐席逐一拨号")
            }
            Limit::FeedDoubted => self.pick(
                "doubt: events and floor do not agree, or the line fails",
                "状态存疑:事件与现场不符或线路故障",
            ),
        }
    }

    /// The `Why` with the numbers behind it.
    fn because(self, why: Why, view: &View) -> String {
        let n = &view.numbers;
        let numbers = match (why, self) {
            (Why::ConcurrencyFull, Lang::En) => {
                format!("{} of {} calls at once", n.live, n.concurrency_max.unwrap_or(n.live))
            }
            (Why::ConcurrencyFull, Lang::Zh) => {
                format!("{}/{} 路", n.live, n.concurrency_max.unwrap_or(n.live))
            }
            (Why::TrunksFull | Why::ShareUsed, Lang::En) => {
                format!("{} of {} lines in use", n.lines, n.lines_max)
            }
            (Why::TrunksFull | Why::ShareUsed, Lang::Zh) => format!("已用 {}/{} 路", n.lines, n.lines_max),
            (Why::CallsPerSec, Lang::En) => format!("{:.1} starts a second", n.calls_per_sec),
            (Why::CallsPerSec, Lang::Zh) => format!("每秒 {:.1} 路", n.calls_per_sec),
            (Why::TrunksDown, Lang::En) => format!("{} of {} trunks out of use", n.trunks_down, n.trunks),
            (Why::TrunksDown, Lang::Zh) => format!("{}/{} 条中继不可用", n.trunks_down, n.trunks),
            (Why::HopperEmpty | Why::RetriesLater, Lang::En) => format!("open leads: {}", view.leads_open),
            (Why::HopperEmpty | Why::RetriesLater, Lang::Zh) => format!("未完成名单 {} 条", view.leads_open),
            (Why::HouseholdsBusy, Lang::En) => format!("{} leads at hand, {} calls out", n.hopper, n.live),
            (Why::HouseholdsBusy, Lang::Zh) => format!("待拨 {} 条,在呼 {} 路", n.hopper, n.live),
            (Why::AgentsBusy | Why::LinesOut | Why::CallsPerAgent | Why::FeedDoubted, Lang::En) => {
                format!("{} agents there, {} idle, {} calls out for them", n.agents, n.idle, n.pending)
            }
            (Why::AgentsBusy | Why::LinesOut | Why::CallsPerAgent | Why::FeedDoubted, Lang::Zh) => {
                format!("在岗 {} 人,空闲 {} 人,已拨出 {} 路", n.agents, n.idle, n.pending)
            }
            (Why::PacerFailed, _) => {
                let trouble = match view.trouble {
                    Some(PacerFault::Panicked) => self.pick("it panicked", "程序异常"),
                    Some(PacerFault::TooSlow) => self.pick("its decisions took too long", "决策超时"),
                    None => self.pick("it is tried again", "正在重试"),
                };
                match self {
                    Lang::En => format!("{trouble}; {} idle, {} calls out for them", n.idle, n.pending),
                    Lang::Zh => format!("{trouble};空闲 {} 人,已拨出 {} 路", n.idle, n.pending),
                }
            }
            (Why::AbandonBudget, _) => self.budget(view),
            (Why::CalleesWaiting, Lang::En) => format!("{} wait, {} agents there", view.waiting, n.agents),
            (Why::CalleesWaiting, Lang::Zh) => format!("{} 人等待,在岗坐席 {} 人", view.waiting, n.agents),
            (Why::Draining, Lang::En) => format!("{} calls out", n.live),
            (Why::Draining, Lang::Zh) => format!("在呼 {} 路", n.live),
            (Why::OutsideWindow, _) => view.holiday.map(|it| self.holiday_days(&it)).unwrap_or_default(),
            (
                Why::NoAgents
                | Why::CallerIdsUsed
                | Why::CallerIdsResting
                | Why::StoreStalled
                | Why::Paused
                | Why::Finished,
                _,
            ) => String::new(),
        };
        let words = match why {
            // Nothing is being fetched: every due lead has a live call.
            Why::HopperEmpty if n.live > 0 && !n.more_due => self.pick(
                "every lead that is due is being called; what becomes of them may bring retries",
                "到时的名单均在呼叫中,结果出来后可能重拨",
            ),
            Why::OutsideWindow if view.holiday.is_some() => {
                self.pick("no calls on a holiday", "节假日不拨打")
            }
            other => self.why(other),
        };
        match (numbers.is_empty(), self) {
            (true, _) => words.to_owned(),
            (false, Lang::En) => format!("{words} ({numbers})"),
            (false, Lang::Zh) => format!("{words}({numbers})"),
        }
    }

    /// Abandons by the strictest rule, and how many more it allows.
    fn budget(self, view: &View) -> String {
        let n = &view.numbers;
        let Some(standing) = &view.abandon else { return String::new() };
        let rate = standing.braking();
        let (abandoned, of, rule) = (rate.abandoned, rate.of, self.abandon_rule(rate.rule));
        let (pct, ceiling, left) = (rate.rate * 100.0, standing.ceiling * 100.0, standing.left);
        match self {
            Lang::En => format!(
                "{abandoned:.0} of {of:.0} who answered were abandoned, {pct:.1} % ({rule}), the ceiling is \
                 {ceiling:.1} %: {left} more would be allowed; {} idle, {} calls out",
                n.idle, n.pending
            ),
            Lang::Zh => format!(
                "接听 {of:.0} 人,放弃 {abandoned:.0} 人,占 {pct:.1} %({rule}),上限 {ceiling:.1} %,还可 {left} 人;\
                 空闲 {} 人,已拨出 {} 路",
                n.idle, n.pending
            ),
        }
    }

    /// What a rule counts.
    fn abandon_rule(self, rule: Rule) -> &'static str {
        match rule {
            Rule::UsTsr => self.pick("US TSR, 30 days", "US TSR,30 天"),
            Rule::UkOfcom => self.pick("UK Ofcom, 24 hours", "UK Ofcom,24 小时"),
            Rule::WholeDay => self.pick("today", "当日"),
            Rule::Rolling24h => self.pick("the last 24 hours", "24 小时"),
            Rule::AllCalls => self.pick("of all calls today", "当日全部呼叫"),
            Rule::ReachedQueue => {
                self.pick("of today's calls that waited for an agent", "当日进入队列的呼叫")
            }
        }
    }

    /// Advice; empty = nothing to do, the state passes or is intended.
    pub fn advice(self, why: Why) -> &'static str {
        match why {
            Why::ConcurrencyFull => self.pick(
                "raise “Calls at a time” in the settings if the far end can take more",
                "如对端可承受,请在设置里调高“最大并发”",
            ),
            Why::TrunksFull => self.pick(
                "ask the carrier for more lines and raise the trunk's limit of calls, or name another trunk",
                "向运营商增开线路并调高中继的并发上限,或增加中继",
            ),
            Why::ShareUsed => self.pick(
                "nothing to do if the other campaign is to go first; else change “Priority”, “Weight” or “Reserved lines” in the settings",
                "如应让其他活动先拨,无需处理;否则请在设置里调整“优先级”“权重”或“保留线路”",
            ),
            Why::CallsPerSec => self.pick(
                "if the carrier allows more, raise “Calls per second” of the trunk or of the campaign",
                "如运营商允许,请调高中继或活动的“每秒呼叫数”",
            ),
            Why::TrunksDown => self.pick(
                "look at the trunk: address, password, arrears; the log names its last answer",
                "请检查中继:地址、密码、是否欠费;日志中有其最后的应答",
            ),
            Why::OutsideWindow => self.pick(
                "wait, or change “Calling hours” in the settings if the law and your client allow it",
                "请等待;如法规与委托方允许,可在设置里修改“可拨打时段”",
            ),
            Why::HopperEmpty => self.pick(
                "nothing to do while calls are out; if it stays without any, the store is slow: look at its disk",
                "有呼叫在途时无需处理;若无呼叫仍持续,请检查存储磁盘",
            ),
            Why::HouseholdsBusy => self.pick(
                "it passes when those calls end; `paceline why CAMPAIGN.toml --number …` says what one lead waits for",
                "相关通话结束后恢复;`paceline why CAMPAIGN.toml --number …` 可查看某一号码在等什么",
            ),
            Why::RetriesLater => self.pick(
                "nothing to do; shorter delays in “Called again after” would bring them sooner",
                "无需处理;缩短设置里的“重拨间隔”可提前重拨",
            ),
            Why::NoAgents => self.pick(
                "let agents sign in or end their breaks; `paceline agents` shows who is there",
                "请坐席签入或结束示忙;`paceline agents` 可查看在岗情况",
            ),
            Why::AgentsBusy => self.pick(
                "nothing to do; more agents or a shorter wrap-up would call more",
                "无需处理;增加坐席或缩短话后时间可多拨",
            ),
            Why::LinesOut => self.pick(
                "nothing to do; more idle agents, or mode `predictive`, would call more",
                "无需处理;增加空闲坐席或改用 `predictive` 模式可多拨",
            ),
            Why::AbandonBudget => self.pick(
                "nothing to do: it dials one call per idle agent until the rate allows more",
                "无需处理:在呼损率允许之前按空闲坐席逐一拨号",
            ),
            Why::CalleesWaiting => self.pick(
                "somebody must answer them first: more agents, or fewer breaks now",
                "须先接听等待的客户:请增加坐席或减少示忙",
            ),
            Why::CallsPerAgent => self.pick(
                "hardly anybody answers this list: look at its numbers and at the caller ID",
                "该名单几乎无人接听:请检查号码质量与外显号码",
            ),
            Why::FeedDoubted => self.pick(
                "look at the log and at the trunk; it mends itself when what is reported is true again",
                "请查看日志与中继;上报恢复一致后自动恢复",
            ),
            Why::PacerFailed => self.pick(
                "it is left out and tried again by itself; if it stays, keep the journal and use mode `progressive`",
                "已自动停用并稍后重试;若持续,请保留日志(journal)并改用 `progressive` 模式",
            ),
            Why::CallerIdsUsed => self.pick(
                "add caller IDs, or raise their caps per hour and day",
                "请增加外显号码,或调高其每小时、每日上限",
            ),
            Why::CallerIdsResting => self.pick(
                "the register of numbers lets none of them be shown (resting, not whitelisted, bound to an agent): see the page of caller IDs",
                "号码登记中没有可外显的号码(休息中、未加白或已绑定坐席):请查看外显号码页",
            ),
            Why::StoreStalled => {
                self.pick("free space on the disk of the store; it goes on by itself", "请清理存储磁盘;之后自动继续")
            }
            Why::Paused => self.pick("a manager resumes it", "由管理员恢复"),
            Why::Draining | Why::Finished => "",
        }
    }
}

/// The `Why` of a plan with this limit, where the model's numbers say most about it. Another check may have
/// ended with the same `Why`, or with another one, before the model decided.
fn planned_why(limit: Limit) -> Option<Why> {
    match limit {
        Limit::AgentsBusy => Some(Why::LinesOut),
        Limit::Budget => Some(Why::AbandonBudget),
        Limit::CallsPerAgent => Some(Why::CallsPerAgent),
        Limit::LinesFull => Some(Why::TrunksFull),
        Limit::CallsPerSec => Some(Why::CallsPerSec),
        Limit::FeedDoubted => Some(Why::FeedDoubted),
        Limit::ModelFailed => Some(Why::PacerFailed),
        Limit::NoAgents | Limit::LeadsOut => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::dialer::Numbers;
    use paceline_core::pacing::ledger::{Rate, Rule, RuleSet};
    use paceline_core::pacing::predictive::Reason;
    use paceline_core::time::Utc;
    use std::collections::BTreeSet;

    /// Five of 200 abandoned, by every rule.
    fn abandon_report() -> paceline_core::pacing::ledger::AbandonReport {
        let rate = |rule| Rate { rule, abandoned: 5.0, of: 200.0, rate: 0.025, upper: 0.05 };
        let rates = Rule::ALL.map(rate);
        let strictest = Rule::ALL[0];
        paceline_core::pacing::ledger::AbandonReport {
            rates,
            chosen: RuleSet::default(),
            ceiling: 0.03,
            strictest,
            left: 1,
        }
    }

    fn view(why: Why) -> View {
        View {
            ringing: 8,
            starting: 1,
            waiting: 4,
            leads_open: 77,
            why: Some(why),
            abandon: Some(abandon_report()),
            numbers: Numbers {
                agents: 12,
                idle: 3,
                pending: 9,
                live: 21,
                concurrency_max: Some(22),
                lines: 29,
                lines_max: 30,
                trunks: 2,
                trunks_down: 2,
                calls_per_sec: 5.0,
                hopper: 40,
                ..Numbers::default()
            },
            ..View::default()
        }
    }

    #[test]
    fn every_why_has_a_sentence_with_its_numbers_and_what_to_do() {
        let moments = TimeFormat::utc();
        let numbers: &[(Why, &[&str])] = &[
            (Why::ConcurrencyFull, &["21", "22"]),
            (Why::TrunksFull, &["29", "30"]),
            (Why::CallsPerSec, &["5.0"]),
            (Why::TrunksDown, &["2"]),
            (Why::HopperEmpty, &["77"]),
            (Why::HouseholdsBusy, &["40", "21"]),
            (Why::RetriesLater, &["77"]),
            (Why::AgentsBusy, &["12", "3", "9"]),
            (Why::LinesOut, &["12", "3", "9"]),
            (Why::AbandonBudget, &["5", "200", "2.5 %", "3.0 %"]),
            (Why::CalleesWaiting, &["4", "12"]),
            (Why::CallsPerAgent, &["12", "9"]),
            (Why::FeedDoubted, &["12", "9"]),
            (Why::PacerFailed, &["3", "9"]),
            (Why::Draining, &["21"]),
        ];
        for lang in [Lang::En, Lang::Zh] {
            let mut seen = BTreeSet::new();
            for why in Why::ALL {
                let standing = DialStatus::Open {
                    mode: paceline_core::campaign::Mode::Ratio,
                    view: Box::new(view(*why)),
                };
                let Sentence { says, advice } = lang.dial_status(&standing, &moments);
                for number in numbers.iter().filter(|(it, _)| it == why).flat_map(|(_, numbers)| *numbers) {
                    assert!(says.contains(number), "{why:?}: {number} is not in {says}");
                }
                assert!(seen.insert(says.clone()), "{why:?} has the words of another: {says}");
                let done = matches!(why, Why::Draining | Why::Finished);
                assert_eq!(advice.is_none(), done, "{why:?}: {advice:?}");
                let chinese = says.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
                assert_eq!(chinese, lang == Lang::Zh, "{says}");
            }
        }
    }

    #[test]
    fn a_plans_text_has_the_models_numbers() {
        let reason = Reason {
            limit: Limit::AgentsBusy,
            expected_free: 4.21,
            expected_answers: 3.09,
            risk: 0.011,
            risk_max: 0.02,
            budget_left: 5.6,
        };
        let mut view = View { reason: Some(reason), ..view(Why::LinesOut) };
        view.numbers.placed = 3;
        assert_eq!(
            Lang::En.view(&view, &TimeFormat::utc()),
            "dialling 3 more: 4.2 agents expected free, 3.1 answers expected from 9 ringing; \
             1.1 % that the next answer finds nobody, 2.0 % allowed; budget 5.6 people left; limited by agents"
        );
        assert!(Lang::Zh.view(&view, &TimeFormat::utc()).contains("受限于坐席"));
        // A limit outside the model comes without the model's numbers.
        view.numbers.placed = 0;
        for (why, told) in [(Why::Paused, "paused"), (Why::TrunksFull, "29 of 30 lines in use")] {
            view.why = Some(why);
            let says = Lang::En.view(&view, &TimeFormat::utc());
            assert!(says.contains(told) && !says.contains("expected free"), "{says}");
        }
    }

    #[test]
    fn due_leads_that_are_all_being_called_are_not_being_fetched() {
        let mut view = view(Why::HopperEmpty);
        assert!(
            Lang::En.view(&view, &TimeFormat::utc()).starts_with("every lead that is due is being called")
        );
        view.numbers.more_due = true;
        assert_eq!(Lang::En.view(&view, &TimeFormat::utc()), "fetching leads (open leads: 77)");
    }

    #[test]
    fn every_limit_ends_a_sentence_of_its_own() {
        let limits = [
            Limit::NoAgents,
            Limit::AgentsBusy,
            Limit::Budget,
            Limit::CallsPerAgent,
            Limit::LinesFull,
            Limit::CallsPerSec,
            Limit::LeadsOut,
            Limit::FeedDoubted,
        ];
        for lang in [Lang::En, Lang::Zh] {
            let words: BTreeSet<&str> = limits.iter().map(|limit| lang.limit(*limit)).collect();
            assert_eq!(words.len(), limits.len());
        }
    }

    #[test]
    fn a_closed_campaign_shows_its_open_leads_and_how_to_start_it() {
        let at = Utc::from_millis(1_795_226_400_000);
        let closed = DialStatus::NotOpen {
            leads_open: 5,
            due: 0,
            next_due: Some(at),
            window: WindowState::ClosedUntil(Some(at)),
            holiday: None,
        };
        let moments = TimeFormat::in_zone("Asia/Shanghai");
        let Sentence { says, advice } = Lang::En.dial_status(&closed, &moments);
        assert_eq!(
            says,
            "no service has this campaign open; open leads: 5, due now: 0, the next at 2026-11-21 10:00:00; \
             its calling hours open at 2026-11-21 10:00:00"
        );
        assert!(advice.expect("advice").contains("paceline run"));
        let over = DialStatus::NotOpen {
            leads_open: 0,
            due: 0,
            next_due: None,
            window: WindowState::ClosedUntil(None),
            holiday: None,
        };
        assert!(Lang::Zh.dial_status(&over, &moments).says.contains("已结束"));
    }
}
