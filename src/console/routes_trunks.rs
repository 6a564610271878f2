//! The part of the table of routes that is about trunks.

use super::rights::{Action, Right};
use super::route::{Answer, BodySchema, NONE, Route, answer, body};
use super::trunk_rows::{self, NewTrunk, TrunkChange};
use super::trunks::{self, TrunkAction};
use axum::routing::{delete, get, patch, post};

pub(super) const TRUNKS: &[Route] = &[
    Route {
        method: "get",
        path: "/trunks",
        right: Right::Action(Action::TrunksRead),
        summary: "Every trunk with its settings, its state in words, and what its calls of today ended with",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Trunks),
        handler: || get(trunk_rows::trunks),
    },
    Route {
        method: "post",
        path: "/trunks",
        right: Right::Action(Action::TrunksEdit),
        summary: "Adds a trunk, which is in use at once; its settings are those of `[trunks.NAME]`",
        query: NONE,
        body: body!(
            NewTrunk,
            r#"{"name":"spare","settings":{"uri":"sip:203.0.113.10:5060","username":"75500","password":"secret","calls_max":60}}"#
        ),
        status: 201,
        answer: answer!(TrunkItem),
        handler: || post(trunk_rows::add),
    },
    Route {
        method: "get",
        path: "/trunks/{name}",
        right: Right::Action(Action::TrunksRead),
        summary: "One trunk; its password is never said",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(TrunkItem),
        handler: || get(trunk_rows::trunk),
    },
    Route {
        method: "patch",
        path: "/trunks/{name}",
        right: Right::Action(Action::TrunksEdit),
        summary: "Changes settings of a trunk while calls are up; one of paceline.toml is 409 `set_in_file`",
        query: NONE,
        body: body!(TrunkChange, r#"{"settings":{"calls_max":90}}"#),
        status: 200,
        answer: answer!(TrunkItem),
        handler: || patch(trunk_rows::edit),
    },
    Route {
        method: "delete",
        path: "/trunks/{name}",
        right: Right::Action(Action::TrunksEdit),
        summary: "Removes a trunk; one with calls, or that an open campaign names, is 409 `in_use`",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        answer: Answer::Empty,
        handler: || delete(trunk_rows::remove),
    },
    Route {
        method: "post",
        path: "/trunks/{name}/actions",
        right: Right::Action(Action::TrunksTest),
        summary: "Calls one number over this trunk for a test, as `GET /calls/{attempt}/trace` shows it; takes the trunk \
                  out of use, or into use again, which ends a rest",
        query: NONE,
        body: body!(TrunkAction, r#"{"action":"test_call","number":"13800138000"}"#),
        status: 202,
        answer: answer!(TrunkActed),
        handler: || post(trunks::trunk_action),
    },
];
