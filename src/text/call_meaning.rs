//! What a call's trace means, in words with what to do: for test calls over a trunk and for any call's record.

use super::{Lang, Sentence};
use paceline_core::call_steps::{Direction, Step};
use paceline_core::outcome::Outcome;

/// Audio below this level is silence: comfort noise of a line is louder.
const SILENCE_DBOV: i32 = -65;

/// An ended call.
#[derive(Clone, Copy, Debug)]
pub struct CallFacts<'a> {
    /// The trunk's name.
    pub trunk: &'a str,
    pub outcome: Outcome,
    /// The final response.
    pub sip_code: Option<u16>,
    /// As the far side or the program words it.
    pub cause: &'a str,
    pub answered: bool,
    pub steps: &'a [Step],
}

/// The measured audio of a test call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Audio {
    /// Packets.
    sent: u64,
    received: u64,
    /// dBov, 0 to -127.
    sent_db: Option<i32>,
    received_db: Option<i32>,
}

impl CallFacts<'_> {
    fn first(&self, dir: Direction, fits: impl Fn(&str) -> bool) -> Option<&Step> {
        self.steps.iter().find(|step| step.dir == dir && fits(&step.text))
    }

    fn note(&self, word: &str) -> Option<&str> {
        let note = self.first(Direction::Note, |text| text.split(' ').next() == Some(word))?;
        Some(note.text[word.len()..].trim_start())
    }

    /// Seconds from the INVITE to the first response with this start.
    fn secs_to(&self, start: &str) -> Option<f64> {
        // Only responses to the INVITE end without a method in brackets.
        let fits = |text: &str| text.starts_with(start) && !text.ends_with(')');
        self.first(Direction::In, fits).map(|step| f64::from(step.at_ms) / 1_000.0)
    }

    /// Whether an INVITE followed the first challenge: our credentials were sent.
    pub(super) fn sent_credentials(&self) -> bool {
        let is_challenge = |step: &Step| {
            step.dir == Direction::In && (step.text.starts_with("401") || step.text.starts_with("407"))
        };
        let after = self.steps.iter().skip_while(|step| !is_challenge(step));
        after
            .into_iter()
            .any(|step| step.dir == Direction::Out && step.text.starts_with("INVITE ") && !step.again)
    }

    fn audio(&self) -> Option<Audio> {
        let mut audio = Audio::default();
        for (name, value) in self.note("audio")?.split(' ').filter_map(|pair| pair.split_once('=')) {
            match name {
                "sent" => audio.sent = value.parse().ok()?,
                "received" => audio.received = value.parse().ok()?,
                "sent_db" => audio.sent_db = value.parse().ok(),
                "received_db" => audio.received_db = value.parse().ok(),
                _ => {}
            }
        }
        Some(audio)
    }
}

impl Lang {
    /// What came of a call and what can be done about it.
    pub fn call_meaning(self, call: &CallFacts<'_>) -> Sentence {
        if call.answered {
            return self.answered_call(call);
        }
        let registration = self.registration_trouble(call);
        let sentence = match call.sip_code {
            _ if call.first(Direction::In, |_| true).is_none() => self.silent_call(call),
            _ if call.first(Direction::Out, |text| text.starts_with("CANCEL ")).is_some() => {
                self.cancelled_call(call)
            }
            Some(code) => self.refused_call(code, call),
            None => self.unfinished_call(call),
        };
        match registration {
            Some(trouble) => Sentence::new(
                format!("{}; {}", sentence.says, trouble.says),
                trouble.advice.or(sentence.advice).unwrap_or_default(),
            ),
            None => sentence,
        }
    }

