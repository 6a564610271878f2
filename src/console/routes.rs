//! The table of routes: path, roles, query, body, handler. The router and the OpenAPI document are both
//! made from it, so they cannot differ.

use super::app_state::AppState;
use super::auth::{self, Access};
pub use super::route::{BodySchema, ROOT, Route};
use super::{accounts, actions, agents, floor, groups, live, openapi, records, tokens, why};
use axum::Json;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post, put};
use schemars::schema_for;
use serde_json::Value;

macro_rules! body {
    ($name:ty) => {
        BodySchema::Json(stringify!($name), || schema_for!($name))
    };
}

use accounts::{NewPassword, SignIn};
use actions::CampaignAction;
use agents::{AgentChange, NewAgent, PasswordRequest};
use floor::CampaignRequest;
use groups::{GroupRequest, MembershipChange};
use records::CorrectionRequest;
use tokens::NewToken;

const NONE: &[&str] = &[];

/// Every route of the API.
pub const ROUTES: &[Route] = &[
    Route {
        method: "post",
        path: "/sign-in",
        access: Access::Public,
        summary: "Signs a person in; sets the session cookie",
        query: NONE,
        body: body!(SignIn),
        status: 200,
        handler: || post(accounts::sign_in),
    },
    Route {
        method: "post",
        path: "/sign-out",
        access: Access::SignedIn,
        summary: "Signs out: ends this session",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        handler: || post(accounts::sign_out),
    },
    Route {
        method: "get",
        path: "/me",
        access: Access::SignedIn,
        summary: "The caller's own account",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(accounts::me),
    },
    Route {
        method: "post",
        path: "/me/password",
        access: Access::SignedIn,
        summary: "A new password; every other screen of the account is signed out",
        query: NONE,
        body: body!(NewPassword),
        status: 200,
        handler: || post(accounts::change_password),
    },
    Route {
        method: "get",
        path: "/me/seat",
        access: Access::Workers,
        summary: "The caller's own seat",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(floor::my_seat),
    },
    Route {
        method: "post",
        path: "/me/actions",
        access: Access::Workers,
        summary: "An action of the caller: sign in to work, pause, dial, hold, transfer, summarise, supervise",
        query: NONE,
        body: BodySchema::AgentAction,
        status: 200,
        handler: || post(actions::own_action),
    },
    Route {
        method: "post",
        path: "/me/device-check",
        access: Access::Workers,
        summary: "Listens to the caller's phone for some seconds, plays it back and says how good it is",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || post(actions::device_check),
    },
    Route {
        method: "get",
        path: "/agents",
        access: Access::SignedIn,
        summary: "Accounts that the caller may see: one's own, a lead's groups, or all",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(agents::agents),
    },
    Route {
        method: "post",
        path: "/agents",
        access: Access::Managers,
        summary: "Adds an account; answers with the sheet for the agent's phone, its password shown once",
        query: NONE,
        body: body!(NewAgent),
        status: 201,
        handler: || post(agents::add_agent),
    },
    Route {
        method: "get",
        path: "/agents/{number}",
        access: Access::SignedIn,
        summary: "One account",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(agents::agent),
    },
    Route {
        method: "patch",
        path: "/agents/{number}",
        access: Access::Managers,
        summary: "Changes an account; the number stays",
        query: NONE,
        body: body!(AgentChange),
        status: 200,
        handler: || patch(agents::change_agent),
    },
    Route {
        method: "delete",
        path: "/agents/{number}",
        access: Access::Managers,
        summary: "Removes an account; its calls and its number stay",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        handler: || delete(agents::remove_agent),
    },
    Route {
        method: "post",
        path: "/agents/{number}/phone-password",
        access: Access::Managers,
        summary: "A new password for the agent's phone, with the sheet; the old one is void",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || post(agents::phone_password),
    },
    Route {
        method: "post",
        path: "/agents/{number}/password",
        access: Access::Managers,
        summary: "A new password for the console; the account's screens are signed out",
        query: NONE,
        body: body!(PasswordRequest),
        status: 200,
        handler: || post(agents::console_password),
    },
    Route {
        method: "put",
        path: "/agents/{number}/groups/{group}",
        access: Access::ShiftLeads,
        summary: "Adds an agent to a group, or changes priority and use of the membership",
        query: NONE,
        body: body!(MembershipChange),
        status: 200,
        handler: || put(groups::set_membership),
    },
    Route {
        method: "delete",
        path: "/agents/{number}/groups/{group}",
        access: Access::ShiftLeads,
        summary: "Removes an agent from a group",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || delete(groups::drop_membership),
    },
    Route {
        method: "post",
        path: "/agents/{number}/actions",
        access: Access::Workers,
        summary: "An action in an agent's name: by the agent, a manager, an admin or a program of theirs",
        query: NONE,
        body: BodySchema::AgentAction,
        status: 200,
        handler: || post(actions::agent_action),
    },
    Route {
        method: "get",
        path: "/groups",
        access: Access::SignedIn,
        summary: "Groups that the caller may see, with their members",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(groups::groups),
    },
    Route {
        method: "post",
        path: "/groups",
        access: Access::Managers,
        summary: "A new group",
        query: NONE,
        body: body!(GroupRequest),
        status: 201,
        handler: || post(groups::add_group),
    },
    Route {
        method: "patch",
        path: "/groups/{group}",
        access: Access::Managers,
        summary: "Changes a group",
        query: NONE,
        body: body!(GroupRequest),
        status: 200,
        handler: || patch(groups::change_group),
    },
    Route {
        method: "delete",
        path: "/groups/{group}",
        access: Access::Managers,
        summary: "Removes a group; its members stay in their other groups",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        handler: || delete(groups::remove_group),
    },
    Route {
        method: "get",
        path: "/floor",
        access: Access::Readers,
        summary: "Every seat and campaign that the caller may see",
        query: &["group"],
        body: BodySchema::Empty,
        status: 200,
        handler: || get(floor::floor),
    },
    Route {
        method: "get",
        path: "/live",
        access: Access::SignedIn,
        summary: "Server-sent events: snapshot, then seat, decision, campaign, finished and beat",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(live::live),
    },
    Route {
        method: "get",
        path: "/campaigns",
        access: Access::SignedIn,
        summary: "Open campaigns: their figures, and the dispositions an agent can choose",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(floor::campaigns),
    },
    Route {
        method: "post",
        path: "/campaigns",
        access: Access::Managers,
        summary: "Opens a campaign file below the service's folder of campaigns",
        query: NONE,
        body: body!(CampaignRequest),
        status: 201,
        handler: || post(floor::open_campaign),
    },
    Route {
        method: "post",
        path: "/campaigns/{name}/actions",
        access: Access::Managers,
        summary: "Pauses, resumes, drains or hangs up a campaign, or calls one number for a test",
        query: NONE,
        body: body!(CampaignAction),
        status: 202,
        handler: || post(actions::campaign_action),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/why",
        access: Access::SignedIn,
        summary: "Why an open campaign dials or does not, with its numbers, in words",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(why::campaign),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/leads",
        access: Access::SignedIn,
        summary: "Leads by number or by row of the list; where there are none, the nearest",
        query: &["number", "row"],
        body: BodySchema::Empty,
        status: 200,
        handler: || get(why::leads),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/leads/{lead}/why",
        access: Access::SignedIn,
        summary: "Why this lead is not dialled, or when it will be, in words",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(why::lead),
    },
    Route {
        method: "get",
        path: "/leads/{id}",
        access: Access::SignedIn,
        summary: "A lead's record: list columns, phones, corrections, history of the household",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(records::lead),
    },
    Route {
        method: "post",
        path: "/leads/{id}/corrections",
        access: Access::Workers,
        summary: "Corrects a name or a phone; what the list said stays beside it",
        query: NONE,
        body: body!(CorrectionRequest),
        status: 201,
        handler: || post(records::correct),
    },
    Route {
        method: "get",
        path: "/calls",
        access: Access::SignedIn,
        summary: "The log of calls: an agent's own, a lead's groups', or all; newest first",
        query: &["agent", "number", "campaign", "from", "until", "direction", "before", "limit"],
        body: BodySchema::Empty,
        status: 200,
        handler: || get(records::calls),
    },
    Route {
        method: "get",
        path: "/calls/{attempt}/recording",
        access: Access::SignedIn,
        summary: "The recording of a call, whole or in ranges, for callers who may hear it",
        query: &["part"],
        body: BodySchema::Empty,
        status: 200,
        handler: || get(records::recording),
    },
    Route {
        method: "get",
        path: "/calls/in/{call}/recording",
        access: Access::SignedIn,
        summary: "The recording of an inbound call, whole or in ranges, for callers who may hear it",
        query: &["part"],
        body: BodySchema::Empty,
        status: 200,
        handler: || get(records::inbound_recording),
    },
    Route {
        method: "get",
        path: "/tokens",
        access: Access::Managers,
        summary: "Bearer tokens of programs, without the secrets",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(tokens::tokens),
    },
    Route {
        method: "post",
        path: "/tokens",
        access: Access::Managers,
        summary: "A bearer token for a program, shown once",
        query: NONE,
        body: body!(NewToken),
        status: 201,
        handler: || post(tokens::add_token),
    },
    Route {
        method: "delete",
        path: "/tokens/{id}",
        access: Access::Managers,
        summary: "Revokes a token",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        handler: || delete(tokens::remove_token),
    },
    Route {
        method: "get",
        path: "/openapi.json",
        access: Access::Public,
        summary: "This document",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        handler: || get(openapi_document),
    },
];

/// The routes without [`ROOT`], each behind the authentication middleware with its roles.
pub(super) fn router(state: &AppState) -> Router<AppState> {
    ROUTES.iter().fold(Router::new(), |router, route| {
        let guarded = (route.handler)()
            .route_layer(from_fn_with_state((state.clone(), route.access), auth::require_access));
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
