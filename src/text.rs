//! Texts of the terminal, in English and in Simplified Chinese. Logs stay English.

mod call_meaning;
mod caller_id;
mod fault;
mod fault_words;
mod lead;
mod lead_row;
mod line;
mod list_words;
mod masked_text;
mod no_recording;
mod refusal;
mod request_words;
mod response_words;
mod shadow;
mod sound;
mod step_words;
mod task;
mod trunk;
mod vote;
mod why;

pub use call_meaning::CallFacts;
pub use caller_id::{CallerIdFigures, CallerIdVerdict};
pub use fault::{fault_lines_zh, fault_sentence_zh, fault_zh};
pub use lead::AgentNumbers;
pub use lead_row::LeadRowFacts;
#[cfg(test)]
pub(crate) use masked_text::digit;
pub(crate) use masked_text::masked_text;
pub use no_recording::NoRecording;
pub use refusal::refusal_zh;
pub use sound::SoundFacts;
pub use step_words::steps_in_words;
pub use task::TaskWords;
pub use vote::square_metres;
pub use why::Sentence;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use paceline_core::number::PhoneNumber;
use paceline_core::pacing::Why;
use paceline_core::time::Utc;

/// A national telephone number with its middle hidden, as logs, audit rows and screens without the right to whole
/// numbers show it: `138****8000`. A `*` marks a number as masked.
pub fn masked(number: PhoneNumber) -> String {
    let national = number.national();
    let length = national.chars().count();
    let (front, back) = if length >= 9 { (3, 4) } else { (0, 2) };
    let hidden = |(place, letter): (usize, char)| {
        if place < front || place + back >= length { letter } else { '*' }
    };
    national.chars().enumerate().map(hidden).collect()
}

/// Formats times in one time zone.
#[derive(Clone, Debug)]
pub struct TimeFormat {
    zone: TimeZone,
}

impl TimeFormat {
    /// By IANA name; an unknown zone is UTC.
    pub fn in_zone(timezone: &str) -> TimeFormat {
        TimeFormat { zone: TimeZoneDatabase::bundled().get(timezone).unwrap_or(TimeZone::UTC) }
    }

