//! What a carrier's final response to an INVITE means and what to do about it: one wording for the ladder, the
//! checklist and the results. A response that settles an outcome is said in the outcome's own words; a fault of the
//! line adds which fault.

use super::{CallFacts, Lang};
use paceline_core::outcome::Outcome;
use paceline_core::sip::verdict;

impl Lang {
    /// The words of a final response; `outcome` = what the whole call came to, where it has ended by this response.
    pub fn response_words(self, code: u16, outcome: Option<Outcome>) -> String {
        let outcome = outcome.unwrap_or_else(|| verdict::refusal(code, None).outcome);
        let words = self.outcome_words(outcome);
        match self.response_detail(code) {
            Some(detail) if outcome == Outcome::LineFault => {
                format!("{words}{}{detail}", self.pick(": ", ":"))
            }
            _ => words.to_owned(),
        }
    }

    /// Which fault of the line it is.
    fn response_detail(self, code: u16) -> Option<&'static str> {
        Some(match code {
            300..=399 => self.pick("the carrier redirects the call", "运营商要求改道"),
            401 | 407 => self.pick("the carrier asks for the account's password", "运营商要求账号认证"),
            402 => self.pick("the carrier asks for payment", "运营商要求付费"),
            403 => self.pick("the carrier does not allow it", "运营商不允许"),
            415 | 488 | 606 => self.pick("the carrier takes none of our codecs", "运营商不支持我方编码"),
            503 => self.pick("no room or no route", "无容量或无路由"),
            500..=599 => self.pick("the carrier's own fault", "运营商自身故障"),
            _ => return None,
        })
    }

    /// What is wrong with a refused call (RFC 3261 section 21), and what to do. The first is
    /// [`Lang::response_words`] unless the account is in question.
    pub(super) fn final_response(self, code: u16, call: &CallFacts<'_>) -> (String, String) {
        let trunk = call.trunk;
        let account = match code {
            401 | 407 if call.sent_credentials() => {
                Some(self.pick("the carrier refuses our account or password", "运营商拒绝账号或密码"))
            }
            401 | 407 => Some(
                self.pick("the carrier asks for a password, and none was sent", "运营商要求密码,但未发送"),
            ),
            403 if call.sent_credentials() => {
                Some(self.pick("after our account and password were sent", "在发送账号和密码之后"))
            }
            _ => None,
        };
        let words = self.response_words(code, Some(call.outcome));
        let what = match account {
            Some(account) => {
                let outcome = self.outcome_words(call.outcome);
                format!("{outcome}{}{account}", self.pick(": ", ":"))
            }
            None => words,
        };
        let advice = self.response_advice(code, call.sent_credentials());
        (what, advice.replace("[trunks.NAME]", &format!("[trunks.{trunk}]")))
    }

    /// What to do about a final response. `[trunks.NAME]` stands for the trunk's settings.
    fn response_advice(self, code: u16, sent_credentials: bool) -> &'static str {
        match code {
            401 | 407 if sent_credentials => self.pick(
                "check username, password and realm of [trunks.NAME]; the account may have to register \
                 (register = true)",
                "请检查 [trunks.NAME] 的 username、password、realm;账号可能需要注册(register = true)",
            ),
            401 | 407 => self.pick(
                "set username and password of [trunks.NAME]; `realm` must be the carrier's or empty",
                "请设置 [trunks.NAME] 的 username 和 password;realm 应与运营商一致或留空",
            ),
            403 if sent_credentials => self.pick(
                "check username and password of [trunks.NAME] first; then ask the carrier whether the account is \
                 locked or in arrears, and whether this callee and caller ID are allowed",
                "请先检查 [trunks.NAME] 的 username 和 password;再向运营商核实账号是否锁定或欠费,该被叫和外显号码是否允许",
            ),
            403 => self.pick(
                "ask the carrier whether this callee or region is open, the caller ID is allowed, this address is \
                 known, the account is in arrears or must register; then try another number or trunk",
                "请向运营商核实该被叫或地区、外显号码、本机地址是否开通,账号是否欠费或需要注册;再换号码或线路重试",
            ),
            404 | 410 | 484 | 485 | 604 => self.pick(
                "if the number exists, its form is wrong for this trunk: see number_form, strip_prefix, add_prefix",
                "若号码存在,则号码格式不符:请检查 number_form、strip_prefix、add_prefix",
            ),
            408 | 480 => self.pick("try another number", "请换一个号码"),
            486 | 487 | 600 => self.pick(
                "the trunk works; try again, or another number",
                "线路正常;请稍后再试,或换一个号码",
            ),
            603 | 607 | 608 => self.pick("try another number or caller ID", "请换一个号码或外显号码"),
            415 | 488 | 606 => self.pick("set `codecs` of [trunks.NAME]", "请设置 [trunks.NAME] 的 codecs"),
            503 => self.pick(
                "lower calls_max and calls_per_sec to what the carrier allows, or ask it",
                "请按运营商限制调低 calls_max、calls_per_sec,或向其核实",
            ),
            500..=599 => {
                self.pick("ask the carrier; calls go to another trunk meanwhile", "请联系运营商;期间可用其他线路")
            }
            300..=399 => {
                self.pick("ask the carrier for the address to use as uri", "请向运营商核实应使用的 uri")
            }
            _ => self.pick("show the trace to the carrier", "请将此轨迹提供给运营商"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::step_words::steps_in_words;
    use paceline_core::call_steps::{Direction, Step};

    /// What a call with this final response comes to: a phone that rang was reachable.
    fn outcomes(code: u16) -> Vec<(bool, Outcome)> {
        let silent = verdict::refusal(code, None).outcome;
        let rang = if silent == Outcome::Unreachable { Outcome::NoAnswer } else { silent };
        vec![(false, silent), (true, rang)]
    }

    /// The same words for a code in the ladder, in the sentence below it, and as the outcome that the checklist and
    /// the results show.
    #[test]
    fn a_code_has_one_wording_wherever_it_is_shown() {
        for code in (300..700).filter(|code| ![401, 403, 407].contains(code)) {
            for (rang, outcome) in outcomes(code) {
                let step = |dir, text: String| Step { at_ms: 0, dir, text, again: false, peer: None };
                let mut steps = vec![step(Direction::Out, "INVITE sip:1@h".into())];
                steps.extend(rang.then(|| step(Direction::In, "180 Ringing".into())));
                steps.push(step(Direction::In, format!("{code} Words of the carrier")));
                let call = CallFacts {
                    trunk: "main",
                    outcome,
                    sip_code: Some(code),
                    cause: "",
                    answered: false,
                    steps: &steps,
                };
                for lang in [Lang::En, Lang::Zh] {
                    let ladder = steps_in_words(lang, &steps, Some((code, outcome)));
                    let ladder = ladder.last().cloned().flatten().expect("words");
                    let result = lang.outcome_words(outcome);
                    assert!(ladder.starts_with(result), "{code}: {ladder}, {result}");
                    let meaning = lang.call_meaning(&call);
                    assert!(meaning.says.contains(&ladder), "{code}: {}, {ladder}", meaning.says);
                    assert!(meaning.advice.is_some_and(|it| !it.is_empty()), "{code}: no advice");
                }
            }
        }
    }
}
