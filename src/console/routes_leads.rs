//! The routes of leads' actions, of the day, the search and the schedule: a part of the table.

use super::lead_actions::{self, LeadActionRequest, LeadsActionRequest, NewLeadRequest};
use super::parameters::{Form, Parameter};
use super::rights::{Action, Right};
use super::route::{Answer, BodySchema, NONE, Route, answer, body, parameter};
use super::{answers, health, holidays, schedule, search, today};
use axum::routing::{get, post, put};

const DRY_RUN: &[Parameter] =
    &[parameter("dry_run", Form::Word(&["true", "false"]), "Only counts the leads", "true")];

const DAYS: &[Parameter] = &[
    parameter("from", Form::Text, "The first day; without it today, or a week before `until`", "2027-02-01"),
    parameter("until", Form::Text, "The last day, at most 31 days later; without it a week", "2027-02-07"),
];

pub(super) const LEAD_ROUTES: &[Route] = &[
    Route {
        method: "post",
        path: "/leads/{id}/actions",
        right: Right::Action(Action::LeadsClose),
        summary: "Closes, opens again, moves forward, assigns, books or blacklists a lead whose call is not up",
        query: NONE,
        body: body!(LeadActionRequest, r#"{"action":"close","reason":"asked by letter"}"#),
        status: 200,
        answer: answer!(LeadActionDone),
        handler: || post(lead_actions::act),
    },
    Route {
        method: "post",
        path: "/campaigns/{name}/leads/actions",
        right: Right::Action(Action::LeadsClose),
        summary: "As for one lead, for many of a campaign: a task, or with `dry_run` their count",
        query: DRY_RUN,
        body: body!(LeadsActionRequest, r#"{"action":"close","filters":{"state":"open","building":"3"}}"#),
        status: 202,
        answer: Answer::JsonOr(
            ("LeadsTask", answers::schema::<answers::LeadsTask>),
            (200, "LeadsCounted", answers::schema::<answers::LeadsCounted>),
        ),
        handler: || post(lead_actions::act_on_many),
    },
    Route {
        method: "post",
        path: "/campaigns/{name}/leads",
        right: Right::Action(Action::LeadsAdd),
        summary: "Adds a lead, cleaned as a row of a list is",
        query: NONE,
        body: body!(NewLeadRequest, r#"{"name":"李芳","phones":["13900139000"],"place":"3-2-1402"}"#),
        status: 201,
        answer: answer!(LeadAdded),
        handler: || post(lead_actions::add),
    },
    Route {
        method: "get",
        path: "/today",
        right: Right::Action(Action::CampaignsRead),
        summary: "What needs somebody today, the most urgent first, and the hours of the day so far",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Today),
        handler: || get(today::show),
    },
    Route {
        method: "get",
        path: "/search",
        right: Right::SignedIn,
        summary: "Campaigns, people, groups, leads, calls, lists, sounds and pages by a word, a number or an id",
        query: &[parameter(
            "q",
            Form::Text,
            "A part of a name, a whole number, or an id such as out-812",
            "spring",
        )],
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(SearchHits),
        handler: || get(search::search),
    },
    Route {
        method: "get",
        path: "/schedule",
        right: Right::Action(Action::CampaignsRead),
        summary: "When campaigns call, which trunks they share, and where they ask for more lines than there are",
        query: DAYS,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Schedule),
        handler: || get(schedule::show),
    },
    Route {
        method: "get",
        path: "/holidays",
        right: Right::SignedIn,
        summary: "Days on which no campaign of the organisation calls, beside its own holidays",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(HolidaysView),
        handler: || get(holidays::show),
    },
    Route {
        method: "put",
        path: "/holidays",
        right: Right::Action(Action::ScheduleEdit),
        summary: "Replaces the organisation's holidays; needs If-Match",
        query: NONE,
        body: body!(HolidaysRequest, r#"{"days":["2027-01-01","2027-02-05..2027-02-12"]}"#),
        status: 200,
        answer: answer!(HolidaysView),
        handler: || put(holidays::replace),
    },
    Route {
        method: "get",
        path: "/version",
        right: Right::Action(Action::SystemRead),
        summary: "The version of the program, and of its store",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Version),
        handler: || get(health::version),
    },
];

use holidays::HolidaysRequest;