    pub fn utc() -> TimeFormat {
        TimeFormat { zone: TimeZone::UTC }
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// `2026-11-21 10:00:00`
    pub fn show(&self, at: Utc) -> String {
        self.written(at, "%Y-%m-%d %H:%M:%S")
    }

    /// `10:00:00.250`
    pub fn exact(&self, at: Utc) -> String {
        self.written(at, "%H:%M:%S%.3f")
    }

    /// Formats with jiff's `strftime`.
    pub fn written(&self, at: Utc, form: &str) -> String {
        match jiff::Timestamp::from_millisecond(at.as_millis()) {
            Ok(at) => at.to_zoned(self.zone.clone()).strftime(form).to_string(),
            Err(_) => "?".to_owned(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    En,
    Zh,
}

/// `12345` as `12,345`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

impl Lang {
    /// From `LC_ALL`, `LC_MESSAGES` or `LANG`, the first that is set.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Lang {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| var(name).filter(|v| !v.is_empty()));
        if set.is_some_and(|value| value.starts_with("zh")) { Lang::Zh } else { Lang::En }
    }

    pub fn of_process() -> Lang {
        Lang::from_env(|name| std::env::var(name).ok())
    }

    /// The text of this language.
    pub fn pick<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// The answer to "why is it not dialling more?".
    pub fn why(self, why: Why) -> &'static str {
        match why {
            Why::ConcurrencyFull => self.pick("the campaign's concurrency is used up", "已达活动并发上限"),
            Why::TrunksFull => self.pick("every trunk is full", "中继线路已满"),
            Why::ShareUsed => self.pick("the lines are given to other campaigns", "线路分给了其他活动"),
            Why::CallsPerSec => self.pick("the rate of calls allows no more", "已达每秒呼叫上限"),
            Why::TrunksDown => self.pick("no trunk is in use: none answers, or all rest", "没有可用的中继"),
            Why::OutsideWindow => self.pick("outside the calling hours", "不在允许的拨打时段"),
            Why::HopperEmpty => self.pick("fetching leads", "正在取号"),
            Why::HouseholdsBusy => {
                self.pick("the next leads wait for calls to their own households", "等待同户通话结束")
            }
            Why::RetriesLater => self.pick("only retries are left, due later", "仅剩稍后重拨的号码"),
            Why::NoAgents => self.pick("no agent is signed in and available", "没有已签入的空闲坐席"),
            Why::AgentsBusy => self.pick("every agent is busy", "坐席全忙"),
            Why::LinesOut => self.pick("enough calls are out for the idle agents", "已按空闲坐席数拨出"),
            Why::AbandonBudget => self.pick("more lines would risk the abandon rate", "再拨将超过呼损率上限"),
            Why::CalleesWaiting => self.pick("callees wait for an agent", "有客户在等待坐席"),
            Why::CallsPerAgent => {
                self.pick("as many calls per agent are out as may be", "已达每坐席呼叫上限")
            }
            Why::FeedDoubted => self.pick(
                "events and floor do not agree: one call per idle agent",
                "状态不一致,按空闲坐席逐一拨号",
            ),
            Why::PacerFailed => {
                self.pick("the pacer failed: one call per idle agent", "预测模块故障,按空闲坐席逐一拨号")
            }
            Why::CallerIdsUsed => self.pick("every caller ID is at its cap", "外显号码均已达上限"),
            Why::CallerIdsResting => self.pick("no caller ID may be shown now", "目前没有可用的外显号码"),
            Why::StoreStalled => self.pick("nothing can be written to disk", "磁盘无法写入,已停止拨号"),
            Why::Paused => self.pick("paused", "已暂停"),
            Why::Draining => self.pick("stopping: calls may end", "正在停止,等待通话结束"),
            Why::Finished => self.pick("finished", "已完成"),
        }
    }

    pub fn leads(self) -> &'static str {
        self.pick("leads", "名单")
    }

    pub fn lead(self) -> &'static str {
        self.pick("lead", "名单")
    }

