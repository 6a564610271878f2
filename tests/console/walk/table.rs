//! Who may what, by hand, from the design: never made from the code that it judges. A change of a right or of a route
//! must be made here too.

/// Each action with the roles that may do it: a = agent, l = lead, m = manager, y = analyst, u = auditor, x = admin,
/// o = the operator beside them. Behind the stroke: those who may where the organisation's switch says so.
pub const ACTIONS: &[(&str, &str, &str)] = &[
    ("organisation.edit", "x", ""),
    ("organisations.make", "o", ""),
    ("people.read", "lmux", ""),
    ("people.edit", "mx", ""),
    ("sessions.end", "mx", ""),
    ("groups.edit", "mx", ""),
    ("groups.members", "lmx", ""),
    ("tokens.edit", "mx", ""),
    ("campaigns.read", "lmyux", ""),
    ("floor.read", "lmyx", ""),
    ("campaigns.edit", "mx", ""),
    ("campaigns.run", "lmx", ""),
    ("lists.edit", "mx", ""),
    ("schedule.edit", "mx", ""),
    ("leads.edit", "mx", ""),
    ("leads.close", "lmx", ""),
    ("leads.add", "lmx", "a"),
    ("approvals.decide", "mx", ""),
    ("audio.edit", "mx", ""),
    ("caller_ids.edit", "mx", ""),
    ("blacklist.read", "lmyux", ""),
    ("blacklist.add", "almx", ""),
    ("blacklist.edit", "mx", ""),
    ("trunks.read", "mx", ""),
    ("trunks.test", "mx", ""),
    ("trunks.edit", "o", ""),
    ("seat.use", "almx", ""),
    ("seat.supervise", "lmx", ""),
    ("calls.read", "almyux", ""),
    ("recordings.play", "almyux", ""),
    ("numbers.read", "almx", "yu"),
    ("results.read", "lmyux", ""),
    ("exports.make", "myx", ""),
    ("notices.send", "lmx", ""),
    ("walls.make", "lmx", ""),
    ("knowledge.edit", "mx", ""),
    ("alarms.edit", "mx", ""),
    ("alarms.acknowledge", "lmx", ""),
    ("audit.read", "uxo", ""),
    ("health.read", "mxo", ""),
    ("system.read", "o", ""),
];

/// Whom a route admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admits {
    Anybody,
    SignedIn,
    /// Each role, and it is shown what is its own; a token with scopes needs this action.
    Shown(&'static str),
    Action(&'static str),
    /// Commands with the key file; no account and no token.
    Machine,
}

/// To whom, of those that a route admits, a row of their own organisation is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The path names no row, or none of an organisation.
    NoRow,
    /// Each role in the organisation and above.
    All,
    /// Agents and leads of the row's group, and whoever sees all.
    Group,
    /// Leads of the row's group, the agent itself, and whoever sees all.
    People,
    /// As `Group`, and nobody who is an agent.
    Leads,
    /// Admins: what somebody else has made for itself.
    Admins,
    /// Those who edit lists or sounds; the walk's callers have asked for none of the tasks.
    Maker,
    /// Its owner alone, who is none of the walk's callers.
    Owner,
}

use Admits::{Action, Anybody, Machine, Shown, SignedIn};
use Sight::{Admins, All, Group, Leads, Maker, NoRow, Owner, People};

