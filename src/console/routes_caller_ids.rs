//! The part of the table of routes that is about caller IDs.

use super::caller_id_proofs::{self, MEDIA_TYPES};
use super::caller_id_requests::{self, CallerIdAction, CallerIdRequest};
use super::caller_ids;
use super::parameters::Form;
use super::rights::{Action, Right};
use super::route::{Answer, BodySchema, NONE, Route, answer, body, parameter};
use axum::routing::{get, patch, post};

pub(super) const CALLER_IDS: &[Route] = &[
    Route {
        method: "get",
        path: "/caller-ids",
        right: Right::Action(Action::CallerIdsEdit),
        summary: "The register of numbers that calls show, each with its state and what its own calls say of it",
        query: &[parameter("retired", Form::Word(&["true", "false"]), "Retired numbers too", "true")],
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CallerIds),
        handler: || get(caller_ids::caller_ids),
    },
    Route {
        method: "post",
        path: "/caller-ids",
        right: Right::Action(Action::CallerIdsEdit),
        summary: "Enters a number; it is shown once it is whitelisted, bound or resumed",
        query: NONE,
        body: BodySchema::Json(
            "NewCallerId",
            caller_id_requests::new_caller_id_schema,
            r#"{"number":"0755-88886666","holder":"翠园物业","carrier":"深圳联通"}"#,
        ),
        status: 201,
        answer: answer!(CallerIdDetail),
        handler: || post(caller_ids::add),
    },
    Route {
        method: "get",
        path: "/caller-ids/{caller_id}",
        right: Right::Action(Action::CallerIdsEdit),
        summary: "A number with its log",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CallerIdDetail),
        handler: || get(caller_ids::caller_id),
    },
    Route {
        method: "patch",
        path: "/caller-ids/{caller_id}",
        right: Right::Action(Action::CallerIdsEdit),
        summary: "Changes what is known of a number, and its caps",
        query: NONE,
        body: body!(CallerIdRequest, r#"{"holder":"翠园物业","per_day_max":300,"idle_days":7}"#),
        status: 200,
        answer: answer!(CallerIdDetail),
        handler: || patch(caller_ids::edit),
    },
    Route {
        method: "post",
        path: "/caller-ids/{caller_id}/actions",
        right: Right::Action(Action::CallerIdsEdit),
        summary: "Leads a number through its life cycle; what is not possible in its state is 409 `not_in_this_state`, what would show a number that waits for an approval 409 `not_approved`",
        query: NONE,
        body: body!(CallerIdAction, r#"{"action":"flag","note":"owners see a warning"}"#),
        status: 200,
        answer: answer!(CallerIdDetail),
        handler: || post(caller_ids::act),
    },
    Route {
        method: "post",
        path: "/caller-ids/{caller_id}/proof",
        right: Right::Action(Action::CallerIdsEdit),
        summary: "Receives the paper that shows who holds a number (the body is the file: PDF, PNG or JPEG, 10 MiB at most)",
        query: NONE,
        body: BodySchema::File("%PDF-1.7"),
        status: 201,
        answer: answer!(CallerIdDetail),
        handler: || post(caller_id_proofs::add),
    },
    Route {
        method: "get",
        path: "/caller-ids/{caller_id}/proof",
        right: Right::Action(Action::CallerIdsEdit),
        summary: "The paper that shows who holds a number, to be saved; who reads it is noted in the audit",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: Answer::File(&MEDIA_TYPES),
        handler: || get(caller_id_proofs::proof),
    },
    Route {
        method: "get",
        path: "/caller-ids/{caller_id}/health",
        right: Right::Action(Action::CallerIdsEdit),
        summary: "What a number's calls say of it, day by day, beside those of the other numbers",
        query: &[parameter("days", Form::Whole(1, 90), "So many days up to today; without it 7", "7")],
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CallerIdHealth),
        handler: || get(caller_ids::health),
    },
];
