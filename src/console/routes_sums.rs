//! The part of the table of routes that is about sums over calls, and the calls behind them.

use super::call_filters::{FILTERS_COUNT, with_call_filters};
use super::parameters::{Form, Parameter};
use super::rights::{Action, Right};
use super::route::{Answer, BodySchema, NONE, Route, WHOLE_MAX, answer, parameter};
use super::{abandoned, aggregates, summary};
use axum::routing::get;

const ABANDONED: &[Parameter] = &[
    parameter("rule", Form::Word(abandoned::RULES), "As this rule counts; without it `whole_day`", "us_tsr"),
    parameter(
        "from",
        Form::Moment,
        "Calls answered then or later; without it since the begin of the rule's window",
        "2026-03-02T00:00:00+08:00",
    ),
    parameter("after", Form::Whole(1, WHOLE_MAX), "The page after the one whose `next` this is", "1000"),
];

const BY: [Parameter; 2] = [
    parameter(
        "by",
        Form::Word(aggregates::DIMENSIONS),
        "What the calls of a sum have in common; without it the hour",
        "hour",
    ),
    parameter("then", Form::Word(aggregates::DIMENSIONS), "What they have in common beside it", "outcome"),
];

const AGGREGATES: [Parameter; FILTERS_COUNT + BY.len()] = with_call_filters(BY);

pub(super) const SUMS: &[Route] = &[
    Route {
        method: "get",
        path: "/aggregates",
        right: Right::Action(Action::ResultsRead),
        summary: "Sums over the calls of the call log's filters, by one thing or two; those of today without a span",
        query: &AGGREGATES,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CallAggregates),
        handler: || get(aggregates::aggregates),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/summary",
        right: Right::Action(Action::ResultsRead),
        summary: "The content of the campaign's `summary.json`, a minute old at most",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CampaignSummary),
        handler: || get(summary::summary),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/abandoned",
        right: Right::Action(Action::CampaignsRead),
        summary: "The abandoned calls behind a rule's rate, the latest first, with what agents did then",
        query: ABANDONED,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(AbandonedCalls),
        handler: || get(abandoned::abandoned),
    },
];