pub const ROUTES: &[(&str, Admits, Sight)] = &[
    ("get /setup", Anybody, NoRow),
    ("post /setup", Anybody, NoRow),
    ("post /setup/sample", Action("campaigns.edit"), NoRow),
    ("post /sign-in", Anybody, NoRow),
    ("get /openapi.json", Anybody, NoRow),
    ("post /sign-out", SignedIn, NoRow),
    ("get /me", SignedIn, NoRow),
    ("patch /me", SignedIn, NoRow),
    ("post /me/verify", SignedIn, NoRow),
    ("post /me/password", SignedIn, NoRow),
    ("get /me/seat", Action("seat.use"), NoRow),
    ("post /me/actions", Action("seat.use"), NoRow),
    ("post /me/device-check", Action("seat.use"), NoRow),
    ("post /me/lock", SignedIn, NoRow),
    ("get /me/leads", Action("seat.use"), NoRow),
    ("post /me/leads/fetch", Action("seat.use"), NoRow),
    ("get /me/callbacks", Action("seat.use"), NoRow),
    ("get /colleagues", Action("seat.use"), NoRow),
    ("get /agents", Shown("people.read"), NoRow),
    ("post /agents", Action("people.edit"), NoRow),
    ("post /agents/batch", Action("people.edit"), NoRow),
    ("get /agents/{number}", Shown("people.read"), People),
    ("patch /agents/{number}", Action("people.edit"), People),
    ("delete /agents/{number}", Action("people.edit"), People),
    ("get /agents/{number}/sessions", Action("people.read"), People),
    ("delete /agents/{number}/sessions", Action("sessions.end"), People),
    ("get /agents/{number}/log", Shown("people.read"), People),
    ("get /agents/{number}/hours", Shown("people.read"), People),
    ("post /agents/{number}/phone-password", Action("people.edit"), People),
    ("post /agents/{number}/password", Action("people.edit"), People),
    ("put /agents/{number}/groups/{group}", Action("groups.members"), People),
    ("delete /agents/{number}/groups/{group}", Action("groups.members"), People),
    ("post /agents/{number}/actions", Action("seat.use"), People),
    ("get /groups", Shown("people.read"), NoRow),
    ("post /groups", Action("groups.edit"), NoRow),
    ("patch /groups/{group}", Action("groups.edit"), All),
    ("delete /groups/{group}", Action("groups.edit"), All),
    ("get /floor", Action("floor.read"), NoRow),
    ("get /live", Shown("floor.read"), NoRow),
    ("get /campaigns", Shown("campaigns.read"), NoRow),
    ("post /campaigns", Action("campaigns.edit"), NoRow),
    ("get /campaigns/{name}", Action("campaigns.read"), Leads),
    ("put /campaigns/{name}", Action("campaigns.edit"), All),
    ("patch /campaigns/{name}", Action("campaigns.edit"), All),
    ("delete /campaigns/{name}", Action("campaigns.edit"), All),
    ("get /campaigns/{name}/versions", Action("campaigns.read"), Leads),
    ("get /campaigns/{name}/versions/{n}", Action("campaigns.read"), Leads),
    ("get /campaigns/{name}/checklist", Action("campaigns.read"), Leads),
    ("post /campaigns/{name}/actions", Action("campaigns.run"), Leads),
    ("get /campaigns/{name}/why", Shown("campaigns.read"), Group),
    ("get /campaigns/{name}/series", Action("campaigns.read"), Leads),
    ("get /campaigns/{name}/decisions", Action("campaigns.read"), Leads),
    ("post /campaigns/{name}/forecasts", Action("campaigns.read"), Leads),
    ("get /campaigns/{name}/sums", Action("results.read"), Leads),
    ("get /aggregates", Action("results.read"), NoRow),
    ("get /campaigns/{name}/summary", Action("results.read"), Leads),
    ("get /campaigns/{name}/abandoned", Action("campaigns.read"), Leads),
    ("get /campaigns/{name}/vote", Action("results.read"), Leads),
    ("get /campaigns/{name}/vote/flats", Action("results.read"), Leads),
    ("get /campaigns/{name}/leads", Shown("campaigns.read"), Group),
    ("get /campaigns/{name}/leads/{lead}/why", Shown("campaigns.read"), Group),
    ("post /campaigns/{name}/leads", Action("leads.add"), Leads),
    ("post /campaigns/{name}/leads/actions", Action("leads.close"), Leads),
    ("get /leads/{id}", Shown("campaigns.read"), Group),
    ("post /leads/{id}/actions", Action("leads.close"), Leads),
    ("post /leads/{id}/corrections", Action("seat.use"), Group),
    ("get /today", Action("campaigns.read"), NoRow),
    ("get /search", SignedIn, NoRow),
    ("get /schedule", Action("campaigns.read"), NoRow),
    ("get /holidays", SignedIn, NoRow),
    ("put /holidays", Action("schedule.edit"), NoRow),
    ("get /version", Action("system.read"), NoRow),
    ("get /calls", Action("calls.read"), NoRow),
    ("get /views", SignedIn, NoRow),
    ("post /views", SignedIn, NoRow),
    ("patch /views/{id}", SignedIn, Owner),
    ("delete /views/{id}", SignedIn, Owner),
    ("get /calls/{attempt}/recording", Action("recordings.play"), People),
    ("get /calls/in/{call}/recording", Action("recordings.play"), People),
    ("get /calls/{attempt}/trace", Action("calls.read"), People),
    ("get /calls/{attempt}", Action("calls.read"), People),
    ("get /calls/in/{call}", Action("calls.read"), People),
    ("get /calls/{attempt}/peaks", Action("recordings.play"), People),
    ("get /calls/in/{call}/peaks", Action("recordings.play"), People),
    ("post /calls/{attempt}/story", Action("campaigns.read"), People),
    ("get /trunks", Action("trunks.read"), NoRow),
    ("post /trunks", Action("trunks.edit"), NoRow),
    ("get /trunks/{name}", Action("trunks.read"), NoRow),
    ("patch /trunks/{name}", Action("trunks.edit"), NoRow),
    ("delete /trunks/{name}", Action("trunks.edit"), NoRow),
    ("post /trunks/{name}/actions", Action("trunks.test"), NoRow),
    ("get /caller-ids", Action("caller_ids.edit"), NoRow),
    ("post /caller-ids", Action("caller_ids.edit"), NoRow),
    ("get /caller-ids/{caller_id}", Action("caller_ids.edit"), All),
    ("patch /caller-ids/{caller_id}", Action("caller_ids.edit"), All),
    ("post /caller-ids/{caller_id}/actions", Action("caller_ids.edit"), All),
    ("get /caller-ids/{caller_id}/health", Action("caller_ids.edit"), All),
    ("get /caller-ids/{caller_id}/proof", Action("caller_ids.edit"), All),
    ("post /caller-ids/{caller_id}/proof", Action("caller_ids.edit"), All),
    ("get /blacklist", Action("blacklist.read"), NoRow),
    ("post /blacklist", Action("blacklist.add"), NoRow),
    ("post /blacklist/removals", Action("blacklist.edit"), NoRow),
    ("delete /blacklist/{id}", Action("blacklist.edit"), All),
    ("post /blacklist/imports", Action("blacklist.edit"), NoRow),
    ("get /blacklist/imports", Action("blacklist.edit"), NoRow),
    ("get /blacklist/imports/{id}", Action("blacklist.edit"), All),
    ("post /blacklist/imports/{id}/actions", Action("blacklist.edit"), All),
    ("get /blacklist/sources", Action("blacklist.read"), NoRow),
    ("post /blacklist/sources/removals", Action("blacklist.edit"), NoRow),
    ("post /exports", Action("exports.make"), NoRow),
    ("get /exports", Action("exports.make"), NoRow),
    ("get /exports/key", SignedIn, NoRow),
    ("get /exports/{id}", Action("exports.make"), Admins),
    ("get /exports/{id}/file", Action("exports.make"), Admins),
    ("get /exports/{id}/manifest", Action("exports.make"), Admins),
    ("delete /exports/{id}", Action("exports.make"), Admins),
    ("get /organisations", Action("organisations.make"), NoRow),
    ("post /organisations", Action("organisations.make"), NoRow),
    ("get /organisations/{slug}", Action("organisation.edit"), All),
    ("patch /organisations/{slug}", Action("organisation.edit"), All),
    ("post /organisations/{slug}/actions", Action("organisations.make"), NoRow),
    ("get /pause-reasons", SignedIn, NoRow),
    ("put /pause-reasons", Action("organisation.edit"), NoRow),
    ("get /audit", Action("audit.read"), NoRow),
    ("get /health", Action("health.read"), NoRow),
    ("get /config", Action("system.read"), NoRow),
    ("get /tokens", Action("tokens.edit"), NoRow),
    ("post /tokens", Action("tokens.edit"), NoRow),
    ("delete /tokens/{id}", Action("tokens.edit"), All),
    ("post /campaigns/{name}/lists", Action("lists.edit"), All),
    ("get /campaigns/{name}/lists", Action("lists.edit"), All),
    ("get /lists/{id}", Action("lists.edit"), All),
    ("patch /lists/{id}", Action("lists.edit"), All),
    ("get /lists/{id}/rows", Action("lists.edit"), All),
    ("get /lists/{id}/report", Action("lists.edit"), All),
    ("get /lists/{id}/fix.csv", Action("lists.edit"), All),
    ("get /lists/{id}/fix.xlsx", Action("lists.edit"), All),
    ("get /lists/{id}/file", Action("lists.edit"), All),
    ("post /lists/{id}/actions", Action("lists.edit"), All),
    ("get /audio", Action("audio.edit"), NoRow),
    ("post /audio", Action("audio.edit"), NoRow),
    ("get /audio/{id}", Action("audio.edit"), All),
    ("get /audio/{id}/sound", Action("audio.edit"), All),
    ("get /audio/{id}/peaks", Action("audio.edit"), All),
    ("post /audio/{id}/actions", Action("audio.edit"), All),
    ("get /approvals", Action("approvals.decide"), NoRow),
    ("post /approvals/{id}/actions", Action("approvals.decide"), All),
    ("get /tasks", SignedIn, NoRow),
    ("get /tasks/{id}", SignedIn, Maker),
    ("post /tasks/{id}/actions", SignedIn, Maker),
    ("post /local/list-changes", Machine, NoRow),
    ("get /local/list-changes/{id}", Machine, NoRow),
];

