//! Why a trunk, or a region on it, rests, in words with what to do.

use super::{Lang, Sentence, TimeFormat};
use paceline_core::dialer::LineView;
use paceline_core::line_guard::{Fault, LineTrouble, Scope};

impl Lang {
    /// One sentence for screens, logs and the summary. `trunk` is the trunk's name.
    pub fn line_trouble(self, trunk: &str, trouble: &LineTrouble) -> String {
        let calls = trouble.calls;
        let code = match (trouble.sip_code, self) {
            // The response to our own CANCEL (RFC 3261 section 9.2).
            (Some(487), Lang::En) => " (they never rang, and we took them back)".to_owned(),
            (Some(487), Lang::Zh) => "(始终未振铃,已由我方撤回)".to_owned(),
            (Some(code), Lang::En) => format!(" (SIP {code})"),
            (Some(code), Lang::Zh) => format!("(SIP {code})"),
            (None, _) => String::new(),
        };
        let whom = match (trouble.scope, self) {
            (Scope::Trunk, _) => String::new(),
            (Scope::Region(prefix), Lang::En) => format!(" for numbers +{prefix}…"),
            (Scope::Region(prefix), Lang::Zh) => format!("对 +{prefix} 开头的号码"),
        };
        let (what, advice) = (self.line_fault(trouble.fault), self.line_advice(trouble.fault));
        let leads = match trouble.fault {
            // What was written as answered stays so: a person may have been among them.
            Fault::HangsUp => self.pick(
                "the first ones stay answered, the leads of later ones come again in half an hour",
                "最初几通保持已接听,其后的名单半小时后重拨",
            ),
            _ => self.pick("their leads are put back", "名单已退回待拨"),
        };
        match self {
            Lang::En => format!(
                "trunk {trunk} rests{whom}: {calls} calls in a row {what}{code}, so the line refuses us, not the \
                 callees; {leads}. {advice}; new leads try it again at short intervals"
            ),
            Lang::Zh => format!(
                "中继 {trunk}{whom}暂停使用:连续 {calls} 个呼叫{what}{code},是线路拒绝我方而非客户,{leads}。\
                 {advice};系统会定时用新号码重试"
            ),
        }
    }

    /// As [`Lang::line_trouble`], with the moment at which the trunk is tried again. A campaign without any other trunk
    /// is paused by it.
    pub fn line_status(self, trunk: &str, line: &LineView, moments: &TimeFormat) -> Sentence {
        let trouble = self.line_trouble(trunk, &line.trouble);
        let paused = match line.all {
            true => self.pick("paused by the line: ", "因线路故障暂停:"),
            false => "",
        };
        let until = match (line.until, self) {
            (Some(at), Lang::En) => format!(" (the next at {})", moments.show(at)),
            (Some(at), Lang::Zh) => format!("(下次 {})", moments.show(at)),
            (None, _) => self.pick(" (some are out now)", "(正在重试)").to_owned(),
        };
        Sentence::new(format!("{paused}{trouble}{until}"), self.line_advice(line.trouble.fault))
    }

    fn line_fault(self, fault: Fault) -> &'static str {
        match fault {
            Fault::Forbidden => self.pick("were forbidden without a ring", "未振铃即被禁止"),
            Fault::NotFound => self.pick("were reported vacant without a ring", "未振铃即报空号"),
            Fault::Unreachable => self.pick("were unreachable without a ring", "未振铃即报无法接通"),
            Fault::Faulty => self.pick("failed at the trunk", "在中继处失败"),
            Fault::Soft => self.pick("were refused without a ring", "未振铃即被拒绝"),
            Fault::HangsUp => self
                .pick("were answered and hung up by the far side within seconds", "接通数秒内即被对端挂断"),
        }
    }

    fn line_advice(self, fault: Fault) -> &'static str {
        match fault {
            Fault::Forbidden => self.pick(
                "Check username and password of the trunk, then ask the carrier whether the account is locked or in \
                 arrears, this address is allowed, and these regions and caller IDs are open",
                "请检查中继的账号和密码,再向运营商核实账号是否锁定或欠费、本机地址是否已加白、该地区和外显号码是否开通",
            ),
            Fault::NotFound => self.pick(
                "Check the number form of the trunk (prefix, country code) and ask the carrier for its routes",
                "请检查中继的号码格式(前缀、国家码),并向运营商核实路由",
            ),
            Fault::Unreachable | Fault::Faulty => self.pick(
                "Ask the carrier for capacity, routes and faults, and check address and codecs of the trunk",
                "请向运营商核实容量、路由和故障,并检查中继地址和编码",
            ),
            Fault::Soft => self.pick(
                "Ask the carrier whether it refuses these caller IDs",
                "请向运营商核实是否拒绝该外显号码",
            ),
            Fault::HangsUp => self.pick(
                "Call one of these numbers and listen: a recorded message (arrears) may answer in place of callees",
                "请拨打其中一个号码试听:可能是欠费等提示音代替客户应答",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_names_its_trunk_and_what_to_do() {
        let faults = [
            Fault::Forbidden,
            Fault::NotFound,
            Fault::Unreachable,
            Fault::Faulty,
            Fault::Soft,
            Fault::HangsUp,
        ];
        for fault in faults {
            for (scope, word) in [(Scope::Trunk, "main"), (Scope::Region(86_755), "+86755")] {
                let trouble = LineTrouble { scope, fault, sip_code: Some(403), calls: 7, probes: 2 };
                for lang in [Lang::En, Lang::Zh] {
                    let text = lang.line_trouble("main", &trouble);
                    assert!(text.contains(word) && text.contains('7') && text.contains("403"), "{text}");
                    let until = Some(paceline_core::time::Utc::from_millis(1_795_226_400_000));
                    let line = LineView { trunk: paceline_core::ids::TrunkId(0), trouble, all: true, until };
                    let status = lang.line_status("main", &line, &TimeFormat::utc());
                    let paused = lang.pick("paused by the line", "因线路故障暂停");
                    assert!(status.says.contains(paused) && status.says.contains("02:00"), "{}", status.says);
                    assert!(status.advice.is_some_and(|advice| status.says.contains(&advice)));
                }
            }
        }
    }
}
