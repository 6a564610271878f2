//! What one step of a call means, for people who do not read signalling: a SIP message, or a note of the program.

use super::Lang;

impl Lang {
    /// The meaning of a step's text; `None` = it is not known here, and the text stands alone.
    pub fn step_words(self, text: &str) -> Option<String> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        // A response to another request than INVITE ends with its method: `200 OK (BYE)`.
        let method = rest.rsplit_once('(').and_then(|(_, method)| method.strip_suffix(')'));
        let words = match (word, rest) {
            ("INVITE", _) => self.pick("the call leaves", "发起呼叫"),
            ("ACK", _) => self.pick("confirmed", "确认"),
            ("BYE", _) => self.pick("hung up", "挂断"),
            ("CANCEL", _) => self.pick("the call is taken back", "取消呼叫"),
            ("key", keys) => {
                let key = keys.split(' ').next().unwrap_or_default();
                return Some(match self {
                    Lang::En => format!("the callee pressed {key}"),
                    Lang::Zh => format!("对方按了 {key}"),
                });
            }
            ("play", "announcement") => self.pick("the announcement begins", "开始播放语音"),
            ("play", "hold_music") => self.pick("music begins", "开始播放音乐"),
            ("play", "ring_back") => self.pick("a ringing tone begins", "开始播放回铃音"),
            ("play", "abandon_message") => {
                self.pick("the message for abandoned callees begins", "开始播放致歉语音")
            }
            ("play", _) => self.pick("a prompt begins", "开始播放提示音"),
            ("play_ended", _) => self.pick("the audio has ended", "语音播放完"),
            ("play_held", _) => self.pick("the callee holds: the audio waits", "对方保持通话,语音暂停"),
            ("play_resumed", _) => self.pick("the audio goes on", "语音继续播放"),
            ("stop_playing", _) => self.pick("the audio is stopped", "停止播放"),
            ("audio_begins", _) => self.pick("audio from the callee begins", "收到对方声音"),
            ("audio_stopped", _) => self.pick("audio from the callee has stopped", "对方声音中断"),
            ("audio_resumed", _) => self.pick("audio from the callee goes on", "对方声音恢复"),
            ("audio", _) => self.pick("the audio as it was measured", "声音的测量结果"),
            ("join", _) => self.pick("connected with the conversation", "接入通话"),
            ("join_muted", _) => self.pick("listens to the conversation", "旁听通话"),
            ("join_whisper", _) => self.pick("whispers into the conversation", "耳语接入"),
            ("leave", _) => self.pick("left the conversation", "离开通话"),
            ("send_digits", _) => self.pick("keys are sent", "发送按键"),
            ("record", _) => self.pick("the recording begins", "开始录音"),
            ("stop_recording", _) => self.pick("the recording ends", "结束录音"),
            ("not_registered", _) => self.pick("the trunk is not registered", "线路未注册"),
            ("account_refused", _) => self.pick("the carrier refuses the account", "运营商拒绝该账号"),
            ("silent_to_options", _) => self.pick("the trunk does not answer", "线路没有应答"),
            ("hang_up", cause) => return Some(self.hang_up_words(cause)),
            (code, _) => return self.response_words(code, method).map(str::to_owned),
        };
        Some(words.to_owned())
    }

    fn response_words(self, code: &str, method: Option<&str>) -> Option<&'static str> {
        Some(match (code, method) {
            ("200", Some(_)) => self.pick("confirmed", "已确认"),
            ("200", None) => self.pick("answered", "接通"),
            (_, Some(_)) => return None,
            ("100", _) => self.pick("the carrier has it", "运营商已收到"),
            ("180", _) => self.pick("ringing", "振铃"),
            ("181" | "182", _) => self.pick("queued or forwarded", "排队或转接中"),
            ("183", _) => self.pick("the carrier plays something before the answer", "接通前的运营商语音"),
            ("401" | "407", _) => self.pick("asks for the password", "要求认证"),
            ("403", _) => self.pick("not allowed", "不允许呼叫"),
            ("404" | "410" | "484" | "604", _) => self.pick("no such number", "号码不存在"),
            ("408", _) => self.pick("no answer in time", "超时无应答"),
            ("480", _) => self.pick("cannot be reached now", "暂时无法接通"),
            ("486" | "600", _) => self.pick("busy", "占线"),
            ("487", _) => self.pick("taken back", "已取消"),
            ("488" | "606", _) => self.pick("no codec in common", "没有共同的语音编码"),
            ("503", _) => self.pick("no room or no route", "线路无容量或无路由"),
            ("603", _) => self.pick("declined", "拒接"),
            _ => return None,
        })
    }

    fn hang_up_words(self, cause: &str) -> String {
        let why = match cause {
            "ring_timeout" => self.pick("no answer in time", "超时无人接听"),
            "setup_timeout" => self.pick("the phone did not ring in time", "未在规定时间内振铃"),
            "finished" => self.pick("it is finished", "已完成"),
            "stopped" => self.pick("it was stopped", "被停止"),
            "agent" => self.pick("the agent hung up", "坐席挂机"),
            "agent_failed" => self.pick("the agent was not reached", "坐席未接通"),
            "abandoned" => self.pick("no agent was free", "无坐席空闲"),
            "media_lost" => self.pick("the audio was lost", "声音中断"),
            "not_saved" => self.pick("the answer could not be saved", "接听未能写入"),
            other => other,
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

    #[test]
    fn steps_and_causes_are_said_in_both_languages() {
        for (text, en, zh) in [
            ("INVITE sip:13800138000@192.0.2.1", Some("the call leaves"), Some("发起呼叫")),
            ("180 Ringing", Some("ringing"), Some("振铃")),
            ("200 OK", Some("answered"), Some("接通")),
            ("200 OK (BYE)", Some("confirmed"), Some("已确认")),
            ("key 1 rtp", Some("the callee pressed 1"), Some("对方按了 1")),
            ("hang_up abandoned", Some("we hang up: no agent was free"), Some("我方挂机:无坐席空闲")),
            ("something new", None, None),
        ] {
            assert_eq!(Lang::En.step_words(text).as_deref(), en, "{text}");
            assert_eq!(Lang::Zh.step_words(text).as_deref(), zh, "{text}");
        }
        assert_eq!(Lang::Zh.call_cause("no agent was free; Q.850;cause=16"), "无坐席空闲;Q.850;cause=16");
        assert_eq!(Lang::Zh.call_cause("Busy Here"), "Busy Here");
        assert_eq!(Lang::En.call_cause("no agent was free"), "no agent was free");
    }
}
