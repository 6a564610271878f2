//! What one step of a call means, for people who do not read signalling: a SIP message, or a note of the program.

use super::Lang;
use paceline_core::call::HangUpCause;
use paceline_core::call_note::{NoteKind, Played};
use paceline_core::call_steps::{Direction, Step};
use paceline_core::outcome::Outcome;

/// The meaning of each step; `None` = it is not known here, and the step's text stands alone. `ended` = the final
/// response of an ended call and what the call came to.
pub fn steps_in_words(lang: Lang, steps: &[Step], ended: Option<(u16, Outcome)>) -> Vec<Option<String>> {
    let words = |(place, step): (usize, &Step)| match step.dir {
        Direction::Gap => Some(lang.gap_words(&step.text)),
        Direction::Note => lang.note_words(step, &steps[..place]),
        Direction::Out | Direction::In => lang.message_words(&step.text, ended),
    };
    steps.iter().enumerate().map(words).collect()
}

impl Lang {
    fn message_words(self, text: &str, ended: Option<(u16, Outcome)>) -> Option<String> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        // A response to another request than INVITE ends with its method: `200 OK (BYE)`.
        let method = rest.rsplit_once('(').and_then(|(_, method)| method.strip_suffix(')'));
        if let Ok(code) = word.parse::<u16>() {
            return match method {
                Some(_) if (200..300).contains(&code) => Some(self.pick("confirmed", "已确认").to_owned()),
                Some(_) => None,
                None => Some(self.invite_response(code, ended)),
            };
        }
        let words = match word {
            "INVITE" => self.pick("the call leaves", "发起呼叫"),
            "ACK" => self.pick("confirmed", "确认"),
            "BYE" => self.pick("hung up", "挂断"),
            "CANCEL" => self.pick("the call is taken back", "取消呼叫"),
            "UPDATE" => self.pick("the call is changed or kept up", "更新或保持通话"),
            "INFO" => self.pick("a message in the call", "通话中的消息"),
            "OPTIONS" => self.pick("asks whether the other side is there", "询问对方是否在线"),
            "PRACK" => self.pick("confirms the ringing", "确认振铃消息"),
            _ => return None,
        };
        Some(words.to_owned())
    }

    fn invite_response(self, code: u16, ended: Option<(u16, Outcome)>) -> String {
        let words = match code {
            100 => self.pick("the carrier has it", "运营商已收到"),
            180 => self.pick("ringing", "振铃"),
            181 | 182 => self.pick("queued or forwarded", "排队或转接中"),
            183 => self.pick("the carrier plays something before the answer", "接通前的运营商语音"),
            101..=199 => self.pick("under way", "进行中"),
            200..=299 => self.pick("answered", "接通"),
            // The response to our own CANCEL, and the challenge that our password answers, end nothing by themselves.
            487 if ended.is_none_or(|(_, outcome)| outcome != Outcome::NoAnswer) => {
                self.outcome_words(Outcome::Cancelled)
            }
            401 | 407 if ended.is_none_or(|(last, _)| last != code) => {
                self.pick("asks for the account's password", "要求账号认证")
            }
            _ => {
                let outcome = ended.filter(|(last, _)| *last == code).map(|(_, outcome)| outcome);
                return self.response_words(code, outcome);
            }
        };
        words.to_owned()
    }

    fn note_words(self, step: &Step, before: &[Step]) -> Option<String> {
        let (kind, rest) = NoteKind::parse(&step.text)?;
        let words = match kind {
            NoteKind::Key => return Some(self.key_words(rest)),
            NoteKind::Play => self.play_words(rest),
            NoteKind::PlayEnded => self.pick("the audio has ended", "语音播放完"),
            NoteKind::PlayHeld => self.pick("the callee holds: the audio waits", "对方保持通话,语音暂停"),
            NoteKind::PlayResumed => self.pick("the audio goes on", "语音继续播放"),
            NoteKind::StopPlaying => self.pick("the audio is stopped", "停止播放"),
            NoteKind::AudioBegins => self.pick("audio from the callee begins", "收到对方声音"),
            NoteKind::AudioStopped if rest == "rtcp" => self.pick(
                "audio from the callee has stopped, its phone is still there",
                "对方声音中断,但对方话机仍在线",
            ),
            NoteKind::AudioStopped => self.pick("audio from the callee has stopped", "对方声音中断"),
            NoteKind::AudioResumed => self.pick("audio from the callee goes on", "对方声音恢复"),
            NoteKind::Audio => return Some(self.audio_words(rest)),
            NoteKind::Join => self.pick("connected with the conversation", "接入通话"),
            NoteKind::JoinMuted => self.pick("listens to the conversation", "旁听通话"),
            NoteKind::JoinWhisper => self.pick("whispers into the conversation", "耳语接入"),
            NoteKind::Leave => self.pick("left the conversation", "离开通话"),
            NoteKind::SendDigits => self.pick("keys are sent", "发送按键"),
            NoteKind::Record => self.pick("the recording begins", "开始录音"),
            NoteKind::StopRecording => self.pick("the recording ends", "结束录音"),
            NoteKind::AnswerSaved => return Some(self.saved_words(step, before)),
            NoteKind::NotRegistered => {
                return Some(self.with_rest(self.pick("the trunk is not registered", "线路未注册"), rest));
            }
            NoteKind::AccountRefused => {
                let words = self.pick("the carrier refuses the account", "运营商拒绝该账号");
                return Some(self.with_rest(words, rest));
            }
            NoteKind::SilentToOptions => self.pick("the trunk does not answer", "线路没有应答"),
            NoteKind::HangUp => return Some(self.hang_up_words(rest)),
        };
        Some(words.to_owned())
    }

    fn with_rest(self, words: &str, rest: &str) -> String {
        match (rest, self) {
            ("", _) => words.to_owned(),
            ("no answer", Lang::Zh) => format!("{words}(没有应答)"),
            (rest, Lang::En) => format!("{words} ({rest})"),
            (rest, Lang::Zh) => format!("{words}({rest})"),
        }
    }

    fn gap_words(self, text: &str) -> String {
        let left_out = text.split(' ').next().unwrap_or_default();
        match self {
            Lang::En => format!("{left_out} steps are left out"),
            Lang::Zh => format!("省略 {left_out} 步"),
        }
    }

    fn key_words(self, rest: &str) -> String {
        let (key, way) = rest.split_once(' ').unwrap_or((rest, ""));
        let way = match way {
            "info" => self.pick(" (by SIP INFO)", "(经 SIP INFO)"),
            "tone" => self.pick(" (as a tone)", "(音频音)"),
            _ => "",
        };
        match self {
            Lang::En => format!("the callee pressed {key}{way}"),
            Lang::Zh => format!("对方按了 {key}{way}"),
        }
    }

    fn play_words(self, what: &str) -> &'static str {
        match Played::from_word(what) {
            Some(Played::Announcement) => self.pick("the announcement begins", "开始播放语音"),
            Some(Played::HoldMusic) => self.pick("music begins", "开始播放音乐"),
            Some(Played::RingBack) => self.pick("a ringing tone begins", "开始播放回铃音"),
            Some(Played::AbandonMessage) => {
                self.pick("the message for abandoned callees begins", "开始播放致歉语音")
            }
            Some(Played::Prompt) | None => self.pick("a prompt begins", "开始播放提示音"),
        }
    }

    /// The answer stands in the store before it is confirmed: how long that took.
    fn saved_words(self, step: &Step, before: &[Step]) -> String {
        let is_answer = |it: &&Step| {
            it.dir == Direction::In && it.text.starts_with('2') && !it.text.ends_with(')') && !it.again
        };
        let after = before.iter().rev().find(is_answer).map(|answer| step.at_ms.saturating_sub(answer.at_ms));
        match (after, self) {
            (Some(ms), Lang::En) => format!("answer saved +{ms} ms → ACK"),
            (Some(ms), Lang::Zh) => format!("应答已写盘 +{ms} ms → ACK"),
            (None, Lang::En) => "answer saved → ACK".to_owned(),
            (None, Lang::Zh) => "应答已写盘 → ACK".to_owned(),
        }
    }

    /// `sent=152 sent_db=-13 received=150 received_db=-24 lost=0`
    fn audio_words(self, figures: &str) -> String {
        let figure = |name: &str| {
            let mut pairs = figures.split(' ').filter_map(|pair| pair.split_once('='));
            pairs.find(|(it, _)| *it == name).map(|(_, value)| value)
        };
        let side = |packets: &str, level: &str| {
            let packets = figure(packets).unwrap_or("0");
            let level = figure(level).map(|db| match self {
                Lang::En => format!(" ({db} dB)"),
                Lang::Zh => format!("({db} dB)"),
            });
            format!("{packets}{}", level.unwrap_or_default())
        };
        let (sent, received) = (side("sent", "sent_db"), side("received", "received_db"));
        let lost = figure("lost").unwrap_or("0");
        match self {
            Lang::En => format!("audio measured: {sent} packets sent, {received} received, {lost} lost"),
            Lang::Zh => format!("声音测量:发出 {sent} 包,收到 {received} 包,丢失 {lost} 包"),
        }
    }

    fn hang_up_words(self, cause: &str) -> String {
        let why = match HangUpCause::from_word(cause) {
            Some(HangUpCause::RingTimeout) => self.pick("no answer in time", "超时无人接听"),
            Some(HangUpCause::SetupTimeout) => {
                self.pick("the phone did not ring in time", "未在规定时间内振铃")
            }
            Some(HangUpCause::Finished) => self.pick("it is finished", "已完成"),
            Some(HangUpCause::Stopped) => self.pick("it was stopped", "被停止"),
            Some(HangUpCause::AgentHungUp) => self.pick("the agent hung up", "坐席挂机"),
            Some(HangUpCause::AgentFailed) => self.pick("the agent was not reached", "坐席未接通"),
            Some(HangUpCause::Abandoned) => self.pick("no agent was free", "无坐席空闲"),
            Some(HangUpCause::MediaLost) => self.pick("the audio was lost", "声音中断"),
            Some(HangUpCause::NotSaved) => self.pick("the answer could not be saved", "接听未能写入"),
            None => cause,
        };
        match self {
            Lang::En => format!("we hang up: {why}"),
            Lang::Zh => format!("我方挂机:{why}"),
        }
    }

    /// The cause of a call's end, as the program words it; the carrier's own words stay.
    pub fn call_cause(self, cause: &str) -> String {
        let (ours, rest) = cause.split_once("; ").map_or((cause, ""), |(ours, rest)| (ours, rest));
        let known = match ours {
            "nobody answered in time" => "超时无人接听",
            "finished" => "已完成",
            "stopped" => "被停止",
            "the agent hung up" => "坐席挂机",
            "the agent was not reached" => "坐席未接通",
            "no agent was free" => "无坐席空闲",
            "media lost" => "声音中断",
            "the answer could not be saved" => "接听未能写入",
            "the phone did not ring in time" => "未在规定时间内振铃",
            _ => return cause.to_owned(),
        };
        match (self, rest) {
            (Lang::En, _) => cause.to_owned(),
            (Lang::Zh, "") => known.to_owned(),
            (Lang::Zh, rest) => format!("{known};{rest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(at_ms: u32, dir: Direction, text: &str) -> Step {
        Step { at_ms, dir, text: text.to_owned(), again: false, peer: None }
    }

    fn words(lang: Lang, dir: Direction, text: &str) -> Option<String> {
        steps_in_words(lang, &[step(0, dir, text)], None).remove(0)
    }

    #[test]
    fn steps_and_causes_are_said_in_both_languages() {
        use Direction::{Gap, In, Note, Out};
        for (dir, text, en, zh) in [
            (Out, "INVITE sip:13800138000@192.0.2.1", Some("the call leaves"), Some("发起呼叫")),
            (In, "180 Ringing", Some("ringing"), Some("振铃")),
            (In, "200 OK", Some("answered"), Some("接通")),
            (In, "200 OK (BYE)", Some("confirmed"), Some("已确认")),
            (Note, "key 1 rtp", Some("the callee pressed 1"), Some("对方按了 1")),
            (Note, "hang_up abandoned", Some("we hang up: no agent was free"), Some("我方挂机:无坐席空闲")),
            (
                Note,
                "audio sent=9 sent_db=-13 received=8 lost=1",
                Some("audio measured: 9 (-13 dB) packets sent, 8 received, 1 lost"),
                Some("声音测量:发出 9(-13 dB) 包,收到 8 包,丢失 1 包"),
            ),
            (Gap, "12 left out", Some("12 steps are left out"), Some("省略 12 步")),
            (Note, "something new", None, None),
        ] {
            assert_eq!(words(Lang::En, dir, text).as_deref(), en, "{text}");
            assert_eq!(words(Lang::Zh, dir, text).as_deref(), zh, "{text}");
        }
        assert_eq!(Lang::Zh.call_cause("no agent was free; Q.850;cause=16"), "无坐席空闲;Q.850;cause=16");
        assert_eq!(Lang::Zh.call_cause("Busy Here"), "Busy Here");
        assert_eq!(Lang::En.call_cause("no agent was free"), "no agent was free");
    }

    /// No note shows its raw word: every kind, cause and sound has words of its own in each language.
    #[test]
    fn every_kind_of_note_has_words_in_both_languages() {
        let causes = HangUpCause::ALL.iter().map(|it| NoteKind::HangUp.text(it.word()));
        let sounds = Played::ALL.iter().map(|it| NoteKind::Play.text(it.word()));
        let kinds = NoteKind::ALL.iter().map(|it| it.text(""));
        for text in kinds.chain(causes).chain(sounds) {
            let [en, zh] = [Lang::En, Lang::Zh].map(|lang| words(lang, Direction::Note, &text));
            let (en, zh) = (en.expect("words"), zh.expect("words"));
            let kind = text.split(' ').next().unwrap_or_default();
            let raw =
                text.split(' ').any(|word| word.contains('_') && (en.contains(word) || zh.contains(word)));
            assert!(!raw && !zh.is_ascii() && en.is_ascii() | en.contains('→'), "{kind}: {en} / {zh}");
        }
    }

    #[test]
    fn the_saving_of_an_answer_is_counted_from_the_answer() {
        let steps = [
            step(0, Direction::Out, "INVITE sip:1@h"),
            step(9_802, Direction::In, "200 OK"),
            step(9_806, Direction::Note, "answer_saved"),
        ];
        let said = steps_in_words(Lang::Zh, &steps, None).remove(2);
        assert_eq!(said.as_deref(), Some("应答已写盘 +4 ms → ACK"));
    }
}
