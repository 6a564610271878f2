//! Handlers of `/health`, the checks of the service as sentences, each with what to do, and of `/config`.

use super::app_state::AppState;
use super::auth::Caller;
use super::floor;
use super::problem::Problem;
use super::views::moment;
use crate::config::shown::Origin;
use axum::Json;
use axum::extract::State;
use paceline_core::ids::CampaignId;
use serde_json::{Value, json};

/// A WAL of this many bytes was not folded into the database for a long time: a reader keeps it.
const WAL_MAX: u64 = 512 * 1024 * 1024;

/// Rows of the audit whose chain each request follows.
const AUDIT_ROWS: u32 = 1_000;

struct Check {
    code: &'static str,
    ok: bool,
    en: String,
    zh: String,
    value: Value,
}

impl Check {
    fn new(code: &'static str, ok: bool, en: impl Into<String>, zh: impl Into<String>) -> Check {
        Check { code, ok, en: en.into(), zh: zh.into(), value: Value::Null }
    }

    fn view(&self) -> Value {
        json!({
            "code": self.code,
            "ok": self.ok,
            "words": { "en": self.en, "zh": self.zh },
            "value": self.value,
        })
    }
}

pub(super) async fn health(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Problem> {
    let mut checks = vec![store(&state)];
    checks.extend(trunks(&state));
    checks.extend(lines(&state, &caller));
    checks.push(wal(&state).await);
    checks.push(audit(&state, &caller).await?);
    let ok = checks.iter().all(|check| check.ok);
    let shown: Vec<Value> = checks.iter().map(Check::view).collect();
    Ok(Json(json!({ "ok": ok, "at": moment(state.now()), "checks": shown })))
}

/// Every setting with its value and where it comes from; secrets are hidden.
pub(super) async fn config(State(state): State<AppState>) -> Json<Value> {
    let items = state.settings().iter().map(|setting| {
        let (origin, from) = match &setting.origin {
            Origin::Default => ("default", None),
            Origin::File(file) => ("file", Some(file.display().to_string())),
            Origin::Environment(name) => ("environment", Some(name.clone())),
        };
        json!({ "key": setting.key, "value": setting.value, "source": origin, "from": from })
    });
    let items: Vec<Value> = items.collect();
    Json(json!({ "version": env!("CARGO_PKG_VERSION"), "items": items }))
}

/// The program's version, and that of its store's schema.
pub(super) async fn version() -> Json<Value> {
    Json(json!({ "version": env!("CARGO_PKG_VERSION"), "schema": crate::store::schema_version() }))
}

fn store(state: &AppState) -> Check {
    match &floor::board(state).store_stalled {
        None => Check::new("store", true, "the store writes", "存储可以写入"),
        Some(why) => Check::new(
            "store",
            false,
            format!("the store cannot write, so nothing is dialled: {why}"),
            format!("存储无法写入,已停止外呼:{why}"),
        ),
    }
}

fn trunks(state: &AppState) -> Vec<Check> {
    let board = floor::board(state);
    let mut checks: Vec<Check> = Vec::new();
    for trunk in &board.trunks {
        let name = &trunk.name;
        let mut check = match trunk.up || trunk.disabled {
            true if trunk.disabled => Check::new(
                "trunk",
                true,
                format!("a person took the trunk {name} out of use"),
                format!("线路 {name} 已由人员停用"),
            ),
            true => Check::new("trunk", true, format!("the trunk {name} is up"), format!("线路 {name} 正常")),
            false => Check::new(
                "trunk",
                false,
                format!("the trunk {name} is down: the log says why; check address, account and firewall"),
                format!("线路 {name} 中断:原因见日志,请检查地址、账号和防火墙"),
            ),
        };
        check.value = json!({ "name": name, "calls": trunk.calls, "calls_max": trunk.calls_max });
        checks.push(check);
    }
    if checks.is_empty() {
        checks.push(Check::new("trunk", false, "no trunk is configured", "还没有接入线路"));
    }
    checks
}

/// Campaigns whose trunks rest because calls are refused.
fn lines(state: &AppState, caller: &Caller) -> Vec<Check> {
    let (board, facts) = (floor::board(state), state.campaigns());
    let seen = |id: &CampaignId| facts.get(id).is_some_and(|facts| caller.can_see_campaign(facts));
    let own = board.campaigns.iter().filter(|(id, _)| seen(id)).map(|(_, campaign)| campaign);
    let troubled = own.filter(|campaign| !campaign.line.is_empty() && !campaign.finished);
    let check = |campaign: &crate::engine::CampaignBoard| {
        let (name, why) = (&campaign.name, &campaign.line);
        let mut check = Check::new("line", false, format!("{name}: {why}"), format!("活动 {name}:{why}"));
        check.value = json!({ "campaign": name });
        check
    };
    troubled.map(check).collect()
}

async fn wal(state: &AppState) -> Check {
    let mut path = state.store().path().as_os_str().to_owned();
    path.push("-wal");
    let bytes = tokio::fs::metadata(&path).await.map_or(0, |found| found.len());
    let mib = bytes / (1024 * 1024);
    let mut check = match bytes <= WAL_MAX {
        true => Check::new(
            "wal",
            true,
            format!("the store's log of changes has {mib} MiB"),
            format!("存储的变更日志为 {mib} MiB"),
        ),
        false => Check::new(
            "wal",
            false,
            format!(
                "the store's log of changes has {mib} MiB: a program has read the store for hours; end it"
            ),
            format!("存储的变更日志已有 {mib} MiB:有程序长时间读取存储,请结束它"),
        ),
    };
    check.value = bytes.into();
    check
}

/// The last rows of the enterprise's audit.
async fn audit(state: &AppState, caller: &Caller) -> Result<Check, Problem> {
    let broken = state.store().find_broken_audit_row(caller.scope.enterprise, Some(AUDIT_ROWS)).await?;
    Ok(match broken {
        None => Check::new("audit", true, "the audit's last rows are whole", "最近的审计记录完整"),
        Some(row) => {
            let en = format!(
                "the audit was changed from outside: its chain breaks at row {row}; restore a backup"
            );
            let zh = format!("审计被外部改动:链在第 {row} 行断开,请从备份恢复");
            let mut check = Check::new("audit", false, en, zh);
            check.value = row.into();
            check
        }
    })
}
