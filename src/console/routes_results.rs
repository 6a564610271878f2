//! The part of the table of routes that is about a campaign's results.

use super::parameters::{Form, Parameter};
use super::rights::{Action, Right};
use super::route::{Answer, BodySchema, NONE, Route, WHOLE_MAX, answer, parameter};
use super::vote;
use axum::routing::get;

const FLATS: &[Parameter] = &[
    parameter("said", Form::Word(vote::SAID), "Owners who said this together", "differing"),
    parameter("after", Form::Whole(0, WHOLE_MAX), "The page after the one whose `next` this is", "1000"),
];

pub(super) const RESULTS: &[Route] = &[
    Route {
        method: "get",
        path: "/campaigns/{name}/sums",
        right: Right::Action(Action::ResultsRead),
        summary: "Sums over a campaign's leads by state, by the result of a key and by disposition",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CampaignSums),
        handler: || get(vote::sums),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/vote",
        right: Right::Action(Action::ResultsRead),
        summary: "The owners' vote by heads and by floor area; 404 `no_vote` where the campaign has no `[vote]`",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(VoteCount),
        handler: || get(vote::vote),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/vote/flats",
        right: Right::Action(Action::ResultsRead),
        summary: "Owners who count as one, with their flats and with what each of them said",
        query: FLATS,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(VoteHeads),
        handler: || get(vote::flats),
    },
];
