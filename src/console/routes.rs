//! The table of routes: path, right, query, body, handler. The router and the OpenAPI document are both
//! made from it, so they cannot differ.

use super::app_state::AppState;
use super::auth;
use super::parameters::{Form, Parameter};
use super::rights::{Action, Right};
pub use super::route::{Answer, BodySchema, ROOT, Route};
use super::{
    accounts, actions, agent_hours, agents, answers, audit, blacklist, floor, groups, live, openapi,
    organisations, records, sessions, setup, tokens, why,
};
use axum::Json;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post, put};
use schemars::schema_for;
use serde_json::Value;

macro_rules! body {
    ($name:ty, $example:literal) => {
        BodySchema::Json(stringify!($name), || schema_for!($name), $example)
    };
}

macro_rules! answer {
    ($name:ident) => {
        Answer::Json(stringify!($name), answers::schema::<answers::$name>)
    };
}

use accounts::{NewPassword, OwnChange, SignIn};
use actions::CampaignAction;
use agents::{AgentChange, NewAgent, NewAgents, PasswordRequest};
use blacklist::{BlacklistRemoval, BlacklistRequest};
use floor::CampaignRequest;
use groups::{GroupRequest, MembershipChange};
use organisations::{NewOrganisation, OrganisationAction, OrganisationChange, PauseReasons};
use records::CorrectionRequest;
use sessions::PasswordAgain;
use setup::FirstAccount;
use tokens::NewToken;

const NONE: &[Parameter] = &[];

const fn parameter(
    name: &'static str,
    form: Form,
    description: &'static str,
    example: &'static str,
) -> Parameter {
    Parameter { name, form, description, example }
}

/// The largest number that a client in JavaScript holds exactly.
const WHOLE_MAX: i64 = (1 << 53) - 1;
const SECS_MAX: i64 = 24 * 3_600;

/// Filters of the call log.
const CALLS: &[Parameter] = &[
    parameter("agent", Form::Text, "Calls of the agent with this number", "8001"),
    parameter("number", Form::Telephone, "Calls with this number on the other side", "13800138000"),
    parameter("campaign", Form::Text, "Calls of the campaign with this name", "spring"),
    parameter("lead", Form::Whole(1, WHOLE_MAX), "Calls to the lead with this id", "17"),
    parameter("outcome", Form::Outcome, "Outbound calls with this outcome", "answered"),
    parameter("disposition", Form::Text, "Calls with this code of an agent's summary", "voted"),
    parameter("result", Form::Text, "Outbound calls in which a key set this result", "agree"),
    parameter("trunk", Form::Text, "Outbound calls on this trunk", "main"),
    parameter("ended_by", Form::EndedBy, "Calls that this side ended", "callee"),
    parameter("talk_min", Form::Whole(0, SECS_MAX), "Least seconds from the answer to the end", "10"),
    parameter("talk_max", Form::Whole(0, SECS_MAX), "Most seconds from the answer to the end", "600"),
    parameter("recorded", Form::Word(&["true", "false"]), "Whether a recording was made", "true"),
    parameter(
        "from",
        Form::Moment,
        "Calls placed or arrived at this moment or later",
        "2026-03-02T00:00:00+08:00",
    ),
    parameter(
        "until",
        Form::Moment,
        "Calls placed or arrived before this moment",
        "2036-03-03T00:00:00+08:00",
    ),
    parameter(
        "direction",
        Form::Word(&["out", "in"]),
        "Outbound or inbound calls; without it outbound",
        "out",
    ),
    parameter("before", Form::Whole(1, WHOLE_MAX), "The page after the one whose `next` this is", "1000"),
    parameter("limit", Form::Whole(1, 500), "Calls a page; without it 50", "50"),
];

/// Filters of the audit.
const AUDIT: &[Parameter] = &[
    parameter("actor", Form::Text, "Rows of actors whose number or name begins so", "8003"),
    parameter("subject", Form::Text, "A kind, or a kind and a name", "agent:8001"),
    parameter("action", Form::Text, "Rows of this action", "people.edit"),
    parameter("from", Form::Moment, "Rows at this moment or later", "2026-03-02T00:00:00+08:00"),
    parameter("until", Form::Moment, "Rows before this moment", "2036-03-03T00:00:00+08:00"),
    parameter("after", Form::Whole(1, WHOLE_MAX), "The page after the one whose `next` this is", "1000"),
    parameter("limit", Form::Whole(1, 500), "Rows a page; without it 50", "50"),
];