    fn answered_call(self, call: &CallFacts<'_>) -> Sentence {
        let after = call.secs_to("2").unwrap_or_default();
        let says = match self {
            Lang::En => format!("answered after {after:.1} s"),
            Lang::Zh => format!("{after:.1} 秒后接通"),
        };
        let Some(audio) = call.audio() else { return Sentence::new(says, "") };
        let level = |db: Option<i32>| db.map(|db| format!(" ({db} dB)")).unwrap_or_default();
        let sent = match (audio.sent, self) {
            (0, _) => self.pick("we sent no sound", "我方没有送出声音").to_owned(),
            (_, Lang::En) => format!("we sent sound{}", level(audio.sent_db)),
            (_, Lang::Zh) => format!("我方已送出声音{}", level(audio.sent_db)),
        };
        let is_loud = audio.received_db.is_none_or(|db| db > SILENCE_DBOV);
        let (heard, advice) = match (audio.received, is_loud) {
            (0, _) => (
                self.pick("nothing was heard: no RTP came back", "没有收到对方声音:没有 RTP 返回").to_owned(),
                self.pick(
                    "let the firewall pass the ports of [rtp]; behind NAT set [sip] external_address",
                    "请在防火墙放行 [rtp] 的端口;在 NAT 之后请设置 [sip] external_address",
                ),
            ),
            (_, true) => {
                let heard = self.pick("heard the far side", "能听到对方");
                (format!("{heard}{}", level(audio.received_db)), "")
            }
            (_, false) => {
                let heard = self.pick("the far side was silent", "对方没有声音");
                let advice = self.pick(
                    "speak into the phone during a test; if silence stays, ask the carrier about its media",
                    "测试时请对着电话说话;若仍无声,请向运营商核实媒体",
                );
                (format!("{heard}{}", level(audio.received_db)), advice)
            }
        };
        let (comma, both) = (self.pick(", ", ","), audio.sent > 0 && audio.received > 0 && is_loud);
        let both = if both { self.pick("sound in both directions: ", "双向有声:") } else { "" };
        Sentence::new(format!("{says}{comma}{both}{sent}{comma}{heard}"), advice)
    }

    /// Why the trunk was out of use when the call left.
    fn registration_trouble(self, call: &CallFacts<'_>) -> Option<Sentence> {
        let trunk = call.trunk;
        if let Some(why) = call.note("account_refused").or_else(|| call.note("not_registered")) {
            let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
            let says = match self {
                Lang::En => format!("trunk {trunk} is not registered{why}"),
                Lang::Zh => format!("中继 {trunk} 未注册{why}"),
            };
            let advice = match self {
                Lang::En => format!("check username, password and uri of [trunks.{trunk}]"),
                Lang::Zh => format!("请检查 [trunks.{trunk}] 的 username、password 和 uri"),
            };
            return Some(Sentence::new(says, advice));
        }
        None
    }

    fn silent_call(self, call: &CallFacts<'_>) -> Sentence {
        let peers = call.steps.iter().filter_map(|step| step.peer.as_deref());
        let mut peers: Vec<&str> = peers.collect();
        peers.dedup();
        if peers.is_empty() {
            // The INVITE never left: the cause says why.
            let says = match self {
                Lang::En => format!("the call did not leave: {}", call.cause.escape_debug()),
                Lang::Zh => format!("呼叫未送出:{}", call.cause.escape_debug()),
            };
            return Sentence::new(says, "");
        }
        let peers = peers.join(", ");
        let says = match self {
            Lang::En => format!("nothing came back from {peers}"),
            Lang::Zh => format!("{peers} 没有任何应答"),
        };
        let advice = match self {
            Lang::En => format!(
                "check address, port and transport of [trunks.{}] and the firewall; the carrier may answer only \
                 addresses that it knows",
                call.trunk
            ),
            Lang::Zh => format!(
                "请检查 [trunks.{}] 的地址、端口、传输方式和防火墙;运营商可能只应答已加白的地址",
                call.trunk
            ),
        };
        Sentence::new(says, advice)
    }

