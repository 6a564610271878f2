//! The part of the table of routes that is about one call: all of it, its recording, its peaks and its trace from the journal.

use super::parameters::{Form, Parameter};
use super::rights::{Action, Right};
use super::route::{Answer, BodySchema, NONE, Route, WHOLE_MAX, answer, parameter};
use super::{call_detail, call_story, recordings};
use axum::routing::{get, post};

const THE_PART: Parameter =
    parameter("part", Form::Whole(1, 1_000), "A call recorded in parts has several files: 1, 2, …", "1");

const PART: &[Parameter] = &[
    THE_PART,
    parameter(
        "hearing",
        Form::Whole(1, WHOLE_MAX),
        "The player's own number for this hearing: a new one is on record again",
        "7",
    ),
    parameter(
        "download",
        Form::Word(&["true", "false"]),
        "As a file to keep, which needs `exports.make` too and is on record as a download",
        "true",
    ),
];

const PEAKS: &[Parameter] =
    &[THE_PART, parameter("bins", Form::Whole(1, 2_000), "How many parts; 2,000 at most", "480")];

pub(super) const ONE_CALL: &[Route] = &[
    Route {
        method: "get",
        path: "/calls/{attempt}",
        right: Right::Action(Action::CallsRead),
        summary: "One call: its moments, legs, agents, summaries, corrections, recording, and the agents at the answer",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CallDetail),
        handler: || get(call_detail::call),
    },
    Route {
        method: "get",
        path: "/calls/in/{call}",
        right: Right::Action(Action::CallsRead),
        summary: "One inbound call, as `GET /calls/{attempt}`",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CallDetail),
        handler: || get(call_detail::inbound_call),
    },
    Route {
        method: "get",
        path: "/calls/{attempt}/recording",
        right: Right::Action(Action::RecordingsPlay),
        summary: "The recording of a call, whole or in ranges, for callers who may hear it; on record once a hearing",
        query: PART,
        body: BodySchema::Empty,
        status: 200,
        answer: Answer::Sound,
        handler: || get(recordings::recording),
    },
    Route {
        method: "get",
        path: "/calls/in/{call}/recording",
        right: Right::Action(Action::RecordingsPlay),
        summary: "The recording of an inbound call, as `GET /calls/{attempt}/recording`",
        query: PART,
        body: BodySchema::Empty,
        status: 200,
        answer: Answer::Sound,
        handler: || get(recordings::inbound_recording),
    },
    Route {
        method: "get",
        path: "/calls/{attempt}/peaks",
        right: Right::Action(Action::RecordingsPlay),
        summary: "How loud a call's recording is over its length, the callee and the other side apart",
        query: PEAKS,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CallPeaks),
        handler: || get(recordings::peaks),
    },
    Route {
        method: "get",
        path: "/calls/in/{call}/peaks",
        right: Right::Action(Action::RecordingsPlay),
        summary: "How loud an inbound call's recording is over its length",
        query: PEAKS,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CallPeaks),
        handler: || get(recordings::inbound_peaks),
    },
    Route {
        method: "post",
        path: "/calls/{attempt}/story",
        right: Right::Action(Action::CampaignsRead),
        summary: "Reads from the journal why a call was dialled and what became of it; the task has the lines",
        query: NONE,
        body: BodySchema::Empty,
        status: 202,
        answer: answer!(StoryBegun),
        handler: || post(call_story::begin),
    },
];
