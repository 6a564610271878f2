//! The trace of a call from the journal, line by line in words, and for an abandoned call why no agent took it.

use crate::journal::{AgentAtAnswer, AgentState, CallTrace, CallTracer, TraceEvent};
use crate::text::{Lang, TimeFormat};
use paceline_core::call::HangUpCause;
use paceline_core::dialer::input::DialVerdict;
use paceline_core::ids::AgentId;
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::LeadState;
use paceline_core::time::{Duration, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Most busy agents that are listed by number.
const NAMED_MAX: usize = 12;

/// Lines for a terminal; `numbers` = telephone numbers are shown whole.
pub fn call_traces_text(stories: &CallTracer, numbers: bool, lang: Lang) -> String {
    let mut out = String::new();
    for story in &stories.traces {
        let writer = TraceWriter {
            story,
            agents: &stories.agents,
            moments: TimeFormat::in_zone(&story.timezone),
            lang,
        };
        let lead = story.lead.map_or_else(String::new, |lead| format!(", {} {lead}", lang.lead()));
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{} {} {}{lead}, {}",
            lang.pick("call", "呼叫"),
            story.attempt,
            masked_number(story.number, numbers),
            story.lines.first().map_or_else(String::new, |line| writer.moments.show(line.at))
        );
        for (at, line) in writer.lines() {
            let _ = writeln!(out, "  {} {line}", writer.moments.exact(at));
        }
        if let Some(verdict) = writer.verdict() {
            let _ = writeln!(out, "  {verdict}");
        }
    }
    out
}

/// As [`call_traces_text`], as JSON with the lines in both languages.
pub fn call_traces_json(stories: &CallTracer, numbers: bool) -> Value {
    let calls = stories.traces.iter().map(|story| {
        let writer = |lang| TraceWriter {
            story,
            agents: &stories.agents,
            moments: TimeFormat::in_zone(&story.timezone),
            lang,
        };
        let (en, zh) = (writer(Lang::En), writer(Lang::Zh));
        let lines: Vec<Value> = en
            .lines()
            .into_iter()
            .zip(zh.lines())
            .map(|((at, en), (_, zh))| json!({ "at": rfc3339(at), "words": { "en": en, "zh": zh } }))
            .collect();
        let there: Vec<Value> = story
            .agents_at_answer
            .iter()
            .map(|there| {
                json!({
                    "agent": there.number,
                    "state": there.state.word(),
                    "since": rfc3339(there.since),
                    "free_at": there.free_at.map(rfc3339),
                })
            })
            .collect();
        json!({
            "attempt": story.attempt,
            "lead": story.lead,
            "number": masked_number(story.number, numbers),
            "outcome": story.outcome.map(|outcome| outcome.word()),
            "answered_at": story.answered_at.map(rfc3339),
            "connected_at": story.connected.map(|(_, at)| rfc3339(at)),
            "agent": story.connected.and_then(|(agent, _)| stories.agents.get(&agent)),
            "ended_at": story.ended_at.map(rfc3339),
            "abandoned": story.abandoned(),
            "agents_at_answer": there,
            "lines": lines,
            "verdict": { "en": en.verdict(), "zh": zh.verdict() },
            "reason": story.reason().map(|reason| json!({
                "expected_free": reason.expected_free,
                "expected_answers": reason.expected_answers,
                "risk": reason.risk,
            })),
        })
    });
    json!({ "calls": calls.collect::<Vec<_>>() })
}

struct TraceWriter<'a> {
    story: &'a CallTrace,
    agents: &'a BTreeMap<AgentId, String>,
    moments: TimeFormat,
    lang: Lang,
}

