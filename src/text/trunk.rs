//! Why a trunk is not in use, in words with what to do.

use super::Lang;
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

    /// What a code at the end of a call means, and what to do.
    pub fn sip_code(self, code: u16) -> &'static str {
        match code {
            200 => self.pick("answered", "已接通"),
            401 | 407 => self.pick(
                "the carrier asks for credentials and does not take ours: check username and password",
                "运营商要求认证且不接受当前账号:请检查用户名和密码",
            ),
            402 => self.pick("payment required: look at the account's balance", "需要付费:请查看账户余额"),
            403 => self.pick(
                "the carrier forbids this callee, region or caller ID: ask it whether they are open",
                "运营商拒绝此被叫、地区或外显号码:请核实是否开通",
            ),
            404 | 410 | 604 => self.pick("no such number, or no route to it", "空号,或没有到该号码的路由"),
            408 => self.pick("the far side did not answer in time", "对端超时未响应"),
            480 => self.pick("the callee cannot be reached now", "被叫暂时无法接通"),
            484 => self.pick(
                "the number is incomplete: check the number form of the trunk",
                "号码不完整:请检查线路的号码格式",
            ),
            486 | 600 => self.pick("busy", "被叫忙"),
            487 => self.pick("we took the call back", "我方已取消呼叫"),
            488 | 606 => self.pick(
                "codecs or media do not fit: check the codecs of the trunk",
                "编码或媒体不匹配:请检查线路的编码设置",
            ),
            503 => self.pick(
                "the carrier is overloaded or has no free line: lower the rate or ask for more lines",
                "运营商过载或无空闲线路:请降低速率或增开线路",
            ),
            500..=599 => self.pick("a fault at the carrier: ask it", "运营商故障:请联系运营商"),
            603 => self.pick("declined", "被叫拒接"),
            607 | 608 => self.pick("rejected as unwanted: look at the caller ID", "被标记为骚扰拒接:请检查外显号码"),
            400..=499 => self.pick("refused by the far side", "被对端拒绝"),
            _ => self.pick("ended by the far side", "由对端结束"),
        }
    }
}
