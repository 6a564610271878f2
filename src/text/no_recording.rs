//! Why a call has no recording to hear.

use super::Lang;

/// The reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRecording {
    /// The call goes on.
    Live,
    NotAnswered,
    /// No agent and callee spoke.
    NoConversation,
    CampaignOff,
    AgentOff,
    NotAskedFor,
    /// The campaign records, and this call was before that.
    NotThen,
    /// Recordings are kept so many days.
    Deleted {
        days: u32,
    },
    /// A crash, before any sound was written.
    Interrupted,
    /// It was begun, and no file came of it.
    Failed,
}

impl NoRecording {
    pub const WORDS: [&'static str; 10] = [
        "live",
        "not_answered",
        "no_conversation",
        "campaign_off",
        "agent_off",
        "not_asked_for",
        "not_then",
        "deleted",
        "interrupted",
        "failed",
    ];

    pub const fn word(self) -> &'static str {
        match self {
            NoRecording::Live => "live",
            NoRecording::NotAnswered => "not_answered",
            NoRecording::NoConversation => "no_conversation",
            NoRecording::CampaignOff => "campaign_off",
            NoRecording::AgentOff => "agent_off",
            NoRecording::NotAskedFor => "not_asked_for",
            NoRecording::NotThen => "not_then",
            NoRecording::Deleted { .. } => "deleted",
            NoRecording::Interrupted => "interrupted",
            NoRecording::Failed => "failed",
        }
    }
}

impl Lang {
    pub fn no_recording(self, why: NoRecording) -> String {
        let words = match why {
            NoRecording::Live => self.pick("the call goes on", "通话还没有结束"),
            NoRecording::NotAnswered => self.pick("the call was not answered", "没有接通,没有录音"),
            NoRecording::NoConversation => self.pick(
                "no conversation with an agent: only those are recorded",
                "没有与坐席通话;只有与坐席的通话才录音",
            ),
            NoRecording::CampaignOff => self.pick("the campaign does not record", "活动设为不录音"),
            NoRecording::AgentOff => self.pick(
                "the campaign records agents whose account says so, and this one's did not",
                "活动只录指定坐席的通话,该坐席未设为录音",
            ),
            NoRecording::NotAskedFor => {
                self.pick("the agent did not ask for a recording", "活动设为坐席按需录音,坐席没有要求录音")
            }
            NoRecording::NotThen => self.pick(
                "it was not recorded; the campaign records now, and may not have done so then",
                "没有录音;活动现在录音,当时可能未开启",
            ),
            NoRecording::Deleted { days } => {
                return match self {
                    Lang::En => format!("deleted by the {days}-day rule"),
                    Lang::Zh => format!("已按 {days} 天规则删除"),
                };
            }
            NoRecording::Interrupted => self.pick(
                "interrupted by a stop of the service before any sound was saved",
                "服务中断,没有录音可以恢复",
            ),
            NoRecording::Failed => self.pick(
                "the recording was begun and could not be written: ask who runs the service",
                "录音已开始但未能写入:请联系服务的运维人员",
            ),
        };
        words.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_one_word_and_its_words() {
        use NoRecording::*;
        let all = [
            Live,
            NotAnswered,
            NoConversation,
            CampaignOff,
            AgentOff,
            NotAskedFor,
            NotThen,
            Deleted { days: 90 },
            Interrupted,
            Failed,
        ];
        assert_eq!(all.map(NoRecording::word), NoRecording::WORDS);
        for why in all {
            assert!(Lang::En.no_recording(why).is_ascii() && !Lang::Zh.no_recording(why).is_ascii());
        }
        assert_eq!(Lang::Zh.no_recording(Deleted { days: 90 }), "已按 90 天规则删除");
    }
}