    fn cancelled_call(self, call: &CallFacts<'_>) -> Sentence {
        let begins = |code: &str| call.secs_to(code);
        let cancelled = call.first(Direction::Out, |text| text.starts_with("CANCEL "));
        let cancelled = cancelled.map_or(0.0, |step| f64::from(step.at_ms) / 1_000.0);
        if call.note("hang_up") == Some("stopped") {
            let says = match self {
                Lang::En => format!("stopped after {cancelled:.1} s, before it was answered"),
                Lang::Zh => format!("{cancelled:.1} 秒后被停止,尚未接通"),
            };
            return Sentence::new(says, "");
        }
        match begins("180").or(begins("183")) {
            Some(since) => {
                let rang = (cancelled - since).max(0.0);
                let says = match self {
                    Lang::En => format!("it rang for {rang:.1} s and was not answered; the trunk works"),
                    Lang::Zh => format!("振铃 {rang:.1} 秒无人接听;线路正常"),
                };
                let advice = self.pick(
                    "for a test of the sound call a number that is answered",
                    "要测试声音,请拨打有人接听的号码",
                );
                Sentence::new(says, advice)
            }
            None => {
                let says = match self {
                    Lang::En => {
                        format!("the trunk took the call, and it did not ring within {cancelled:.1} s")
                    }
                    Lang::Zh => format!("线路已受理,但 {cancelled:.1} 秒内未振铃"),
                };
                let advice = self.pick(
                    "call another number; if none rings, ask the carrier for its routes (setup_secs waits longer)",
                    "请换一个号码;若都不振铃,请向运营商核实路由(setup_secs 可延长等待)",
                );
                Sentence::new(says, advice)
            }
        }
    }

    fn refused_call(self, code: u16, call: &CallFacts<'_>) -> Sentence {
        let (what, advice) = self.final_response(code, call);
        let cause = call.cause.escape_debug();
        let says = match self {
            Lang::En => format!("{code}: {what} ({cause})"),
            Lang::Zh => format!("{code}:{what}({cause})"),
        };
        Sentence::new(says, advice)
    }

    fn unfinished_call(self, call: &CallFacts<'_>) -> Sentence {
        let cause = self.call_cause(call.cause);
        let (outcome, cause) = (self.outcome_words(call.outcome), cause.escape_debug());
        let says = match self {
            Lang::En => format!("{outcome}: {cause}"),
            Lang::Zh => format!("{outcome}:{cause}"),
        };
        Sentence::new(says, self.pick("show the trace to the carrier", "请将此轨迹提供给运营商"))
    }

