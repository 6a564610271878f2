//! The table of routes: path, right, query, body, handler. The router and the OpenAPI document are both
//! made from it, so they cannot differ.

use super::app_state::AppState;
use super::auth;
use super::parameters::{Form, Parameter};
use super::rights::{Action, Right};
pub use super::route::{Answer, BodySchema, ROOT, Route};
use super::route::{NONE, WHOLE_MAX, answer, body, parameter};
use super::routes_caller_ids::CALLER_IDS;
use super::routes_calls::CALLS;
use super::routes_campaigns::CAMPAIGNS;
use super::routes_desk::DESK;
use super::routes_exports::EXPORTS;
use super::routes_leads::LEAD_ROUTES;
use super::routes_one_call::ONE_CALL;
use super::routes_pacing::PACING;
use super::routes_people::PEOPLE;
use super::routes_results::RESULTS;
use super::routes_sums::SUMS;
use super::routes_trunks::TRUNKS;
use super::routes_uploads::UPLOADS;
use super::{actions, blacklist, call_trace, floor, health, list_changes, live, openapi, records, why};
use axum::Json;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use serde_json::Value;

use actions::CampaignAction;
use blacklist::{BlacklistRemoval, BlacklistRequest};
use list_changes::ListChangeBody;
use records::CorrectionRequest;

const TOPICS: &[Parameter] = &[parameter(
    "topics",
    Form::Text,
    "Some of seats, seats:GROUP, campaigns, trunks, approvals, tasks, me, with commas; without it all",
    "campaigns,tasks",
)];

/// Look-ups and filters of a campaign's leads.
const LEADS: &[Parameter] = &[
    parameter("number", Form::Telephone, "The lead with this number, asked alone", "13800138000"),
    parameter("row", Form::Whole(1, WHOLE_MAX), "The lead in this row of the list, asked alone", "17"),
    parameter("state", Form::Word(&["open", "follow_up", "done", "failed"]), "Leads in this state", "open"),
    parameter("reason", Form::Reason, "Leads closed for this reason", "attempts_used"),
    parameter("outcome", Form::Outcome, "Leads whose last attempt had this outcome", "busy"),
    parameter("disposition", Form::Text, "Leads with this code of an agent's last summary", "voted"),
    parameter("building", Form::Text, "Leads of this building", "3-2"),
    parameter("callback", Form::Word(&["true", "false"]), "Whether a callback is booked", "true"),
    parameter("q", Form::Text, "A row of the list, a whole number, or a part of the name", "王"),
    parameter("after", Form::Text, "The page after the one whose `next` this is", "4711.812"),
    parameter("limit", Form::Whole(1, 500), "Leads a page; without it 50", "50"),
    parameter("count", Form::Word(&["1"]), "`1`: count the leads that match, exactly up to 10,000", "1"),
];

/// Every route of the API.
pub const ROUTES: &[Route] = &joined();

const PARTS: &[&[Route]] = &[
    PEOPLE,
    CAMPAIGNS,
    WORK,
    UPLOADS,
    PACING,
    LEAD_ROUTES,
    CALLER_IDS,
    RESULTS,
    CALLS,
    SUMS,
    ONE_CALL,
    EXPORTS,
    TRUNKS,
    DESK,
];

const ROUTES_COUNT: usize = PEOPLE.len()
    + CAMPAIGNS.len()
    + WORK.len()
    + UPLOADS.len()
    + PACING.len()
    + LEAD_ROUTES.len()
    + CALLER_IDS.len()
    + RESULTS.len()
    + CALLS.len()
    + SUMS.len()
    + ONE_CALL.len()
    + EXPORTS.len()
    + TRUNKS.len()
    + DESK.len();

const fn joined() -> [Route; ROUTES_COUNT] {
    let mut all = [PEOPLE[0]; ROUTES_COUNT];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut own = 0;
        while own < PARTS[part].len() {
            all[at] = PARTS[part][own];
            (at, own) = (at + 1, own + 1);
        }
        part += 1;
    }
    all
}

/// Routes about campaigns, leads, calls and the floor.
const WORK: &[Route] = &[
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
        right: Right::Visible(Action::FloorRead),
        summary: "Server-sent events: snapshot, then seat, decision, minute, campaign, trunk, finished, task, list, \
                  approval, beat and closing; with `Last-Event-ID` those of tasks, lists and approvals since then first",
        query: TOPICS,
        body: BodySchema::Empty,
        status: 200,
        answer: Answer::Events,
        handler: || get(live::live),
    },
    Route {
        method: "post",
        path: "/campaigns/{name}/actions",
        right: Right::Action(Action::CampaignsRun),
        summary: "Starts, pauses, resumes, drains, archives or hangs up a campaign, or calls one number for a test",
        query: NONE,
        body: body!(CampaignAction, r#"{"action":"test_call","number":"13800138000"}"#),
        status: 202,
        answer: answer!(Taken),
        handler: || post(actions::campaign_action),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/why",
        right: Right::Visible(Action::CampaignsRead),
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
        right: Right::Visible(Action::CampaignsRead),
        summary: "The table of leads by filters, in list order; or leads by number or row and, where there are none, the nearest",
        query: LEADS,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(LeadsFound),
        handler: || get(why::leads),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/leads/{lead}/why",
        right: Right::Visible(Action::CampaignsRead),
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
        right: Right::Visible(Action::CampaignsRead),
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
        path: "/calls/{attempt}/trace",
        right: Right::Action(Action::CallsRead),
        summary: "What a call did: each SIP message, keys, plays, with times, and what it means",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Trace),
        handler: || get(call_trace::trace),
    },
    Route {
        method: "get",
        path: "/blacklist",
        right: Right::Action(Action::BlacklistRead),
        summary: "Numbers and ranges that are not called, in the order in which they were added",
        query: &[
            parameter("number", Form::AnyTelephone, "Entries that cover this number", "13800138000"),
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
        path: "/health",
        right: Right::Action(Action::HealthRead),
        summary: "The checks of the service in words: store, trunks, lines of campaigns, log of changes, audit",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Health),
        handler: || get(health::health),
    },
    Route {
        method: "get",
        path: "/config",
        right: Right::Action(Action::SystemRead),
        summary: "Every setting of the service, with where it comes from; secrets are hidden",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Settings),
        handler: || get(health::config),
    },
    Route {
        method: "post",
        path: "/local/list-changes",
        right: Right::ThisMachine,
        summary: "Begins a change of a campaign's list from files on this machine",
        query: NONE,
        body: body!(
            ListChangeBody,
            r#"{"action":"add","campaign":"/srv/spring/campaign.toml","file":"/srv/spring/more.csv"}"#
        ),
        status: 202,
        answer: answer!(ListChangeBegun),
        handler: || post(list_changes::begin),
    },
    Route {
        method: "get",
        path: "/local/list-changes/{id}",
        right: Right::ThisMachine,
        summary: "How far a change of a list is, and what came of it",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(ListChangeState),
        handler: || get(list_changes::show),
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
