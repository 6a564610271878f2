//! Text: a shadow setting's figures beside the live ones, in one sentence.

use super::Lang;
use paceline_core::campaign::Mode;
use paceline_core::pacing::shadow::Comparison;

impl Lang {
    /// Live and shadow side by side.
    pub fn shadow(self, compared: &Comparison) -> String {
        let rules = &compared.rules;
        let mut setting = rules.mode.word().to_owned();
        if rules.mode == Mode::Ratio {
            setting = format!("{setting} {}", rules.call_ratio);
        }
        let ceiling = rules.abandon_rate_max * 100.0;
        let (live, shadow) = (&compared.live, &compared.shadow);
        if compared.secs <= 0.0 {
            return match self {
                Lang::En => {
                    format!("shadow {setting}: learning from 40 calls and 10 conversations before it begins")
                }
                Lang::Zh => format!("影子策略 {setting}:先观察 40 通呼叫和 10 次通话,再开始对比"),
            };
        }
        let (busy, busy_live) = (shadow.utilisation * 100.0, live.utilisation * 100.0);
        let (lost, lost_live) = (shadow.abandon_rate * 100.0, live.abandon_rate * 100.0);
        let (calls, calls_live) = (shadow.calls_per_hour, live.calls_per_hour);
        let mins = compared.secs / 60.0;
        match self {
            Lang::En => format!(
                "shadow {setting}, ceiling {ceiling} %: agents {busy:.0} % busy instead of {busy_live:.0} %, \
                 {lost:.1} % abandoned instead of {lost_live:.1} %, {calls:.0} calls an hour instead of \
                 {calls_live:.0}, over {mins:.0} min"
            ),
            Lang::Zh => format!(
                "影子策略 {setting}(呼损上限 {ceiling}%):坐席忙碌 {busy:.0}%(现为 {busy_live:.0}%),\
                 呼损率 {lost:.1}%(现为 {lost_live:.1}%),每小时 {calls:.0} 通(现为 {calls_live:.0} 通),\
                 对比时长 {mins:.0} 分钟"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::pacing::shadow::{ShadowRules, SideFigures};

    #[test]
    fn both_sides_are_named_in_both_languages() {
        let rules = ShadowRules { mode: Mode::Ratio, call_ratio: 1.5, abandon_rate_max: 0.03 };
        let live = SideFigures { utilisation: 0.62, abandon_rate: 0.009, ..SideFigures::default() };
        let shadow = SideFigures { utilisation: 0.81, abandon_rate: 0.024, ..SideFigures::default() };
        let mut compared = Comparison { rules, secs: 600.0, live, shadow };
        let said = Lang::En.shadow(&compared);
        assert!(
            said.starts_with("shadow ratio 1.5, ceiling 3 %: agents 81 % busy instead of 62 %"),
            "{said}"
        );
        assert!(Lang::Zh.shadow(&compared).contains("呼损率 2.4%(现为 0.9%)"));
        compared.secs = 0.0;
        assert!(Lang::En.shadow(&compared).contains("learning"));
    }
}