/// Routes for people alone: a program has no seat, no password and no preferences.
pub const PEOPLES_OWN: &[&str] = &[
    "get /me/seat",
    "post /me/actions",
    "post /me/device-check",
    "get /me/leads",
    "post /me/leads/fetch",
    "get /me/callbacks",
    "post /me/lock",
    "patch /me",
    "post /me/verify",
    "post /me/password",
    "post /leads/{id}/corrections",
    "get /views",
    "post /views",
    "patch /views/{id}",
    "delete /views/{id}",
];

/// Files and rows of lists, which need `numbers.read` beside their right.
pub const NUMBERS_TOO: &[&str] =
    &["get /lists/{id}/rows", "get /lists/{id}/fix.csv", "get /lists/{id}/fix.xlsx", "get /lists/{id}/file"];

/// Files whose maker read numbers whole: a reader who may not is refused where there is a file.
pub const NUMBERS_OF_ROW: &[&str] = &["get /exports/{id}/file", "get /exports/{id}/manifest"];

/// What a role that a route admits is refused in part: with this status, on rows of its own too.
pub const IN_PART: &[(&str, char, u16)] = &[
    // Agents see workplaces, not the table of leads.
    ("get /campaigns/{name}/leads", 'a', 403),
    // A shift lead supervises; in an agent's name acts the agent, a manager or an admin.
    ("post /agents/{number}/actions", 'l', 403),
    // A view is of a page that agents do not have.
    ("post /views", 'a', 403),
    // These people are not at work.
    ("get /me/seat", 'a', 404),
    ("get /me/seat", 'l', 404),
    ("get /me/seat", 'm', 404),
    ("get /me/seat", 'x', 404),
];

/// The letters of the roles that a route admits, `*` = strangers too.
pub fn admitted(route: &str) -> String {
    let row = ROUTES.iter().find(|(name, ..)| *name == route);
    match row.unwrap_or_else(|| panic!("{route} is not in the table of the walk")).1 {
        Anybody => "*".into(),
        SignedIn | Shown(_) => "almyux".into(),
        Action(action) => roles_of(action).into(),
        Machine => String::new(),
    }
}

/// The letters of the roles that may do an action, without any switch.
pub fn roles_of(action: &str) -> &'static str {
    let row = ACTIONS.iter().find(|(name, ..)| *name == action);
    row.unwrap_or_else(|| panic!("{action} is not in the table of the walk")).1
}
