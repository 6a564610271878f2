//! Refusals of the API in Simplified Chinese, by their code. The English sentence is the refusal's own.

use super::fault::{fault_lines_zh, fault_zh};

/// The sentence for a code; `param` gives the parts that stand in it. `None` = this code has no sentence of its own,
/// and the refusal's English one is shown.
pub fn refusal_zh(code: &str, param: impl Fn(&str) -> Option<String>) -> Option<String> {
    let part = |name: &str| param(name).unwrap_or_default();
    let fixed = match code {
        "unfit" | "bad_request" => {
            let detail = part("detail");
            return Some(format!("请求的内容不符合要求:{}", fault_zh(&detail).unwrap_or(detail)));
        }
        "not_opened" => return Some(format!("任务没有打开:{}", fault_lines_zh(&part("detail")))),
        "not_a_list" => {
            let detail = part("detail");
            return Some(fault_zh(&detail).unwrap_or(detail));
        }
        "called" => {
            return Some(format!("已对这份名单拨打 {} 次,不能撤销:可以关闭其中的客户", part("calls")));
        }
        "count_needed" => return Some(format!("这会移除 {} 条:请写明这个数量,以免误删", part("count"))),
        "too_many_rows" => {
            return Some(format!("一个工作表放不下,需要 {} 个:请选择拆分,或用 Parquet", part("sheets")));
        }
        "slow_down" => return Some(format!("尝试太多次,{} 秒后再试", part("retry_after"))),
        "forbidden" => {
            return Some(match param("right") {
                Some(right) => format!("这里需要“{right}”权限,请联系管理员"),
                None => "没有权限做这件事,请联系管理员".to_owned(),
            });
        }
        "unavailable" => return Some(format!("暂时做不到,已记录({});稍后重试", part("id"))),
        "wrong_code" => {
            return Some(format!("安装码不对:它在启动服务的窗口里。还可以试 {} 次", part("tries_left")));
        }
        "wrong_password" => "登录名或密码不对",
        "trunk_disabled" => "线路已停用:请先启用,再测试",
        "nothing_to_export" => "名单没有被拒绝的行,无可导出",
        "sign_in_first" => "请先登录;程序请使用令牌",
        "foreign_origin" => "请求来自别的网页,或没有 Origin;程序请使用令牌而不是 Cookie",
        "name_taken" => "已有同名的外呼任务,请换一个名称",
        "campaign_faulty" => "任务的文本有错误",
        "not_ready" => "还不能开始:请先处理清单里的各项",
        "not_approved" => "还不能开始:有内容等待审批",
        "already_open" => "任务已经打开",
        "changed_in_both" => "文件和这里的文本都改过:请选择用哪一个",
        "archived" => "任务已归档",
        "sample_there" => "示例活动已经在运行",
        "sample_elsewhere" => "贵企业已有示例活动,在你看不到的机构里",
        "sample_over" => "示例活动的名单已经打完:归档后可以重新启动",
        "cannot_place" => {
            "模拟运营商需要 UDP 和 IPv4:请在 [sip] listen 中加入 udp://0.0.0.0:5060,然后重新启动服务"
        }
        "simulated" => "这是示例活动的模拟坐席:可以移除,不能修改",
        "no_service" => "这个进程只运行一个任务,不能打开别的",
        "not_found" => "没有找到,或不在你的范围内",
        "method_not_allowed" => "此路径不支持这个方法",
        "not_json" => "请以 application/json 发送 JSON",
        "too_large" | "body" => "内容太大,或读不出来",
        "taken" => "已被使用,请换一个",
        "set_in_file" => "此线路在配置文件中设置:请在文件中修改后重新启动服务",
        "built_in" => "内置模拟线路没有可修改的设置",
        "not_applied" => "已保存,但未能启用:请修改设置后再保存",
        "not_in_this_state" => "在目前的状态下不能这样做:请看当前可用的操作",
        "test_running" => "测试呼叫还在挂断:请半分钟后再开始",
        "last_operator" => "本系统需要一位平台管理者:请先让另一个账号担任",
        "in_use" => "正在使用,先停用它",
        "changed" => "有人刚改过:请重新读取,比较后再应用",
        "if_match" => "请带上 If-Match:所读内容的 ETag",
        "locked" => "已锁屏:请输入密码",
        "full" => "打开的页面或连接太多,请关闭不用的页面",
        "already_done" => "已经完成过了",
        "code_void" => "安装码试错太多次,已作废:请重新启动服务以得到新的安装码",
        "number_stays" => "工号不能更改;请新建一个账号",
        "suspended" => "本机构已停用,不再外呼:请联系平台运营",
        "past" => "这个时间已经过去",
        "key_missing" => "请带上 Idempotency-Key:为这次请求自定的一个词",
        "key_unfit" => "Idempotency-Key 为 1 到 64 个可见字符,不含空格",
        "key_reused" => "这个 Idempotency-Key 已用于别的请求,请换一个",
        "key_busy" => "同一请求仍在处理,请稍后再问",
        "unknown_agent" => "没有这位坐席",
        "not_signed_in" => "先签入",
        "already_signed_in" => "已经签入:先签出,或更换接听方式",
        "not_a_member" => "你不在该坐席组,或未启用:请班长设置",
        "seats_taken" => "坐席已满:等有人签出,或请班长处理",
        "phone_not_ready" => "话机未注册:检查账号、密码(区分大小写)、网络",
        "phone_taken" => "别的坐席正在用这部电话:请换一部,或与其协调",
        "reason_missing" => "示忙需要原因",
        "busy" if param("lead").is_some() => "正在与该客户通话:请等通话结束再改",
        "busy" => "已有通话,先结束它",
        "stories_full" => "已有多个通话重放在排队或进行:请等一个完成,或取消一个",
        "not_open" if param("lead").is_some() => "该客户已关闭:请先重新打开",
        "not_closed" => "该客户已是打开状态",
        "booked" => "该客户已有预约回拨:请改约,或先重新打开",
        "blacklisted" => "该客户的号码都在黑名单中:请先移出黑名单",
        "attempts_used" => "该客户的号码都已用完拨打次数:请先调高次数上限",
        "not_assigned" => "该客户没有分配给坐席",
        "no_agents" => "该活动没有坐席组,不能分配或预约给坐席",
        "not_in_group" => "该坐席不在活动的坐席组中",
        "not_preview" => "这个活动自动分配下一位,不用领取",
        "duplicate" => "活动中已有这个号码",
        "no_number" => "没有可以拨打的号码",
        "no_call" => "没有通话",
        "nobody_consulted" => "对方还没接听",
        "nobody_free" => "没有空闲坐席",
        "campaign_closed" => "活动未开放",
        "number_refused" => "此号码不能拨打",
        "unknown_disposition" => "没有这个小结选项",
        "callback_in_the_past" => "回拨时间已过",
        "nothing_to_summarise" => "没有需要小结的通话",
        "summary_missing" => "请先填电话小结",
        "not_allowed" => "这个操作不允许",
        "cut_off" => "文件没有传完:请重新上传",
        "too_slow" => "太久没有收到数据:请检查网络,然后重试",
        "disk_low" => "服务器磁盘空间不足:请系统管理员腾出空间",
        "storage_full" => "本企业保存的文件已满 50 GiB:请先丢弃不用的名单,或停用旧语音",
        "not_a_proof" => "这不是 PDF、PNG 或 JPEG:请上传证明的扫描件或照片",
        "not_a_file" => "请把文件本身作为请求的内容,类型为 application/octet-stream",
        "file_gone" => "服务器上读不到这个任务的一个文件:请系统管理员查看日志",
        "folder_unfit" => "任务文件夹有错误",
        "no_folder" => "本服务没有任务目录:请用 --campaigns 目录 启动",
        "no_forecast" => "还没有预测",
        "no_vote" => "这个任务没有设置投票计数:请在设置里写明 [vote]",
        "no_import" => "任务没有导入过名单",
        "no_second_person" => "请先让第二个人担任经理或管理员",
        "not_called" => "没有拨出试拨电话",
        "not_listed" => "这个号码不在该黑名单中",
        "not_needed" => "这份名单不需要审批:可以直接载入",
        "own_work" => "不能审批自己提交的内容:请有权限的同事审批",
        "wrong_state" => "名单现在的状态不允许这样操作:请刷新后再看",
        "stopping" => "服务正在停止:请在恢复后重新发送",
        "store_stalled" => "存储无法写入,已停止外呼",
        _ => return None,
    };
    Some(fixed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::agent::Refusal::{self, *};

    #[test]
    fn every_refusal_of_the_dialer_has_a_chinese_sentence() {
        let all: [Refusal; 20] = [
            UnknownAgent,
            NotSignedIn,
            AlreadySignedIn,
            NotAMember,
            SeatsTaken,
            PhoneNotReady,
            PhoneTaken,
            ReasonMissing,
            Busy,
            NoCall,
            NobodyConsulted,
            NobodyFree,
            CampaignClosed,
            NumberRefused,
            UnknownDisposition,
            CallbackInThePast,
            NothingToSummarise,
            SummaryMissing,
            NotAllowed,
            StoreStalled,
        ];
        for refusal in all {
            assert!(refusal_zh(refusal.word(), |_| None).is_some(), "{}", refusal.word());
        }
        // The last variant: a new one is behind it and changes this number.
        assert_eq!(all.len(), StoreStalled as usize + 1);
        assert_eq!(refusal_zh("slow_down", |_| Some("7".into())).as_deref(), Some("尝试太多次,7 秒后再试"));
        let detail = |_: &str| Some("this does not fit: missing field `name` at line 1 column 2".to_owned());
        let zh = refusal_zh("unfit", detail);
        assert_eq!(zh.as_deref(), Some("请求的内容不符合要求:缺少 `name`(第 1 行第 2 列)"));
        let detail = |_: &str| Some("campaign.toml:4: no list; name a .csv, .txt or .xlsx file".to_owned());
        let zh = refusal_zh("not_opened", detail);
        assert_eq!(
            zh.as_deref(),
            Some("任务没有打开:campaign.toml 第 4 行:没有名单;请写一个 .csv、.txt 或 .xlsx 文件")
        );
        assert_eq!(refusal_zh("no such code", |_| None), None);
    }
}