impl TraceWriter<'_> {
    /// All lines in the order of time, with a line for each moment a busy agent became free.
    fn lines(&self) -> Vec<(Utc, String)> {
        let mut lines: Vec<(Utc, String)> =
            self.story.lines.iter().map(|line| (line.at, self.line(&line.what))).collect();
        let until = self.story.connected.map(|(_, at)| at).or(self.story.ended_at);
        for there in self.story.agents_at_answer.iter().filter(|there| !there.free) {
            let first = self.story.first_free().is_some_and(|(first, _)| first.agent == there.agent);
            let Some(at) = there.free_at else { continue };
            // Agents who became free while the callee waited, and for an abandoned call the first one
            // afterwards.
            if (until.is_none_or(|until| at <= until) || first && self.story.abandoned())
                && !self.took_the_call(there)
            {
                let place = lines.partition_point(|(earlier, _)| *earlier <= at);
                lines.insert(place, (at, self.free_line(there, at)));
            }
        }
        lines
    }

    /// True if this agent became free by taking this very call.
    fn took_the_call(&self, there: &AgentAtAnswer) -> bool {
        self.story.connected.is_some_and(|(agent, at)| agent == there.agent && there.free_at == Some(at))
    }

    fn free_line(&self, there: &AgentAtAnswer, at: Utc) -> String {
        let after = self.after_answer(at);
        match self.lang {
            Lang::En => format!("agent {} is free, {after} after the answer", there.number),
            Lang::Zh => format!("坐席 {} 空闲,距接听 {after}", there.number),
        }
    }

    fn after_answer(&self, at: Utc) -> String {
        secs(self.story.answered_at.map_or(Duration::ZERO, |answered| at.since(answered)))
    }

    fn name(&self, agent: AgentId) -> String {
        self.agents.get(&agent).cloned().unwrap_or_else(|| format!("#{agent}"))
    }

    fn line(&self, what: &TraceEvent) -> String {
        let lang = self.lang;
        let pick = |en: &str, zh: &str| lang.pick(en, zh).to_owned();
        match what {
            TraceEvent::Decided(view) => {
                let why = lang.view(view, &self.moments);
                format!("{}: {why}", lang.pick("chosen by the decision", "由该决定选中"))
            }
            TraceEvent::StoreVerdict(verdict) => self.dial_verdict(*verdict),
            TraceEvent::Placed => pick("the call is placed", "呼叫发出"),
            TraceEvent::Trying => pick("the trunk is processing it", "中继已受理"),
            TraceEvent::Ringing => pick("the phone rings", "振铃"),
            TraceEvent::Answered(there) => self.answered(there),
            TraceEvent::Announced => pick("the announcement plays", "播放语音"),
            TraceEvent::Pressed(digit) => format!("{} {}", lang.pick("key", "按键"), digit.as_char()),
            TraceEvent::Offered(agent) => match lang {
                Lang::En => format!("the phone of agent {} rings for it", self.name(*agent)),
                Lang::Zh => format!("坐席 {} 的话机振铃", self.name(*agent)),
            },
            TraceEvent::Talking(agent) => {
                let after = self.story.connected.map(|(_, at)| self.after_answer(at)).unwrap_or_default();
                match lang {
                    Lang::En => format!(
                        "agent {} and the callee are connected, {after} after the answer",
                        self.name(*agent)
                    ),
                    Lang::Zh => format!("与坐席 {} 接通,距接听 {after}", self.name(*agent)),
                }
            }
            TraceEvent::Held => pick("the callee is put on hold", "保持"),
            TraceEvent::Retrieved => pick("the callee is taken off hold", "取回"),
            TraceEvent::Sorry => pick("no agent is free: the sorry message plays", "无坐席空闲:播放致歉语"),
            TraceEvent::HungUp(cause) => {
                format!("{}: {}", lang.pick("we hang up", "我方挂机"), self.hang_up_cause(*cause))
            }
            TraceEvent::Ended(ended) => {
                let code = ended.sip_code.map(|code| format!(" (SIP {code})")).unwrap_or_default();
                let cause = ended.cause.escape_debug();
                match lang {
                    Lang::En => format!("the call is over{code}: {cause}; ended by the {}", ended.by),
                    Lang::Zh => format!("通话结束{code}:{cause};结束方 {}", ended.by),
                }
            }
            TraceEvent::Result { outcome, state, reason, next_at } => {
                let mut text =
                    format!("{}: {}", lang.pick("recorded as", "记录为"), lang.outcome_words(*outcome));
                if let Some(state) = state {
                    text += &format!("; {} ", lang.pick("its lead is", "名单状态"));
                    text += &self.lead_state(*state, *next_at);
                }
                if let Some(reason) = reason {
                    text += &format!(" ({})", lang.reason_words(*reason));
                }
                text
            }
            TraceEvent::Disposition { agent, disposition, next_at } => {
                let again = next_at.map_or_else(String::new, |at| {
                    format!(", {} {}", lang.pick("again at", "下次"), self.moments.show(at))
                });
                let disposition = disposition.escape_debug();
                match lang {
                    Lang::En => format!("disposition of agent {}: {disposition}{again}", self.name(*agent)),
                    Lang::Zh => format!("坐席 {} 的结论:{disposition}{again}", self.name(*agent)),
                }
            }
            TraceEvent::CutOff => {
                pick("the service stopped here: the call was cut off", "服务在此中断,通话被切断")
            }
        }
    }

    fn lead_state(&self, state: LeadState, next_at: Option<Utc>) -> String {
        let again = next_at.map(|at| self.moments.show(at));
        match (state, again, self.lang) {
            (LeadState::Open, Some(at), Lang::En) => format!("open, due again at {at}"),
            (LeadState::Open, Some(at), Lang::Zh) => format!("待拨,下次 {at}"),
            (LeadState::FollowUp, Some(at), Lang::En) => format!("booked for {at}"),
            (LeadState::FollowUp, Some(at), Lang::Zh) => format!("已预约 {at}"),
            (state, _, _) => state.word().to_owned(),
        }
    }

    fn dial_verdict(&self, verdict: DialVerdict) -> String {
        let lang = self.lang;
        match verdict {
            DialVerdict::Opened => {
                lang.pick("the store allows the attempt and saves it", "核对通过并已登记").into()
            }
            DialVerdict::Closed(reason) => {
                format!(
                    "{}: {}",
                    lang.pick("not called; the lead is closed", "不拨打并关闭"),
                    lang.reason_words(reason)
                )
            }
            DialVerdict::NotBefore { until, reason } => format!(
                "{} {}: {}",
                lang.pick("not called before", "不早于"),
                self.moments.show(until),
                lang.reason_words(reason)
            ),
            DialVerdict::Gone => {
                lang.pick("not called: the lead was closed meanwhile", "不拨打:名单已关闭").into()
            }
        }
    }

    fn answered(&self, there: &[AgentAtAnswer]) -> String {
        let mut text = self.lang.pick("the callee answers", "接听").to_owned();
        if there.is_empty() {
            return text;
        }
        let free: Vec<&str> = agents_by_free(there, true).map(|it| it.number.as_str()).collect();
        text += &match (free.is_empty(), self.lang) {
            (true, Lang::En) => format!("; of {} agents none is free: ", there.len()),
            (true, Lang::Zh) => format!(";{} 名坐席均不空闲:", there.len()),
            (false, Lang::En) => format!("; free: {}; not free: ", free.join(", ")),
            (false, Lang::Zh) => format!(";空闲:{};不空闲:", free.join(", ")),
        };
        let busy: Vec<String> = agents_by_free(there, false)
            .take(NAMED_MAX)
            .map(|it| format!("{} {}", it.number, self.agent_state(it.state)))
            .collect();
        text += &if busy.is_empty() { "-".to_owned() } else { busy.join(", ") };
        match agents_by_free(there, false).count().saturating_sub(NAMED_MAX) {
            0 => {}
            more => text += &format!(" +{more}"),
        }
        text
    }

    fn agent_state(&self, state: AgentState) -> &'static str {
        let lang = self.lang;
        match state {
            AgentState::SignedOut => lang.pick("signed out", "未签入"),
            AgentState::Paused => lang.pick("paused", "示忙"),
            AgentState::NoPhone => lang.pick("phone away", "话机离线"),
            AgentState::Idle => lang.pick("idle", "空闲"),
            AgentState::Reserved => lang.pick("reserved", "预留"),
            AgentState::Ringing => lang.pick("ringing", "振铃"),
            AgentState::Talking => lang.pick("talking", "通话"),
            AgentState::Held => lang.pick("talking (hold)", "通话保持"),
            AgentState::Consulting => lang.pick("consulting", "咨询"),
            AgentState::WrapUp => lang.pick("wrap-up", "话后"),
        }
    }

    fn hang_up_cause(&self, cause: HangUpCause) -> &'static str {
        let lang = self.lang;
        match cause {
            HangUpCause::RingTimeout => {
                lang.pick("no answer in time, or the line was needed", "振铃超时或让出线路")
            }
            HangUpCause::Finished => lang.pick("it is finished", "已完成"),
            HangUpCause::Stopped => lang.pick("stopped", "被停止"),
            HangUpCause::MediaLost => lang.pick("the media stream was lost", "媒体中断"),
            HangUpCause::NotSaved => lang.pick("the answer could not be saved", "接听未能写入"),
            HangUpCause::AgentHungUp => lang.pick("the agent hung up", "坐席挂机"),
            HangUpCause::AgentFailed => lang.pick("its agent is gone", "坐席离线"),
            HangUpCause::Abandoned => lang.pick("no agent was free", "无坐席空闲"),
            HangUpCause::SetupTimeout => lang.pick("the phone did not ring in time", "未在规定时间内振铃"),
        }
    }

    /// Why the call was abandoned; `None` for a call that was not.
    fn verdict(&self) -> Option<String> {
        let story = self.story;
        let (answered, ended) = (story.answered_at?, story.ended_at?);
        if !story.abandoned() {
            return None;
        }
        let waited = secs(ended.since(answered));
        let patience = secs(story.answer_wait);
        let free = agents_by_free(&story.agents_at_answer, true).count();
        let mut text = match self.lang {
            Lang::En => format!(
                "why: the callee answered and waited {waited}; {free} of {} agents were free at that moment; \
                 the longest wait allowed is {patience}",
                story.agents_at_answer.len()
            ),
            Lang::Zh => format!(
                "原因:接听后等待 {waited};当时 {} 名坐席中 {free} 名空闲;允许等待 {patience}",
                story.agents_at_answer.len()
            ),
        };
        text += &match (story.first_free(), self.lang) {
            (Some((there, at)), Lang::En) => {
                format!(
                    "; the first agent to become free was {}, {} after the answer",
                    there.number,
                    self.after_answer(at)
                )
            }
            (Some((there, at)), Lang::Zh) => {
                format!(";最早空闲的是坐席 {},距接听 {}", there.number, self.after_answer(at))
            }
            (None, Lang::En) => "; no agent became free in the next ten minutes".to_owned(),
            (None, Lang::Zh) => ";其后十分钟内无人空闲".to_owned(),
        };
        if let Some(reason) = story.reason() {
            let (free, answers) = (reason.expected_free, reason.expected_answers);
            let risk = reason.risk * 100.0;
            text += &match self.lang {
                Lang::En => format!(
                    "; when it was placed, {free:.1} agents were expected free for {answers:.1} answers, \
                     and a risk of {risk:.1} % that the next answer finds no free agent was accepted"
                ),
                Lang::Zh => format!(
                    ";拨出时预计 {free:.1} 名坐席空闲、{answers:.1} 人接听,接受的落空概率为 {risk:.1} %"
                ),
            };
        }
        Some(text)
    }
}

/// A national telephone number; its middle is hidden unless `whole`.
pub fn masked_number(number: PhoneNumber, whole: bool) -> String {
    if whole { number.national() } else { crate::text::masked(number) }
}

/// A moment as RFC 3339 with milliseconds.
pub fn rfc3339(at: Utc) -> Value {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok();
    at.map_or(Value::Null, |at| format!("{at:.3}").into())
}

fn agents_by_free(there: &[AgentAtAnswer], free: bool) -> impl Iterator<Item = &AgentAtAnswer> {
    there.iter().filter(move |there| there.free == free)
}

fn secs(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_number_is_masked_unless_it_is_shown_whole() {
        let number = PhoneNumber::from_e164(8_613_800_138_000).expect("a number");
        assert_eq!(masked_number(number, false), "138****8000");
        assert_eq!(masked_number(number, true), "13800138000");
    }
}
