//! Routes about a campaign's pacing: minutes for plots, decisions, forecasts.

use super::parameters::{Form, Parameter};
use super::rights::{Action, Right};
use super::route::{Answer, BodySchema, NONE, Route, WHOLE_MAX, answer, body, parameter};
use super::{campaign_forecast, campaign_series, decision_log};
use axum::routing::{get, post};
use campaign_forecast::ForecastRequest;
use campaign_series::STEPS;
use paceline_core::pacing::Why;

const SERIES: &[Parameter] = &[
    parameter(
        "from",
        Form::Moment,
        "Minutes that begin then or later; without it four hours before `until`",
        "2026-03-02T00:00:00+08:00",
    ),
    parameter(
        "until",
        Form::Moment,
        "Minutes that begin before; without it now",
        "2026-03-02T12:00:00+08:00",
    ),
    parameter("step", Form::Word(STEPS), "Minutes in an item; without it 1", "5"),
];

const DECISIONS: &[Parameter] = &[
    parameter("before", Form::Whole(0, WHOLE_MAX), "The page after the one whose `next` this is", "1000"),
    parameter("why", Form::Word(&Why::WORDS), "Decisions that were held down by this", "abandon_budget"),
];

pub(super) const PACING: &[Route] = &[
    Route {
        method: "get",
        path: "/campaigns/{name}/series",
        right: Right::Action(Action::CampaignsRead),
        summary: "A campaign by the minute: calls, abandon rate, agents, and what held dialling down",
        query: SERIES,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Series),
        handler: || get(campaign_series::series),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/decisions",
        right: Right::Action(Action::CampaignsRead),
        summary: "The latest pacing decisions, newest first, each with its sentence and its numbers",
        query: DECISIONS,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Decisions),
        handler: || get(decision_log::decisions),
    },
    Route {
        method: "post",
        path: "/campaigns/{name}/forecasts",
        right: Right::Action(Action::CampaignsRead),
        summary: "Begins a forecast: this campaign with these agents in every pacing mode, in virtual time",
        query: NONE,
        body: body!(ForecastRequest, r#"{"agents":12,"hours":8,"seeds":3,"answer_rate":0.28}"#),
        status: 202,
        answer: answer!(ForecastBegun),
        handler: || post(campaign_forecast::begin),
    },
];
