//! Long work in words: what is done, and how far it is.

use super::Lang;

/// A task by the words of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskWords<'a> {
    pub kind: &'a str,
    pub state: &'a str,
    pub done: u64,
    /// 0 = not known.
    pub total: u64,
}

impl Lang {
    /// `checking the list: 12,000 of 40,000 rows`
    pub fn task(self, task: &TaskWords<'_>) -> String {
        let what = match task.kind {
            "check_list" => self.pick("checking the list", "检查名单"),
            "load_list" => self.pick("loading the list", "导入名单"),
            "undo_list" => self.pick("undoing the list", "撤销名单"),
            "measure_audio" => self.pick("measuring the sound", "检测录音"),
            "forecast" => self.pick("forecasting", "预测"),
            "sample" => self.pick("starting the sample campaign", "启动示例活动"),
            "change_leads" => self.pick("changing leads", "修改客户"),
            "story" => self.pick("reading the call's story in the journal", "从运行日志重放通话"),
            "import_campaign" => self.pick("importing the campaign", "导入任务"),
            "export" => self.pick("exporting", "导出"),
            "import_blacklist" => self.pick("reading the blacklist", "读取黑名单"),
            other => other,
        };
        let state = match task.state {
            "queued" => self.pick("waits for its turn", "排队中"),
            "done" => self.pick("done", "已完成"),
            "failed" => self.pick("failed", "失败"),
            "cancelled" => self.pick("cancelled", "已取消"),
            _ if task.done == 0 => self.pick("has begun", "进行中"),
            _ if task.kind == "forecast" => {
                return match self {
                    Lang::En => format!("{what}: {} of {} virtual days", task.done, task.total),
                    Lang::Zh => format!("{what}:第 {} 个虚拟日,共 {} 个", task.done, task.total),
                };
            }
            _ if task.kind == "story" => {
                return match self {
                    Lang::En => format!("{what}: {} of {} parts", task.done, task.total),
                    Lang::Zh => format!("{what}:第 {} 段,共 {} 段", task.done, task.total),
                };
            }
            _ => {
                return match (self, task.total > task.done) {
                    (Lang::En, true) => format!("{what}: {} of {} rows", task.done, task.total),
                    (Lang::En, false) => format!("{what}: {} rows", task.done),
                    (Lang::Zh, true) => format!("{what}:第 {} 行,共 {} 行", task.done, task.total),
                    (Lang::Zh, false) => format!("{what}:第 {} 行", task.done),
                };
            }
        };
        match self {
            Lang::En => format!("{what}: {state}"),
            Lang::Zh => format!("{what}:{state}"),
        }
    }
}