    pub fn row(self) -> &'static str {
        self.pick("row", "行")
    }

    pub fn ringing(self) -> &'static str {
        self.pick("ringing", "振铃")
    }

    pub fn up(self) -> &'static str {
        self.pick("up", "通话")
    }

    pub fn answer_rate(self) -> &'static str {
        self.pick("answered", "接通率")
    }

    pub fn per_sec(self) -> &'static str {
        self.pick("calls/s", "次/秒")
    }

    pub fn left(self) -> &'static str {
        self.pick("left", "剩余")
    }

    pub fn outcome(self) -> &'static str {
        self.pick("outcome", "结果")
    }

    pub fn result(self) -> &'static str {
        self.pick("key result", "按键结果")
    }

    pub fn calls(self) -> &'static str {
        self.pick("calls", "呼叫数")
    }

    pub fn share(self) -> &'static str {
        self.pick("share", "占比")
    }

    pub fn state(self) -> &'static str {
        self.pick("lead state", "名单状态")
    }

    /// A trunk reported no key although callees heard the whole announcement.
    pub fn no_keys(self, trunk: &str) -> String {
        match self {
            Lang::En => format!(
                "warning: trunk {trunk} tells no keys: press one on a test call, and ask the carrier for RFC 4733"
            ),
            Lang::Zh => {
                format!("警告: 中继 {trunk} 收不到按键: 请拨一个测试电话按键, 并请运营商开启 RFC 4733")
            }
        }
    }

    pub fn results_in(self) -> &'static str {
        self.pick("Results:", "结果文件:")
    }

    /// An agent's state in one word, from availability and activity.
    pub fn seat(self, availability: &str, activity: &str) -> &'static str {
        match (availability, activity) {
            (_, "reserved") => self.pick("reserved", "预留"),
            (_, "ringing") => self.pick("ringing", "振铃"),
            (_, "talking") => self.pick("talking", "通话"),
            (_, "consulting") => self.pick("consulting", "咨询"),
            (_, "wrap_up") => self.pick("wrap-up", "话后"),
            ("available", _) => self.pick("idle", "空闲"),
            ("paused", _) => self.pick("paused", "示忙"),
            _ => self.pick("signed out", "未签入"),
        }
    }

    pub fn yes_no(self, yes: bool) -> &'static str {
        if yes { self.pick("yes", "是") } else { self.pick("no", "否") }
    }

    pub fn number(self) -> &'static str {
        self.pick("number", "工号")
    }

    pub fn login(self) -> &'static str {
        self.pick("login", "登录名")
    }

    pub fn name(self) -> &'static str {
        self.pick("name", "姓名")
    }

    pub fn role(self) -> &'static str {
        self.pick("role", "角色")
    }

    pub fn groups(self) -> &'static str {
        self.pick("groups", "班组")
    }

    pub fn members(self) -> &'static str {
        self.pick("members", "成员")
    }

    pub fn telephone(self) -> &'static str {
        self.pick("telephone", "电话")
    }

    pub fn seats(self) -> &'static str {
        self.pick("seats", "坐席数")
    }

    pub fn console_password(self) -> &'static str {
        self.pick("console password (shown once)", "控制台密码(仅显示一次)")
    }

    pub fn token_once(self) -> &'static str {
        self.pick("bearer token (shown once):", "访问令牌(仅显示一次):")
    }

    pub fn expires(self) -> &'static str {
        self.pick("expires", "有效期至")
    }

    pub fn sheet(self) -> &'static str {
        self.pick("SIP phone (shown once):", "SIP 话机(仅显示一次):")
    }

    pub fn agent(self) -> &'static str {
        self.pick("agent", "坐席")
    }

    pub fn doing(self) -> &'static str {
        self.pick("state", "状态")
    }

    pub fn since(self) -> &'static str {
        self.pick("since", "时长")
    }

    pub fn phone(self) -> &'static str {
        self.pick("phone", "话机")
    }

    pub fn callee(self) -> &'static str {
        self.pick("callee", "客户号码")
    }

    pub fn answered_calls(self) -> &'static str {
        self.pick("answered", "接听")
    }

    pub fn talked(self) -> &'static str {
        self.pick("talk", "通话时长")
    }

    pub fn campaign(self) -> &'static str {
        self.pick("campaign", "活动")
    }

    pub fn reason(self) -> &'static str {
        self.pick("why", "原因")
    }

    pub fn waiting(self) -> &'static str {
        self.pick("waiting", "等待")
    }

    pub fn talking(self) -> &'static str {
        self.pick("talking", "通话")
    }

    pub fn abandoned(self) -> &'static str {
        self.pick("abandoned", "放弃率")
    }

    /// "2.1 % abandoned (whole_day), 3 more allowed". The rate is 0 to 1.
    pub fn abandon_rate(self, rate: f64, rule: &str, left: u64) -> String {
        let pct = rate * 100.0;
        match self {
            Lang::En => format!("{pct:.1} % abandoned ({rule}), {left} more allowed"),
            Lang::Zh => format!("呼损率 {pct:.1} %({rule}),还可 {left} 个"),
        }
    }

    pub fn placed(self) -> &'static str {
        self.pick("placed", "已拨")
    }

    pub fn reconciles(self, yes: bool) -> &'static str {
        if yes {
            self.pick("every row reconciles", "全部行数核对一致")
        } else {
            self.pick("THE COUNTS DO NOT RECONCILE; see summary.json", "计数不一致,请查看 summary.json")
        }
    }
}
