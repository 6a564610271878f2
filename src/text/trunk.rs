//! Why a trunk is not in use, in words with what to do.

use super::Lang;
use paceline_core::outcome::Outcome;
use paceline_core::sip::user_agent::TrunkUse;

impl Lang {
    /// The name of the trunk's host has no address.
    pub fn trunk_not_found(self, host: &str, why: &str) -> String {
        match self {
            Lang::En => format!(
                "the address of {host} is not known ({why}); it is looked up again every 5 s; check the name in `uri` \
                 and the name server"
            ),
            Lang::Zh => {
                format!("无法解析 {host} 的地址({why}),每 5 秒重试一次;请检查 uri 中的域名和域名服务器")
            }
        }
    }

    /// What SIP says of a trunk that is not in use; empty for `Up`.
    pub fn trunk_unusable(self, state: &TrunkUse) -> String {
        match state {
            TrunkUse::Up => String::new(),
            TrunkUse::NotRegistered => self
                .pick(
                    "it is not registered yet; calls begin once the carrier takes the registration",
                    "尚未注册;运营商接受注册后开始呼叫",
                )
                .to_owned(),
            TrunkUse::RegistrationLost => self
                .pick(
                    "the registration was lost; it is tried again; check the way to the carrier",
                    "注册已失效,正在重试;请检查到运营商的网络",
                )
                .to_owned(),
            TrunkUse::AccountRefused { account, code, reason } => {
                let reason = reason.escape_debug();
                match self {
                    Lang::En => format!(
                        "the carrier refuses the account {account} ({code} {reason}); check username and password"
                    ),
                    Lang::Zh => format!("运营商拒绝账号 {account}({code} {reason});请检查用户名和密码"),
                }
            }
            TrunkUse::Silent => self
                .pick(
                    "it does not answer OPTIONS any more; it is used again once it answers; check the way to the carrier",
                    "不再响应 OPTIONS,恢复响应后自动启用;请检查到运营商的网络",
                )
                .to_owned(),
        }
    }
}

impl Lang {
    /// A trunk that a person took out of use.
    pub fn trunk_disabled(self) -> &'static str {
        self.pick(
            "a person took it out of use; calls that were up go on; enable it to call over it again",
            "已由人员停用,进行中的通话不受影响;启用后恢复呼叫",
        )
    }

    /// The carrier asked for a pause.
    pub fn trunk_pause(self) -> &'static str {
        self.pick(
            "the carrier asked for a pause (503 with Retry-After); it is used again after it",
            "运营商要求暂缓呼叫(503 Retry-After),到时自动恢复",
        )
    }

    /// What a code at the end of a call means; answered calls have 200.
    pub fn code_words(self, code: u16) -> String {
        match code {
            200 => self.outcome_words(Outcome::Answered).to_owned(),
            _ => self.response_words(code, None),
        }
    }
}
