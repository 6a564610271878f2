//! What a caller ID's own calls say of it, in a sentence.

use super::Lang;

/// A number's calls of a span beside its control.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CallerIdFigures {
    pub calls: u64,
    pub answered: u64,
    pub refused: u64,
    pub code_403: u64,
    pub fast_fail: u64,
    /// Calls that have a control, and their answers.
    pub compared: u64,
    pub compared_answered: u64,
    /// Answers that those calls would have as the control's calls do.
    pub expected: f64,
    pub control_calls: u64,
}

/// What the figures come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerIdVerdict {
    /// A flag was raised and not cleared.
    Suspected,
    Unused,
    /// No other number was shown in the same campaigns, hours and networks.
    NoControl,
    /// Fewer than `COMPARED_MIN` calls.
    TooFew,
    Healthy,
}

/// Fewer compared calls say little.
pub const COMPARED_MIN: u64 = 50;

impl CallerIdVerdict {
    pub const WORDS: [&'static str; 5] = ["suspected", "unused", "no_control", "too_few", "healthy"];

    pub const fn word(self) -> &'static str {
        match self {
            CallerIdVerdict::Suspected => "suspected",
            CallerIdVerdict::Unused => "unused",
            CallerIdVerdict::NoControl => "no_control",
            CallerIdVerdict::TooFew => "too_few",
            CallerIdVerdict::Healthy => "healthy",
        }
    }
}

impl CallerIdFigures {
    pub fn add_day(&mut self, day: &CallerIdFigures) {
        self.calls += day.calls;
        self.answered += day.answered;
        self.refused += day.refused;
        self.code_403 += day.code_403;
        self.fast_fail += day.fast_fail;
        self.compared += day.compared;
        self.compared_answered += day.compared_answered;
        self.expected += day.expected;
        self.control_calls += day.control_calls;
    }

    pub fn verdict(&self, is_suspected: bool) -> CallerIdVerdict {
        match (is_suspected, self.calls, self.compared) {
            (true, ..) => CallerIdVerdict::Suspected,
            (false, 0, _) => CallerIdVerdict::Unused,
            (false, _, 0) => CallerIdVerdict::NoControl,
            (false, _, compared) if compared < COMPARED_MIN => CallerIdVerdict::TooFew,
            _ => CallerIdVerdict::Healthy,
        }
    }
}

fn percent(part: f64, of: u64) -> String {
    if of == 0 { "–".to_owned() } else { format!("{:.0} %", 100.0 * part / of as f64) }
}

impl Lang {
    /// One sentence about the figures of a span.
    pub fn caller_id_health(self, figures: &CallerIdFigures, is_suspected: bool) -> String {
        let it = figures;
        let own = percent(it.compared_answered as f64, it.compared);
        let control = percent(it.expected, it.compared);
        let refused = percent(it.refused as f64, it.calls);
        match (it.verdict(is_suspected), self) {
            (CallerIdVerdict::Suspected, Lang::En) => format!(
                "suspected: {own} of {} calls were answered where other numbers have {control} (same campaign, hour and network, {} calls); {refused} of {} were refused",
                it.compared, it.control_calls, it.calls
            ),
            (CallerIdVerdict::Suspected, Lang::Zh) => format!(
                "疑似被标记:可比的 {} 次呼叫接通 {own},其他号码在同活动、同时段、同网络为 {control}({} 次);{} 次中被拒 {refused}",
                it.compared, it.control_calls, it.calls
            ),
            (CallerIdVerdict::Unused, Lang::En) => "no calls in this time".to_owned(),
            (CallerIdVerdict::Unused, Lang::Zh) => "这段时间没有呼叫".to_owned(),
            (CallerIdVerdict::NoControl, Lang::En) => format!(
                "{} calls, {} answered; no other number was shown in the same campaign, hour and network, so nothing can be compared",
                it.calls, it.answered
            ),
            (CallerIdVerdict::NoControl, Lang::Zh) => format!(
                "{} 次呼叫,接通 {};同活动、同时段、同网络没有其他号码,无法对照",
                it.calls, it.answered
            ),
            (CallerIdVerdict::TooFew, Lang::En) => {
                format!("{} calls with a control: fewer than {COMPARED_MIN} say little", it.compared)
            }
            (CallerIdVerdict::TooFew, Lang::Zh) => {
                format!("可对照的呼叫 {} 次,少于 {COMPARED_MIN} 次,尚不能判断", it.compared)
            }
            (CallerIdVerdict::Healthy, Lang::En) => format!(
                "as the others: {own} of {} calls were answered, other numbers {control} (same campaign, hour and network, {} calls)",
                it.compared, it.control_calls
            ),
            (CallerIdVerdict::Healthy, Lang::Zh) => format!(
                "正常:可比的 {} 次呼叫接通 {own},其他号码在同活动、同时段、同网络为 {control}({} 次)",
                it.compared, it.control_calls
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_every_base() {
        let week = CallerIdFigures {
            calls: 900,
            answered: 90,
            refused: 45,
            compared: 812,
            compared_answered: 81,
            expected: 227.4,
            control_calls: 3_240,
            ..CallerIdFigures::default()
        };
        let said = Lang::En.caller_id_health(&week, true);
        for part in ["10 % of 812", "have 28 %", "3240 calls", "5 % of 900"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(CallerIdFigures::default().verdict(false), CallerIdVerdict::Unused);
    }
}