const PART: &[Parameter] =
    &[parameter("part", Form::Whole(1, 1_000), "A call recorded in parts has several files: 1, 2, …", "1")];

/// Every route of the API.
pub const ROUTES: &[Route] = &[
    Route {
        method: "get",
        path: "/setup",
        right: Right::Public,
        summary: "Whether the service has no account yet, and whether sign-in asks for the organisation",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(SetupStatus),
        handler: || get(setup::status),
    },
    Route {
        method: "post",
        path: "/setup",
        right: Right::Public,
        summary: "Makes the first account, with the set-up code that the service printed, and signs it in",
        query: NONE,
        body: body!(
            FirstAccount,
            r#"{"code":"7K2M-9QXA","name":"王敏","login":"wangmin","password":"correct horse","language":"zh"}"#
        ),
        status: 200,
        answer: answer!(Me),
        handler: || post(setup::make_first_account),
    },
    Route {
        method: "post",
        path: "/sign-in",
        right: Right::Public,
        summary: "Signs a person in; sets the session cookie",
        query: NONE,
        body: body!(SignIn, r#"{"login":"ana","password":"correct horse"}"#),
        status: 200,
        answer: answer!(Me),
        handler: || post(accounts::sign_in),
    },
    Route {
        method: "post",
        path: "/sign-out",
        right: Right::SignedIn,
        summary: "Signs out: ends this session",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        answer: Answer::Empty,
        handler: || post(accounts::sign_out),
    },
    Route {
        method: "get",
        path: "/me",
        right: Right::SignedIn,
        summary: "The caller's own account",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Me),
        handler: || get(accounts::me),
    },
    Route {
        method: "patch",
        path: "/me",
        right: Right::SignedIn,
        summary: "Changes the caller's preferences, and the telephone that is called for a shift",
        query: NONE,
        body: body!(
            OwnChange,
            r#"{"preferences":{"language":"zh","theme":"dark","keys":{"hang_up":"Alt+G"}},"telephone":"13800138000"}"#
        ),
        status: 200,
        answer: answer!(Me),
        handler: || patch(accounts::change_me),
    },
    Route {
        method: "post",
        path: "/me/verify",
        right: Right::SignedIn,
        summary: "Types the password again: unlocks the screen and the session goes on",
        query: NONE,
        body: body!(PasswordAgain, r#"{"password":"correct horse"}"#),
        status: 204,
        answer: Answer::Empty,
        handler: || post(sessions::verify),
    },
    Route {
        method: "post",
        path: "/me/password",
        right: Right::SignedIn,
        summary: "A new password; every other screen of the account is signed out",
        query: NONE,
        body: body!(NewPassword, r#"{"old":"correct horse","new":"battery staple"}"#),
        status: 200,
        answer: answer!(Me),
        handler: || post(accounts::change_password),
    },
    Route {
        method: "get",
        path: "/me/seat",
        right: Right::Action(Action::SeatUse),
        summary: "The caller's own seat",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Seat),
        handler: || get(floor::my_seat),
    },
    Route {
        method: "post",
        path: "/me/actions",
        right: Right::Action(Action::SeatUse),
        summary: "An action of the caller: sign in to work, pause, dial, hold, transfer, summarise, supervise",
        query: NONE,
        body: BodySchema::AgentAction,
        status: 200,
        answer: answer!(Done),
        handler: || post(actions::own_action),
    },
    Route {
        method: "post",
        path: "/me/device-check",
        right: Right::Action(Action::SeatUse),
        summary: "Listens to the caller's phone for some seconds, plays it back and says how good it is",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(DeviceCheckResult),
        handler: || post(actions::device_check),
    },
    Route {
        method: "get",
        path: "/agents",
        right: Right::SignedIn,
        summary: "Accounts that the caller may see: one's own, a lead's groups, or all",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Agents),
        handler: || get(agents::agents),
    },
    Route {
        method: "post",
        path: "/agents",
        right: Right::Action(Action::PeopleEdit),
        summary: "Adds an account; answers with the sheet for the agent's phone, its password shown once",
        query: NONE,
        body: body!(
            NewAgent,
            r#"{"name":"安娜","groups":["vote"],"skills":["cantonese"],"telephone":"13800138000"}"#
        ),
        status: 201,
        answer: answer!(AgentAdded),
        handler: || post(agents::add_agent),
    },
    Route {
        method: "post",
        path: "/agents/batch",
        right: Right::Action(Action::PeopleEdit),
        summary: "Adds up to 100 accounts, each with its sheet; needs an Idempotency-Key",
        query: NONE,
        body: body!(NewAgents, r#"{"agents":[{"name":"安娜"},{"name":"李芳","role":"lead"}]}"#),
        status: 200,
        answer: answer!(AgentBatch),
        handler: || post(agents::add_agents),
    },
    Route {
        method: "get",
        path: "/agents/{number}/sessions",
        right: Right::Action(Action::PeopleRead),
        summary: "The console sessions of an account",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Sessions),
        handler: || get(sessions::list),
    },
    Route {
        method: "delete",
        path: "/agents/{number}/sessions",
        right: Right::Action(Action::SessionsEnd),
        summary: "Ends every console session of an account",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        answer: Answer::Empty,
        handler: || delete(sessions::end),
    },
    Route {
        method: "get",
        path: "/agents/{number}/log",
        right: Right::SignedIn,
        summary: "An agent's day: each state with its beginning and length",
        query: &[
            parameter("day", Form::Text, "The day; without it today", "2026-03-02"),
            parameter("zone", Form::Text, "The time zone of the day", "Asia/Shanghai"),
        ],
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(AgentLog),
        handler: || get(agent_hours::log),
    },
    Route {
        method: "get",
        path: "/agents/{number}/hours",
        right: Right::SignedIn,
        summary: "Seconds by state and day, of one agent",
        query: &[
            parameter("from", Form::Text, "The first day; without it the last", "2026-03-02"),
            parameter("until", Form::Text, "The last day, included; without it today", "2026-03-02"),
            parameter("zone", Form::Text, "The time zone of the days", "Asia/Shanghai"),
        ],
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(AgentHours),
        handler: || get(agent_hours::hours),
    },
    Route {
        method: "get",
        path: "/agents/{number}",
        right: Right::SignedIn,
        summary: "One account",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Account),
        handler: || get(agents::agent),
    },
    Route {
        method: "patch",
        path: "/agents/{number}",
        right: Right::Action(Action::PeopleEdit),
        summary: "Changes an account; the number stays",
        query: NONE,
        body: body!(AgentChange, r#"{"name":"Ana","recorded":true}"#),
        status: 200,
        answer: answer!(Account),
        handler: || patch(agents::change_agent),
    },
    Route {
        method: "delete",
        path: "/agents/{number}",
        right: Right::Action(Action::PeopleEdit),
        summary: "Removes an account; its calls and its number stay",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        answer: Answer::Empty,
        handler: || delete(agents::remove_agent),
    },
    Route {
        method: "post",
        path: "/agents/{number}/phone-password",
        right: Right::Action(Action::PeopleEdit),
        summary: "A new password for the agent's phone, with the sheet; the old one is void",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(PhonePassword),
        handler: || post(agents::phone_password),
    },
    Route {
        method: "post",
        path: "/agents/{number}/password",
        right: Right::Action(Action::PeopleEdit),
        summary: "A new password for the console; the account's screens are signed out",
        query: NONE,
        body: body!(PasswordRequest, r#"{"password":"battery staple"}"#),
        status: 200,
        answer: answer!(ConsolePassword),
        handler: || post(agents::console_password),
    },
    Route {
        method: "put",
        path: "/agents/{number}/groups/{group}",
        right: Right::Action(Action::GroupsMembers),
        summary: "Adds an agent to a group, or changes priority and use of the membership",
        query: NONE,
        body: body!(MembershipChange, r#"{"priority":2,"in_use":true}"#),
        status: 200,
        answer: answer!(Account),
        handler: || put(groups::set_membership),
    },
    Route {
        method: "delete",
        path: "/agents/{number}/groups/{group}",
        right: Right::Action(Action::GroupsMembers),
        summary: "Removes an agent from a group",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Account),
        handler: || delete(groups::drop_membership),
    },
    Route {
        method: "post",
        path: "/agents/{number}/actions",
        right: Right::Action(Action::SeatUse),
        summary: "An action in an agent's name: by the agent, a manager, an admin or a program of theirs",
        query: NONE,
        body: BodySchema::AgentAction,
        status: 200,
        answer: answer!(Done),
        handler: || post(actions::agent_action),
    },
    Route {
        method: "get",
        path: "/groups",
        right: Right::SignedIn,
        summary: "Groups that the caller may see, with their members",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Groups),
        handler: || get(groups::groups),
    },
    Route {
        method: "post",
        path: "/groups",
        right: Right::Action(Action::GroupsEdit),
        summary: "A new group",
        query: NONE,
        body: BodySchema::Json(
            "NewGroup",
            groups::new_group_schema,
            r#"{"name":"evening","telephones":true,"seats":40}"#,
        ),
        status: 201,
        answer: answer!(GroupAnswer),
        handler: || post(groups::add_group),
    },
    Route {
        method: "patch",
        path: "/groups/{group}",
        right: Right::Action(Action::GroupsEdit),
        summary: "Changes a group",
        query: NONE,
        body: body!(GroupRequest, r#"{"telephones":true,"seats":40}"#),
        status: 200,
        answer: answer!(GroupAnswer),
        handler: || patch(groups::change_group),
    },
    Route {
        method: "delete",
        path: "/groups/{group}",
        right: Right::Action(Action::GroupsEdit),
        summary: "Removes a group; its members stay in their other groups",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        answer: Answer::Empty,
        handler: || delete(groups::remove_group),
    },
    Route {
        method: "get",
        path: "/floor",
        right: Right::Action(Action::FloorRead),
        summary: "Every seat and campaign that the caller may see",
        query: &[parameter("group", Form::Text, "Only this group", "vote")],
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Floor),
        handler: || get(floor::floor),
    },
    Route {
        method: "get",
        path: "/live",
        right: Right::SignedIn,
        summary: "Server-sent events: snapshot, then seat, decision, campaign, finished and beat",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: Answer::Events,
        handler: || get(live::live),
    },
    Route {
        method: "get",
        path: "/campaigns",
        right: Right::SignedIn,
        summary: "Open campaigns: their figures, and the dispositions an agent can choose",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Campaigns),
        handler: || get(floor::campaigns),
    },
    Route {
        method: "post",
        path: "/campaigns",
        right: Right::Action(Action::CampaignsEdit),
        summary: "Opens a campaign file below the service's folder of campaigns",
        query: NONE,
        body: body!(CampaignRequest, r#"{"file":"jade-garden/campaign.toml","paused":true}"#),
        status: 201,
        answer: answer!(CampaignOpened),
        handler: || post(floor::open_campaign),
    },
    Route {
        method: "post",
        path: "/campaigns/{name}/actions",
        right: Right::Action(Action::CampaignsRun),
        summary: "Pauses, resumes, drains or hangs up a campaign, or calls one number for a test",
        query: NONE,
        body: body!(CampaignAction, r#"{"action":"test_call","number":"13800138000"}"#),
        status: 202,
        answer: answer!(Taken),
        handler: || post(actions::campaign_action),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/why",
        right: Right::SignedIn,
        summary: "Why an open campaign dials or does not, with its numbers, in words",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CampaignWhy),
        handler: || get(why::campaign),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/leads",
        right: Right::SignedIn,
        summary: "Leads by number or by row of the list; where there are none, the nearest",
        query: &[
            parameter("number", Form::Telephone, "The lead with this number", "13800138000"),
            parameter("row", Form::Whole(1, WHOLE_MAX), "The lead in this row of the list", "17"),
        ],
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(LeadsFound),
        handler: || get(why::leads),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/leads/{lead}/why",
        right: Right::SignedIn,
        summary: "Why this lead is not dialled, or when it will be, in words",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(LeadWhyAnswer),
        handler: || get(why::lead),
    },
    Route {
        method: "get",
        path: "/leads/{id}",
        right: Right::SignedIn,
        summary: "A lead's record: list columns, phones, corrections, history of the household",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Lead),
        handler: || get(records::lead),
    },
    Route {
        method: "post",
        path: "/leads/{id}/corrections",
        right: Right::Action(Action::SeatUse),
        summary: "Corrects a name or a phone; what the list said stays beside it",
        query: NONE,
        body: body!(CorrectionRequest, r#"{"phone":"13900139000"}"#),
        status: 201,
        answer: Answer::Empty,
        handler: || post(records::correct),
    },
    Route {
        method: "get",
        path: "/calls",
        right: Right::Action(Action::CallsRead),
        summary: "The log of calls: an agent's own, a lead's groups', or all; newest first",
        query: CALLS,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Calls),
        handler: || get(records::calls),
    },
    Route {
        method: "get",
        path: "/calls/{attempt}/recording",
        right: Right::Action(Action::RecordingsPlay),
        summary: "The recording of a call, whole or in ranges, for callers who may hear it",
        query: PART,
        body: BodySchema::Empty,
        status: 200,
        answer: Answer::Sound,
        handler: || get(records::recording),
    },
    Route {
        method: "get",
        path: "/calls/in/{call}/recording",
        right: Right::Action(Action::RecordingsPlay),
        summary: "The recording of an inbound call, whole or in ranges, for callers who may hear it",
        query: PART,
        body: BodySchema::Empty,
        status: 200,
        answer: Answer::Sound,
        handler: || get(records::inbound_recording),
    },
    Route {
        method: "get",
        path: "/blacklist",
        right: Right::Action(Action::BlacklistRead),
        summary: "Numbers and ranges that are not called, in the order in which they were added",
        query: &[
            parameter("number", Form::Telephone, "Entries that cover this number", "13800138000"),
            parameter("campaign", Form::Text, "Entries of the campaign with this name", "spring"),
            parameter("scope", Form::Word(&["system"]), "System-wide entries only", "system"),
            parameter("after", Form::Whole(0, WHOLE_MAX), "The page after the one whose `next` this is", "0"),
            parameter("limit", Form::Whole(1, 500), "Entries a page; without it 50", "50"),
        ],
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(BlacklistPage),
        handler: || get(blacklist::list),
    },
    Route {
        method: "post",
        path: "/blacklist",
        right: Right::Action(Action::BlacklistAdd),
        summary: "Puts numbers and ranges on the blacklist; calls to them that are not answered are taken back",
        query: NONE,
        body: body!(
            BlacklistRequest,
            r#"{"number":"1380013*","campaign":"spring","reason":"asked by letter"}"#
        ),
        status: 201,
        answer: answer!(BlacklistAdded),
        handler: || post(blacklist::add),
    },
    Route {
        method: "post",
        path: "/blacklist/removals",
        right: Right::Action(Action::BlacklistEdit),
        summary: "Takes a number or range off the blacklist, as it was added",
        query: NONE,
        body: body!(BlacklistRemoval, r#"{"number":"1380013*","campaign":"spring"}"#),
        status: 200,
        answer: answer!(BlacklistRemoved),
        handler: || post(blacklist::remove),
    },
    Route {
        method: "delete",
        path: "/blacklist/{id}",
        right: Right::Action(Action::BlacklistEdit),
        summary: "Removes one entry of the blacklist",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        answer: Answer::Empty,
        handler: || delete(blacklist::remove_entry),
    },
    Route {
        method: "get",
        path: "/tokens",
        right: Right::Action(Action::TokensEdit),
        summary: "Bearer tokens of programs, without the secrets",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Tokens),
        handler: || get(tokens::tokens),
    },
    Route {
        method: "post",
        path: "/tokens",
        right: Right::Action(Action::TokensEdit),
        summary: "A bearer token for a program, shown once",
        query: NONE,
        body: body!(NewToken, r#"{"name":"CRM","role":"analyst","days":90}"#),
        status: 201,
        answer: answer!(TokenAdded),
        handler: || post(tokens::add_token),
    },
    Route {
        method: "delete",
        path: "/tokens/{id}",
        right: Right::Action(Action::TokensEdit),
        summary: "Revokes a token",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        answer: Answer::Empty,
        handler: || delete(tokens::remove_token),
    },
    Route {
        method: "get",
        path: "/organisations",
        right: Right::Action(Action::OrganisationsMake),
        summary: "Every organisation of the installation",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Organisations),
        handler: || get(organisations::list),
    },
    Route {
        method: "post",
        path: "/organisations",
        right: Right::Action(Action::OrganisationsMake),
        summary: "Makes an enterprise, or a part of one, with its first admin; the password is shown once",
        query: NONE,
        body: body!(
            NewOrganisation,
            r#"{"slug":"haitang","name":"海棠物业","admin":{"name":"李芳","login":"lifang"}}"#
        ),
        status: 201,
        answer: answer!(OrganisationAdded),
        handler: || post(organisations::add),
    },
    Route {
        method: "get",
        path: "/organisations/{slug}",
        right: Right::Action(Action::OrganisationEdit),
        summary: "The caller's own organisation, or a part of it",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Organisation),
        handler: || get(organisations::show),
    },
    Route {
        method: "patch",
        path: "/organisations/{slug}",
        right: Right::Action(Action::OrganisationEdit),
        summary: "Changes name and settings of the caller's organisation; needs If-Match",
        query: NONE,
        body: body!(OrganisationChange, r#"{"name":"海棠物业","settings":{"analysts_read_numbers":true}}"#),
        status: 200,
        answer: answer!(Organisation),
        handler: || patch(organisations::edit),
    },
    Route {
        method: "post",
        path: "/organisations/{slug}/actions",
        right: Right::Action(Action::OrganisationsMake),
        summary: "Suspends an organisation (no new calls, people stay) or resumes it",
        query: NONE,
        body: body!(OrganisationAction, r#"{"action":"resume"}"#),
        status: 200,
        answer: answer!(Organisation),
        handler: || post(organisations::act),
    },
    Route {
        method: "get",
        path: "/pause-reasons",
        right: Right::SignedIn,
        summary: "Why agents pause, in the order in which screens show it",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(PauseReasonsView),
        handler: || get(organisations::pause_reasons),
    },
    Route {
        method: "put",
        path: "/pause-reasons",
        right: Right::Action(Action::OrganisationEdit),
        summary: "Replaces the organisation's pause reasons; needs If-Match",
        query: NONE,
        body: body!(
            PauseReasons,
            r#"{"items":[{"code":"meal","label":{"zh":"就餐","en":"Meal"},"max_secs":3600}]}"#
        ),
        status: 200,
        answer: answer!(PauseReasonsView),
        handler: || put(organisations::set_pause_reasons),
    },
    Route {
        method: "get",
        path: "/audit",
        right: Right::Action(Action::AuditRead),
        summary: "Who changed or read what, from where, with before and after; newest first",
        query: AUDIT,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(AuditPage),
        handler: || get(audit::audit),
    },
    Route {
        method: "get",
        path: "/openapi.json",
        right: Right::Public,
        summary: "This document",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: Answer::Document,
        handler: || get(openapi_document),
    },
];

/// The routes without [`ROOT`], each behind the authentication middleware with its right.
pub(super) fn router(state: &AppState) -> Router<AppState> {
    ROUTES.iter().fold(Router::new(), |router, route| {
        let guarded =
            (route.handler)().route_layer(from_fn_with_state((state.clone(), route), auth::require_right));
        router.route(route.path, guarded)
    })
}

/// The OpenAPI document of [`ROUTES`].
pub fn document() -> Value {
    openapi::document(ROUTES)
}

/// Handler of `/openapi.json`.
async fn openapi_document() -> Json<Value> {
    Json(document())
}
