//! The table of routes: path, roles, query, body, handler. The router and the OpenAPI document are both
//! made from it, so they cannot differ.

use super::auth::{self, Who};
use super::state::Door;
use super::{accounts, actions, floor, live, openapi, people, records, tokens, why};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use schemars::{Schema, schema_for};

/// Prefix of every route.
pub const ROOT: &str = "/api/v1";

/// One route of the API.
pub struct Route {
    pub method: &'static str,
    /// Without [`ROOT`].
    pub path: &'static str,
    pub who: Who,
    /// One sentence for the OpenAPI document.
    pub does: &'static str,
    /// Names of the query parameters.
    pub query: &'static [&'static str],
    pub body: Takes,
    /// HTTP status of success.
    pub status: u16,
    handler: fn() -> MethodRouter<Door>,
}

/// The JSON that a route's body takes.
#[derive(Clone, Copy)]
pub enum Takes {
    Nothing,
    Json(&'static str, fn() -> Schema),
    /// An agent's action; its schema comes from the table in `actions`.
    Act,
}

macro_rules! body {
    ($name:ty) => {
        Takes::Json(stringify!($name), || schema_for!($name))
    };
}

use accounts::{NewPassword, SignIn};
use actions::CampaignAct;
use floor::CampaignAsked;
use people::{AgentChange, GroupAsked, MembershipChange, NewAgent, PasswordAsked};
use records::CorrectionAsked;
use tokens::NewToken;

const NONE: &[&str] = &[];

/// Every route of the API.
pub const ROUTES: &[Route] = &[
    Route {
        method: "post",
        path: "/sign-in",
        who: Who::Anybody,
        does: "Opens the console for a person; sets the cookie",
        query: NONE,
        body: body!(SignIn),
        status: 200,
        handler: || post(accounts::sign_in),
    },
    Route {
        method: "post",
        path: "/sign-out",
        who: Who::SignedIn,
        does: "Ends this cookie",
        query: NONE,
        body: Takes::Nothing,
        status: 204,
        handler: || post(accounts::sign_out),
    },
    Route {
        method: "get",
        path: "/me",
        who: Who::SignedIn,
        does: "The caller's own account",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(accounts::me),
    },
    Route {
        method: "post",
        path: "/me/password",
        who: Who::SignedIn,
        does: "A new password; every other screen of the account is signed out",
        query: NONE,
        body: body!(NewPassword),
        status: 200,
        handler: || post(accounts::change_password),
    },
    Route {
        method: "get",
        path: "/me/seat",
        who: Who::Workers,
        does: "The caller's own seat",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(floor::my_seat),
    },
    Route {
        method: "post",
        path: "/me/acts",
        who: Who::Workers,
        does: "The caller acts: signs in to work, pauses, dials, holds, transfers, summarises, supervises",
        query: NONE,
        body: Takes::Act,
        status: 200,
        handler: || post(actions::mine),
    },
    Route {
        method: "post",
        path: "/me/device-check",
        who: Who::Workers,
        does: "Listens to the caller's phone for some seconds, plays it back and says how good it is",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || post(actions::device_check),
    },
    Route {
        method: "get",
        path: "/agents",
        who: Who::SignedIn,
        does: "Accounts the caller may see: herself, a lead's groups, or all",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(people::agents),
    },
    Route {
        method: "post",
        path: "/agents",
        who: Who::Managers,
        does: "Takes somebody on; answers with the sheet for her phone, its password shown once",
        query: NONE,
        body: body!(NewAgent),
        status: 201,
        handler: || post(people::add_agent),
    },
    Route {
        method: "get",
        path: "/agents/{number}",
        who: Who::SignedIn,
        does: "One account",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(people::agent),
    },
    Route {
        method: "patch",
        path: "/agents/{number}",
        who: Who::Managers,
        does: "Changes an account; the number stays",
        query: NONE,
        body: body!(AgentChange),
        status: 200,
        handler: || patch(people::change_agent),
    },
    Route {
        method: "delete",
        path: "/agents/{number}",
        who: Who::Managers,
        does: "She works here no more; her calls and her number stay",
        query: NONE,
        body: Takes::Nothing,
        status: 204,
        handler: || delete(people::remove_agent),
    },
    Route {
        method: "post",
        path: "/agents/{number}/phone-password",
        who: Who::Managers,
        does: "A new password for her phone, with the sheet; the old one is void",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || post(people::phone_password),
    },
    Route {
        method: "post",
        path: "/agents/{number}/password",
        who: Who::Managers,
        does: "A new password for the console; her screens are signed out",
        query: NONE,
        body: body!(PasswordAsked),
        status: 200,
        handler: || post(people::console_password),
    },
    Route {
        method: "put",
        path: "/agents/{number}/groups/{group}",
        who: Who::Leads,
        does: "Takes her into a group, or changes her priority and whether she is in use there",
        query: NONE,
        body: body!(MembershipChange),
        status: 200,
        handler: || put(people::set_membership),
    },
    Route {
        method: "delete",
        path: "/agents/{number}/groups/{group}",
        who: Who::Leads,
        does: "She leaves a group",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || delete(people::drop_membership),
    },
    Route {
        method: "post",
        path: "/agents/{number}/acts",
        who: Who::Workers,
        does: "An act in an agent's name: her own, or by a manager, an admin or a program of theirs",
        query: NONE,
        body: Takes::Act,
        status: 200,
        handler: || post(actions::of_agent),
    },
    Route {
        method: "get",
        path: "/groups",
        who: Who::SignedIn,
        does: "Groups with their members, those the caller may see",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(people::groups),
    },
    Route {
        method: "post",
        path: "/groups",
        who: Who::Managers,
        does: "A new group",
        query: NONE,
        body: body!(GroupAsked),
        status: 201,
        handler: || post(people::add_group),
    },
    Route {
        method: "patch",
        path: "/groups/{group}",
        who: Who::Managers,
        does: "Changes a group",
        query: NONE,
        body: body!(GroupAsked),
        status: 200,
        handler: || patch(people::change_group),
    },
    Route {
        method: "delete",
        path: "/groups/{group}",
        who: Who::Managers,
        does: "The group is no more; its members stay in their others",
        query: NONE,
        body: Takes::Nothing,
        status: 204,
        handler: || delete(people::remove_group),
    },
    Route {
        method: "get",
        path: "/floor",
        who: Who::Readers,
        does: "Every seat and campaign the caller may see",
        query: &["group"],
        body: Takes::Nothing,
        status: 200,
        handler: || get(floor::floor),
    },
    Route {
        method: "get",
        path: "/live",
        who: Who::SignedIn,
        does: "Server-sent events: snapshot, then seat, decided, campaign, finished and beat",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(live::live),
    },
    Route {
        method: "get",
        path: "/campaigns",
        who: Who::SignedIn,
        does: "Open campaigns: where they stand, and what an agent can say of a call",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(floor::campaigns),
    },
    Route {
        method: "post",
        path: "/campaigns",
        who: Who::Managers,
        does: "Opens a campaign file below the service's folder of campaigns",
        query: NONE,
        body: body!(CampaignAsked),
        status: 201,
        handler: || post(floor::open_campaign),
    },
    Route {
        method: "post",
        path: "/campaigns/{name}/acts",
        who: Who::Managers,
        does: "Pauses, resumes, drains or hangs up a campaign, or calls one number for a test",
        query: NONE,
        body: body!(CampaignAct),
        status: 202,
        handler: || post(actions::on_campaign),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/why",
        who: Who::SignedIn,
        does: "Why an open campaign dials or does not, with its numbers, in words",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(why::campaign),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/leads",
        who: Who::SignedIn,
        does: "The leads that a number or a row of the list is; else the nearest there is",
        query: &["number", "row"],
        body: Takes::Nothing,
        status: 200,
        handler: || get(why::leads),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/leads/{lead}/why",
        who: Who::SignedIn,
        does: "Why this lead is not dialled, or when it will be, in words",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(why::lead),
    },
    Route {
        method: "get",
        path: "/leads/{id}",
        who: Who::SignedIn,
        does: "A lead's record: list columns, phones, corrections, history of the household",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(records::lead),
    },
    Route {
        method: "post",
        path: "/leads/{id}/corrections",
        who: Who::Workers,
        does: "Puts a name or a phone right, beside what the list said",
        query: NONE,
        body: body!(CorrectionAsked),
        status: 201,
        handler: || post(records::correct),
    },
    Route {
        method: "get",
        path: "/calls",
        who: Who::SignedIn,
        does: "The log of calls: an agent's own, a lead's groups', or all; newest first",
        query: &["agent", "number", "campaign", "from", "until", "direction", "before", "limit"],
        body: Takes::Nothing,
        status: 200,
        handler: || get(records::calls),
    },
    Route {
        method: "get",
        path: "/calls/{attempt}/recording",
        who: Who::SignedIn,
        does: "The sound of a call, whole or in ranges, for who may hear it",
        query: &["part"],
        body: Takes::Nothing,
        status: 200,
        handler: || get(records::recording),
    },
    Route {
        method: "get",
        path: "/calls/in/{call}/recording",
        who: Who::SignedIn,
        does: "The sound of a call that came in, whole or in ranges, for who may hear it",
        query: &["part"],
        body: Takes::Nothing,
        status: 200,
        handler: || get(records::recording_in),
    },
    Route {
        method: "get",
        path: "/tokens",
        who: Who::Managers,
        does: "Bearer tokens of programs, without what opens anything",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(tokens::tokens),
    },
    Route {
        method: "post",
        path: "/tokens",
        who: Who::Managers,
        does: "A bearer token for a program, shown once",
        query: NONE,
        body: body!(NewToken),
        status: 201,
        handler: || post(tokens::add_token),
    },
    Route {
        method: "delete",
        path: "/tokens/{id}",
        who: Who::Managers,
        does: "The token opens nothing any more",
        query: NONE,
        body: Takes::Nothing,
        status: 204,
        handler: || delete(tokens::remove_token),
    },
    Route {
        method: "get",
        path: "/openapi.json",
        who: Who::Anybody,
        does: "This document",
        query: NONE,
        body: Takes::Nothing,
        status: 200,
        handler: || get(openapi::served),
    },
];

/// The routes without [`ROOT`], each behind the authentication middleware with its roles.
pub(super) fn router(door: &Door) -> Router<Door> {
    ROUTES.iter().fold(Router::new(), |router, route| {
        let guarded =
            (route.handler)().route_layer(from_fn_with_state((door.clone(), route.who), auth::guard));
        router.route(route.path, guarded)
    })
}
