//! What a campaign needs before it starts: stops, and advice. The same list answers a refused start.

use super::app_state::AppState;
use super::auth::Caller;
use super::caller_id_campaigns::{listed, not_registered};
use super::campaign_text::NamedFiles;
use super::campaign_views::{StateFacts, group_of, who_decides};
use super::campaigns::find;
use super::problem::Problem;
use super::shown_number::{NumberSight, shown_text};
use super::test_call::last_test;
use super::visible_campaigns;
use crate::config::{ConfigError, LoadedCampaign};
use crate::store::campaign_rows::CampaignRow;
use crate::store::list_uploads::UploadState;
use crate::store::{AgentRow, StoreError};
use crate::text::{Lang, TimeFormat, fault_lines_zh};
use axum::Json;
use axum::extract::{Path, State};
use paceline_core::agent::SeatView;
use paceline_core::campaign::Mode;
use paceline_core::campaign::caller_id::{RegisteredNumber, Usage};
use paceline_core::campaign::window::{FOREVER, WindowState};
use paceline_core::explain;
use paceline_core::ids::RegisterId;
use serde_json::{Value, json};

pub(super) const CODES: [&str; 10] = [
    "list",
    "approvals",
    "hours",
    "caller_ids",
    "announcement",
    "trunks",
    "agents",
    "blacklist",
    "settings",
    "test_call",
];

/// One line of the checklist.
struct Item {
    code: &'static str,
    is_stop: bool,
    ok: bool,
    en: String,
    zh: String,
    href: Option<String>,
    who: Option<Value>,
}

impl Item {
    fn view(&self) -> Value {
        json!({
            "code": self.code,
            "level": if self.is_stop { "stop" } else { "advice" },
            "ok": self.ok,
            "words": { "en": self.en, "zh": self.zh },
            "href": self.href,
            "who": self.who,
        })
    }
}

fn stop(code: &'static str, ok: bool, en: impl Into<String>, zh: impl Into<String>) -> Item {
    Item { code, is_stop: true, ok, en: en.into(), zh: zh.into(), href: None, who: None }
}

fn advice(code: &'static str, ok: bool, en: impl Into<String>, zh: impl Into<String>) -> Item {
    Item { is_stop: false, ..stop(code, ok, en, zh) }
}

impl Item {
    fn at(self, href: String) -> Item {
        Item { href: Some(href), ..self }
    }

    fn by(self, who: Value) -> Item {
        Item { who: Some(who), ..self }
    }
}

/// A checklist that was gone through.
pub(super) struct Checked {
    items: Vec<Item>,
}

impl Checked {
    pub fn is_ready(&self) -> bool {
        self.items.iter().all(|item| item.ok || !item.is_stop)
    }

    pub fn view(&self) -> Value {
        json!({ "ready": self.is_ready(), "items": self.items.iter().map(Item::view).collect::<Vec<_>>() })
    }

    /// The stops that do not let it start.
    pub fn stops(&self) -> Vec<Value> {
        self.items.iter().filter(|item| item.is_stop && !item.ok).map(Item::view).collect()
    }

