//! The part of the table of routes that is about an agent's own desk.

use super::desk;
use super::parameters::{Form, Parameter};
use super::rights::{Action, Right};
use super::route::{Answer, BodySchema, NONE, Route, WHOLE_MAX, answer, body, parameter};
use axum::routing::{get, post};
use desk::{FetchRequest, LockRequest};

const COLLEAGUES: &[Parameter] = &[parameter(
    "group",
    Form::Text,
    "Members of this group; without it those of the caller's groups",
    "vote",
)];

const LEADS: &[Parameter] = &[
    parameter(
        "campaign",
        Form::Text,
        "Leads of this open campaign; without it those of every open one",
        "spring",
    ),
    parameter(
        "state",
        Form::Word(&["open", "follow_up", "done", "failed"]),
        "Leads in this state; without it open ones",
        "open",
    ),
    parameter("after", Form::Whole(1, WHOLE_MAX), "The page after the one whose `next` this is", "1000"),
];

pub(super) const DESK: &[Route] = &[
    Route {
        method: "get",
        path: "/colleagues",
        right: Right::Action(Action::SeatUse),
        summary: "Agents who may be consulted with what they are doing, the idle ones first",
        query: COLLEAGUES,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Colleagues),
        handler: || get(desk::colleagues),
    },
    Route {
        method: "get",
        path: "/me/leads",
        right: Right::Action(Action::SeatUse),
        summary: "The caller's own leads: assigned, booked, or called by the caller",
        query: LEADS,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(DeskLeads),
        handler: || get(desk::leads),
    },
    Route {
        method: "post",
        path: "/me/leads/fetch",
        right: Right::Action(Action::SeatUse),
        summary: "Assigns further leads of a preview campaign that nobody has to the caller",
        query: NONE,
        body: body!(FetchRequest, r#"{"campaign":"spring","count":10}"#),
        status: 200,
        answer: answer!(Fetched),
        handler: || post(desk::fetch),
    },
    Route {
        method: "get",
        path: "/me/callbacks",
        right: Right::Action(Action::SeatUse),
        summary: "Callbacks of the caller and those for anyone of its groups, the earliest first",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(DeskCallbacks),
        handler: || get(desk::callbacks),
    },
    Route {
        method: "post",
        path: "/me/lock",
        right: Right::SignedIn,
        summary: "Locks the screen until `POST /me/verify`, and pauses the seat",
        query: NONE,
        body: body!(LockRequest, r#"{"reason":"meal"}"#),
        status: 204,
        answer: Answer::Empty,
        handler: || post(desk::lock),
    },
];
