//! The part of the table of routes that is about the call log, and the views that people keep of it.

use super::call_filters::{FILTERS_COUNT, with_call_filters};
use super::parameters::{Form, Parameter};
use super::rights::{Action, Right};
use super::route::{Answer, BodySchema, NONE, Route, WHOLE_MAX, answer, body, parameter};
use super::{call_log, saved_views};
use axum::routing::{delete, get, patch, post};

use saved_views::{ViewChange, ViewRequest};

const OWN: [Parameter; 4] = [
    parameter(
        "sort",
        Form::Word(call_log::ORDERS),
        "The order; without it the newest first. By talk or wait only where at most 10,000 calls match",
        "newest",
    ),
    parameter("before", Form::Whole(1, WHOLE_MAX), "The page after the one whose `next` this is", "1000"),
    parameter("limit", Form::Whole(1, 500), "Calls a page; without it 50", "50"),
    parameter("count", Form::Word(&["1"]), "`1`: count the calls that match, exactly up to 10,000", "1"),
];

const LOG: [Parameter; FILTERS_COUNT + OWN.len()] = with_call_filters(OWN);

const PAGE: &[Parameter] =
    &[parameter("page", Form::Word(saved_views::PAGES), "Views of this page", "results")];

pub(super) const CALLS: &[Route] = &[
    Route {
        method: "get",
        path: "/calls",
        right: Right::Action(Action::CallsRead),
        summary: "The log of calls: an agent's own, a lead's groups', or all; those of today, newest first",
        query: &LOG,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Calls),
        handler: || get(call_log::show),
    },
    Route {
        method: "get",
        path: "/views",
        right: Right::SignedIn,
        summary: "The caller's own saved views, and those that are shared with a group that the caller sees",
        query: PAGE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(SavedViews),
        handler: || get(saved_views::list),
    },
    Route {
        method: "post",
        path: "/views",
        right: Right::SignedIn,
        summary: "Saves filters and columns of a page under a name, for oneself or shared with a group",
        query: NONE,
        body: body!(
            ViewRequest,
            r#"{"name":"Morning","page":"results","query":"outcome=answered","columns":["at","name"]}"#
        ),
        status: 201,
        answer: answer!(SavedView),
        handler: || post(saved_views::add),
    },
    Route {
        method: "patch",
        path: "/views/{id}",
        right: Right::SignedIn,
        summary: "Changes a view of one's own; needs If-Match",
        query: NONE,
        body: body!(ViewChange, r#"{"name":"Morning round"}"#),
        status: 200,
        answer: answer!(SavedView),
        handler: || patch(saved_views::change),
    },
    Route {
        method: "delete",
        path: "/views/{id}",
        right: Right::SignedIn,
        summary: "Deletes a view of one's own; needs If-Match",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        answer: Answer::Empty,
        handler: || delete(saved_views::remove),
    },
];