    /// Whether an approval is among the stops.
    pub fn waits(&self) -> bool {
        self.items.iter().any(|item| item.code == "approvals" && !item.ok)
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let row = find(&state, &caller, &name).await?;
    let facts = StateFacts::load(&state, &caller.scope).await?;
    Ok(Json(check(&state, &caller, &row, &facts).await?.view()))
}

/// Goes through the checklist of a campaign.
pub(super) async fn check(
    state: &AppState,
    caller: &Caller,
    row: &CampaignRow,
    facts: &StateFacts,
) -> Result<Checked, Problem> {
    let files = NamedFiles::of(state, caller, &row.toml, Some(row)).await?;
    let mut read = LoadedCampaign::parse_row(&row.toml, files.files(), state.config());
    if let Ok(loaded) = &mut read {
        visible_campaigns::add_holidays(state, row, loaded).await?;
    }
    let loaded = read.as_ref().ok();
    let zone = loaded.map_or_else(TimeFormat::utc, |it| TimeFormat::in_zone(&it.rules.windows.timezone));
    let items = vec![
        list_item(state, row).await?,
        approvals_item(row, facts, caller.sight()),
        hours_item(state, row, loaded, &zone),
        caller_ids_item(state, row, loaded).await?,
        announcement_item(state, row, loaded).await?,
        trunks_item(state, loaded),
        agents_item(state, caller, row, loaded).await?,
        blacklist_item(state, row).await?,
        settings_item(row, &read),
        test_call_item(state, row, &zone).await?,
    ];
    Ok(Checked { items })
}

fn settings_href(row: &CampaignRow) -> String {
    format!("/campaigns/{}/settings", row.name)
}

async fn list_item(state: &AppState, row: &CampaignRow) -> Result<Item, Problem> {
    let href = format!("/campaigns/{}/lists", row.name);
    let item = match (row.has_list, row.has_open_leads) {
        (false, _) => return Ok(no_list_item(state, row).await?),
        (true, false) => {
            stop("list", false, "no lead is left to call: load a further list", "名单已打完:请再载入一份")
        }
        (true, true) => {
            let counts = state.store().open_and_blacklisted(row.id).await?;
            let (open, listed) = (grouped(counts.open), grouped(counts.blacklisted));
            let (mut en, mut zh) = (format!("leads to call: {open}"), format!("{open} 可拨"));
            if counts.blacklisted > 0 {
                en += &format!("; on the blacklist: {listed}");
                zh += &format!(",{listed} 在黑名单");
            }
            stop("list", true, en, zh)
        }
    };
    Ok(item.at(href))
}

/// No row is loaded: the newest uploaded list says what is missing.
async fn no_list_item(state: &AppState, row: &CampaignRow) -> Result<Item, StoreError> {
    let href = format!("/campaigns/{}/lists", row.name);
    let newest = state.store().uploads(row.enterprise, row.id, None, 1).await?.pop();
    let Some(list) = newest else {
        let item = stop("list", false, "there is no list: upload one and load it", "还没有名单:请上传并载入");
        return Ok(item.at(href));
    };
    let (en, zh) = match list.state {
        UploadState::Receiving | UploadState::Checking => ("a list is being checked", "名单正在检查"),
        UploadState::Loading => ("a list is being loaded", "名单正在载入"),
        UploadState::Checked => {
            ("a list is checked and not loaded yet: load it", "名单已检查,尚未载入:请载入")
        }
        UploadState::Waiting => ("a list waits for its approval", "名单等待审批"),
        UploadState::Refused => ("the list was not approved: read why", "名单审批未通过:请看原因"),
        UploadState::Unreadable => ("the list cannot be read: read why", "名单无法读取:请看原因"),
        UploadState::Loaded | UploadState::Undone | UploadState::Discarded => {
            ("no list is loaded: upload one and load it", "没有载入的名单:请上传并载入")
        }
    };
    let item = stop("list", false, en, zh).at(format!("{href}/{}", list.id.0));
    Ok(if list.state == UploadState::Waiting { item.by(who_decides()) } else { item })
}

/// `31,077`
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

fn approvals_item(row: &CampaignRow, facts: &StateFacts, sight: NumberSight) -> Item {
    let titles: Vec<String> =
        facts.waiting(row).iter().map(|bytes| shown_text(&bytes.title, sight)).collect();
    if !facts.waits(row) {
        return stop("approvals", true, "nothing that it needs waits for an approval", "没有需要等待的审批");
    }
    let titles = titles.join(", ");
    stop("approvals", false, format!("waits for an approval: {titles}"), format!("等待审批:{titles}"))
        .at("/approvals".to_owned())
        .by(who_decides())
}

fn hours_item(
    state: &AppState,
    row: &CampaignRow,
    loaded: Option<&LoadedCampaign>,
    zone: &TimeFormat,
) -> Item {
    let (now, Some(rules)) = (state.now(), loaded.map(|it| &it.rules)) else {
        return stop("hours", true, "see the settings", "见设置").at(settings_href(row));
    };
    let item = match explain::hours(rules, now) {
        _ if rules.end.is_some_and(|end| end <= now) => {
            stop("hours", false, "its end is past: set a later one", "结束时间已过:请改晚一些")
        }
        WindowState::OpenUntil(_) if rules.windows.by_number => {
            stop("hours", true, "open in the hours of each number's own zone", "按每个号码所在地的时段拨打")
        }
        WindowState::OpenUntil(FOREVER) => stop("hours", true, "open at any hour", "任何时间均可拨打"),
        WindowState::OpenUntil(until) => {
            let is_today = zone.written(until, "%F") == zone.written(now, "%F");
            let at = zone.written(until, if is_today { "%H:%M" } else { "%m-%d %H:%M" });
            let today = if is_today { "今天" } else { "" };
            stop("hours", true, format!("open until {at}"), format!("{today}可拨打至 {at}"))
        }
        WindowState::ClosedUntil(Some(opens)) => {
            let at = zone.written(opens, "%m-%d %H:%M");
            let holiday = rules.windows.holiday_at(now);
            let [en, zh] = [Lang::En, Lang::Zh].map(|lang| holiday.map(|it| lang.holiday(&it)));
            let en = en.map(|holiday| format!("{holiday}: ")).unwrap_or_default();
            let zh = zh.map(|holiday| format!("{holiday},")).unwrap_or_default();
            let (en, zh) = (format!("{en}calls begin at {at}"), format!("{zh}{at} 起拨打"));
            stop("hours", true, en, zh)
        }
        WindowState::ClosedUntil(None) => stop(
            "hours",
            false,
            "its calling hours never open: change hours, holidays, start or end",
            "拨打时段不再开放:请修改时段、节假日或起止时间",
        ),
    };
    item.at(settings_href(row))
}

async fn caller_ids_item(
    state: &AppState,
    row: &CampaignRow,
    loaded: Option<&LoadedCampaign>,
) -> Result<Item, Problem> {
    let Some(rules) = loaded.map(|it| &it.rules.caller_ids).filter(|rules| !rules.numbers.is_empty()) else {
        let item = advice(
            "caller_ids",
            false,
            "no number to show: callees see what the carrier sets",
            "未设定外显号码:由运营商决定",
        );
        return Ok(item.at(settings_href(row)));
    };
    // One number without a cap is enough for any number of calls.
    let (now, mut left) = (state.now(), Some(0_u64));
    let said = state.store().registered_numbers().await?;
    let is_own = |it: &RegisteredNumber| it.register == RegisterId(row.enterprise);
    let is_kept_back =
        |number| said.numbers.iter().any(|it| is_own(it) && it.number == number && it.usage == Usage::Not);
    let is_shown = |number| !is_kept_back(number);
    let usable: Vec<_> = rules.numbers.iter().filter(|it| is_shown(it.number)).collect();
    if usable.is_empty() {
        let en = "the register lets none of its numbers be shown: they rest, or are not whitelisted yet";
        let item = stop("caller_ids", false, en, "号码登记中没有可外显的号码:休息中或尚未加白");
        return Ok(item.at("/caller-ids".to_owned()));
    }
    for caller_id in &usable {
        let uses = state.store().caller_id_uses(row.enterprise, caller_id.number, now).await?;
        let own = rules.left_today(uses.last_day, uses.first, now);
        left = left.zip(own).map(|(sum, own)| sum + u64::from(own));
    }
    let unknown = match loaded {
        Some(loaded) => not_registered(state, row.enterprise, loaded).await?,
        None => Vec::new(),
    };
    if !unknown.is_empty() && left != Some(0) {
        let (en, zh) = listed(&unknown);
        let en = format!(
            "not in the register of caller IDs: {en}; enter it, so that its holder and its health are kept"
        );
        let zh = format!("未登记的外显号码:{zh};请先登记,以便记录持有人与健康");
        return Ok(advice("caller_ids", false, en, zh).at("/caller-ids".to_owned()));
    }
    let n = usable.len();
    let numbers = if n == 1 { "1 number".to_owned() } else { format!("{n} numbers") };
    let item = match left {
        None => advice(
            "caller_ids",
            true,
            format!("{numbers}, without a limit per day"),
            format!("{n} 个号码,每天不限次数"),
        ),
        Some(0) => advice(
            "caller_ids",
            false,
            format!("{numbers}, each at its limit of the last 24 hours: calls wait"),
            format!("{n} 个号码,24 小时内的次数均已用完:需等待"),
        ),
        Some(left) => {
            let left = grouped(left);
            advice(
                "caller_ids",
                true,
                format!("{numbers}, for {left} more calls within 24 hours"),
                format!("{n} 个号码,24 小时内合计还可用 {left} 次"),
            )
        }
    };
    Ok(item.at(settings_href(row)))
}

async fn announcement_item(
    state: &AppState,
    row: &CampaignRow,
    loaded: Option<&LoadedCampaign>,
) -> Result<Item, Problem> {
    let Some(loaded) = loaded.filter(|it| it.rules.mode == Mode::Announce) else {
        return Ok(stop("announcement", true, "it needs no announcement", "不需要录音"));
    };
    let name = &loaded.written.announcement.file;
    if loaded.announcement.is_none() {
        let item =
            stop("announcement", false, "it has no announcement: choose a sound", "没有录音:请选择一个");
        return Ok(item.at(settings_href(row)));
    }
    let files = state.store().campaign_files(row.id).await?;
    let word = files.iter().find(|file| file.name == *name).and_then(|file| file.audio.as_ref());
    let (ok, en, zh) = match word.map(|(_, word)| word.as_str()) {
        Some("measuring") => (false, "the sound is being measured: wait a moment", "录音正在检查,请稍候"),
        Some("unreadable") => {
            (false, "the sound cannot be played: upload another", "录音无法播放:请另传一个")
        }
        Some("refused") => (false, "the sound was refused: choose another", "录音未获批准:请换一个"),
        _ => (true, "the announcement is there", "录音已就绪"),
    };
    Ok(stop("announcement", ok, en, zh).at("/audio".to_owned()))
}

fn trunks_item(state: &AppState, loaded: Option<&LoadedCampaign>) -> Item {
    let board = state.engine().board();
    let board = board.borrow();
    let own = loaded.map(|it| it.rules.trunks.as_slice()).unwrap_or_default();
    let named = own.iter().filter_map(|trunk| board.trunk(*trunk));
    let item = match named.into_iter().any(|trunk| trunk.up) {
        true => advice("trunks", true, "a trunk is in use", "有可用中继"),
        false => advice(
            "trunks",
            false,
            "no trunk of it is in use now: nothing is called until one is",
            "目前没有可用中继:恢复前不会拨打",
        ),
    };
    item.at("/trunks".to_owned())
}

async fn agents_item(
    state: &AppState,
    caller: &Caller,
    row: &CampaignRow,
    loaded: Option<&LoadedCampaign>,
) -> Result<Item, Problem> {
    let needs =
        loaded.map_or(row.mode != "announce", |it| it.rules.mode != Mode::Announce || it.group.is_some());
    if !needs {
        return Ok(stop("agents", true, "it needs no agents", "不需要坐席"));
    }
    let Some(name) = group_of(&row.toml) else {
        let item = stop("agents", false, "it names no group of agents: choose one", "没有坐席组:请选择一个");
        return Ok(item.at(settings_href(row)));
    };
    let groups = state.groups_in(&caller.scope).await?;
    let Some(group) = groups.iter().find(|it| it.group.name == name) else {
        let en = format!("there is no group {name}: make it, or choose another");
        return Ok(
            stop("agents", false, en, format!("没有坐席组 {name}:请新建或换一个")).at("/groups".to_owned())
        );
    };
    let agents = state.agents_in(&caller.scope).await?;
    let members = agents.iter().filter(|row| row.groups.iter().any(|it| it.group == group.group.id)).count();
    let is_simulated = |row: &AgentRow| {
        row.simulated_for.is_some() && row.groups.iter().any(|it| it.group == group.group.id)
    };
    let rings = loaded.is_some_and(|it| it.rules.trunks != [state.config().simulated_trunk()]);
    if rings && agents.iter().any(is_simulated) {
        let en = format!(
            "the agents of the group {name} are simulated, and real phones would ring: choose another"
        );
        let zh = format!("坐席组 {name} 是模拟坐席,而本活动会拨打真实电话:请换一个坐席组");
        return Ok(stop("agents", false, en, zh).at(settings_href(row)));
    }
    let ok = members > 0;
    let board = state.engine().board();
    let is_here = |seat: &SeatView| seat.signed_in_at.is_some() && seat.groups.contains(&group.group.id);
    let here = board.borrow().seats.values().filter(|seat| is_here(seat)).count();
    let en = format!("{name}: signed in {here} of {members} agents");
    Ok(stop("agents", ok, en, format!("{name} 在岗 {here} / 成员 {members}")).at("/groups".to_owned()))
}

async fn blacklist_item(state: &AppState, row: &CampaignRow) -> Result<Item, Problem> {
    let item = match state.store().has_blacklist(row.id).await? {
        true => advice("blacklist", true, "there is a blacklist", "已有黑名单"),
        false => advice(
            "blacklist",
            false,
            "no number is on a blacklist: load the numbers that must not be called",
            "没有黑名单:请载入不可拨打的号码",
        ),
    };
    Ok(item.at("/blacklist".to_owned()))
}

fn settings_item(row: &CampaignRow, read: &Result<LoadedCampaign, ConfigError>) -> Item {
    let item = match read {
        Ok(_) => stop("settings", true, "its settings have no fault", "设置没有错误"),
        Err(error) => stop(
            "settings",
            false,
            format!("its settings have faults: {error}"),
            format!("设置有 {} 处错误,请改正:{}", error.problems.len(), fault_lines_zh(&error.to_string())),
        ),
    };
    item.at(settings_href(row))
}

async fn test_call_item(state: &AppState, row: &CampaignRow, zone: &TimeFormat) -> Result<Item, Problem> {
    let item = match state.store().last_test_call(row.id).await? {
        Some(last) => {
            let (ok, en, zh) = last_test(&last, row.changed_at, zone);
            advice("test_call", ok, en, zh)
        }
        None => advice("test_call", false, "no test call was made yet", "还没有试拨过"),
    };
    Ok(item.at(format!("/campaigns/{}/start#test", row.name)))
}