    /// One line of the ladder: `+0.031  <-- 100 Trying`.
    pub fn step(self, step: &Step) -> String {
        let secs = f64::from(step.at_ms) / 1_000.0;
        let arrow = match step.dir {
            Direction::Out => "-->",
            Direction::In => "<--",
            Direction::Note => " * ",
            Direction::Gap => "...",
        };
        let peer = step.peer.as_ref().map(|peer| format!("  [{}]", peer.escape_debug())).unwrap_or_default();
        let again = if step.again { self.pick(" (again)", "(重发)") } else { "" };
        format!("{secs:+9.3}  {arrow} {}{peer}{again}", step.text.escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(lines: &[(Direction, &str)]) -> Vec<Step> {
        let step = |(n, (dir, text)): (usize, &(Direction, &str))| Step {
            at_ms: 1_500 * n as u32,
            dir: *dir,
            text: (*text).to_owned(),
            again: false,
            peer: text.starts_with("INVITE ").then(|| "udp 192.0.2.1:5060".to_owned()),
        };
        lines.iter().enumerate().map(step).collect()
    }

    fn meaning(
        lang: Lang,
        outcome: Outcome,
        code: Option<u16>,
        lines: &[(Direction, &str)],
    ) -> (String, String) {
        let steps = steps(lines);
        let answered = outcome == Outcome::Answered;
        let call =
            CallFacts { trunk: "main", outcome, sip_code: code, cause: "words", answered, steps: &steps };
        let sentence = lang.call_meaning(&call);
        (sentence.says, sentence.advice.unwrap_or_default())
    }

    const INVITE: (Direction, &str) = (Direction::Out, "INVITE sip:1@h");

    #[test]
    fn an_answered_call_says_when_and_whether_there_was_sound() {
        let call = |audio: &'static str| {
            let lines = [INVITE, (Direction::In, "200 OK"), (Direction::Note, audio)];
            meaning(Lang::En, Outcome::Answered, Some(200), &lines)
        };
        let (says, advice) = call("audio sent=150 received=148 sent_db=-13 received_db=-24 lost=0");
        assert!(says.contains("after 1.5 s") && says.contains("both directions"), "{says}");
        assert!(says.contains("-13 dB") && says.contains("-24 dB") && advice.is_empty(), "{says} {advice}");
        let (says, advice) = call("audio sent=150 received=0 sent_db=-13 lost=0");
        assert!(says.contains("no RTP") && advice.contains("external_address"), "{says} {advice}");
        let (says, _) = call("audio sent=150 received=150 received_db=-90 lost=0");
        assert!(says.contains("silent (-90 dB)") && !says.contains("both"), "{says}");
        let (says, _) = call("audio sent=x");
        assert_eq!(says, "answered after 1.5 s");
    }

    #[test]
    fn each_failure_says_what_to_do() {
        use Direction::{In, Note, Out};
        let fault = Outcome::LineFault;
        for (outcome, code, lines, words) in [
            (fault, None, vec![INVITE], "udp 192.0.2.1:5060"),
            (fault, None, vec![], "did not leave: words"),
            (Outcome::CarrierBlock, Some(403), vec![INVITE, (In, "403 Forbidden")], "blocked by the carrier"),
            (fault, Some(401), vec![INVITE, (In, "401 Unauthorized")], "none was sent"),
            (
                fault,
                Some(401),
                vec![INVITE, (In, "401 Unauthorized"), (Out, "ACK sip:h"), INVITE, (In, "401 Unauthorized")],
                "refuses our account",
            ),
            (
                fault,
                Some(403),
                vec![(Note, "not_registered 403 Forbidden"), INVITE, (In, "403 Forbidden")],
                "not registered (403 Forbidden)",
            ),
            (
                Outcome::NoAnswer,
                Some(487),
                vec![INVITE, (In, "180 Ringing"), (Out, "CANCEL sip:h")],
                "rang for 1.5 s",
            ),
            (
                Outcome::Unreachable,
                None,
                vec![INVITE, (In, "100 Trying"), (Out, "CANCEL sip:h")],
                "did not ring",
            ),
            (fault, Some(503), vec![INVITE, (In, "503 Full")], "no room"),
            (fault, Some(488), vec![INVITE, (In, "488 No")], "codecs"),
            (fault, None, vec![INVITE, (In, "100 Trying")], "line fault: words"),
        ] {
            let (says, advice) = meaning(Lang::En, outcome, code, &lines);
            assert!(says.contains(words), "{code:?}: {says}");
            assert!(!advice.is_empty() || lines.is_empty(), "{code:?}: no advice");
            let (zh, _) = meaning(Lang::Zh, outcome, code, &lines);
            assert!(!zh.is_ascii() || outcome == fault && code.is_none(), "{zh}");
        }
    }

    #[test]
    fn a_test_that_was_stopped_says_so() {
        use Direction::{In, Note, Out};
        let lines = [INVITE, (In, "180 Ringing"), (Note, "hang_up stopped"), (Out, "CANCEL sip:h")];
        let (says, advice) = meaning(Lang::En, Outcome::Cancelled, Some(487), &lines);
        assert_eq!((says.as_str(), advice.as_str()), ("stopped after 4.5 s, before it was answered", ""));
    }

    #[test]
    fn every_final_response_has_words_and_advice_in_both_languages() {
        for code in 300..700 {
            for lang in [Lang::En, Lang::Zh] {
                let lines = [INVITE, (Direction::In, "no")];
                let (says, advice) = meaning(lang, Outcome::LineFault, Some(code), &lines);
                assert!(says.starts_with(&code.to_string()) && !advice.is_empty(), "{says}");
                assert!(!advice.contains("NAME"), "{advice}");
            }
        }
    }

    #[test]
    fn a_line_of_the_ladder_has_time_direction_and_text() {
        let mut all = steps(&[INVITE, (Direction::In, "100 Trying"), (Direction::Gap, "3 left out")]);
        all[1].again = true;
        let lines: Vec<String> = all.iter().map(|step| Lang::En.step(step)).collect();
        assert_eq!(
            lines,
            [
                "   +0.000  --> INVITE sip:1@h  [udp 192.0.2.1:5060]",
                "   +1.500  <-- 100 Trying (again)",
                "   +3.000  ... 3 left out",
            ]
        );
    }
}
