//! The routes of campaigns as rows: a part of the table.

use super::campaign_text::{CampaignPatchRequest, CampaignTextRequest};
use super::floor::CampaignRequest;
use super::parameters::{Form, Parameter};
use super::rights::{Action, Right};
use super::route::{Answer, BodySchema, NONE, Route, answer, body, parameter};
use super::{campaign_text, campaigns, checklist};
use axum::routing::{delete, get, patch, post, put};

const LIST: &[Parameter] = &[
    parameter("state", Form::Text, "Campaigns in one of these states, with commas between", "running,paused"),
    parameter("q", Form::Text, "Campaigns whose name or title has this in it", "spring"),
    parameter("group", Form::Text, "Campaigns of this group of agents", "vote"),
    parameter("after", Form::Text, "The page after the one whose `next` this is", "1000"),
    parameter("limit", Form::Whole(1, 500), "Campaigns a page; without it 50", "50"),
];

const DRY_RUN: &[Parameter] = &[parameter(
    "dry_run",
    Form::Word(&["true", "false"]),
    "Only says what the change would do; needs no If-Match",
    "true",
)];

pub(super) const CAMPAIGNS: &[Route] = &[
    Route {
        method: "get",
        path: "/campaigns",
        right: Right::Visible(Action::CampaignsRead),
        summary: "Open campaigns with their figures, the dispositions an agent can choose, and a page of all campaigns",
        query: LIST,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Campaigns),
        handler: || get(campaigns::list),
    },
    Route {
        method: "post",
        path: "/campaigns",
        right: Right::Action(Action::CampaignsEdit),
        summary: "Makes a campaign from a text, as a copy, or from its folder (the body is a zip; needs an Idempotency-Key), \
                  or opens a file below the service's folder of campaigns (with `Prefer: respond-async` as a task)",
        query: &[
            parameter("name", Form::Text, "Of a folder: the name, instead of its text's", "autumn"),
            parameter("title", Form::Text, "Of a folder: the title, instead of its text's", "Autumn"),
        ],
        body: BodySchema::JsonOrFile(
            "CampaignRequest",
            || schemars::schema_for!(CampaignRequest),
            r#"{"toml":"name = \"autumn\"\nmode = \"announce\"\n"}"#,
            super::campaign_folder::ZIP,
        ),
        status: 201,
        answer: Answer::JsonOr(
            ("CampaignMade", super::answers::schema::<super::answers::CampaignMade>),
            (202, "CampaignImport", super::answers::schema::<super::answers::CampaignImport>),
        ),
        handler: || post(campaigns::make),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}",
        right: Right::Action(Action::CampaignsRead),
        summary: "A campaign with its text and fields; with `Accept: application/toml` the text alone, with \
                  `application/zip` its folder (lists and blacklists need the right numbers.read)",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: Answer::JsonOrFile(
            "Campaign",
            super::answers::schema::<super::answers::Campaign>,
            &["application/toml", super::campaign_folder::ZIP],
        ),
        handler: || get(campaigns::show),
    },
    Route {
        method: "put",
        path: "/campaigns/{name}",
        right: Right::Action(Action::CampaignsEdit),
        summary: "Replaces the text of a campaign: its next version",
        query: DRY_RUN,
        body: body!(
            CampaignTextRequest,
            r#"{"toml":"name = \"spring\"\nmode = \"announce\"\n","note":"shorter"}"#
        ),
        status: 200,
        answer: answer!(CampaignChange),
        handler: || put(campaign_text::replace),
    },
    Route {
        method: "patch",
        path: "/campaigns/{name}",
        right: Right::Action(Action::CampaignsEdit),
        summary: "Changes fields of a campaign; its text keeps its comments and its order",
        query: DRY_RUN,
        body: body!(
            CampaignPatchRequest,
            r#"{"fields":{"calling":{"ring_secs":40}},"note":"longer ringing"}"#
        ),
        status: 200,
        answer: answer!(CampaignChange),
        handler: || patch(campaign_text::patch),
    },
    Route {
        method: "delete",
        path: "/campaigns/{name}",
        right: Right::Action(Action::CampaignsEdit),
        summary: "Removes a draft that nobody was called in",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        answer: Answer::Empty,
        handler: || delete(campaigns::remove),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/versions",
        right: Right::Action(Action::CampaignsRead),
        summary: "The versions of a campaign's text, newest first",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CampaignVersions),
        handler: || get(campaigns::versions),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/versions/{n}",
        right: Right::Action(Action::CampaignsRead),
        summary: "One version of a campaign's text",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(CampaignVersion),
        handler: || get(campaigns::version),
    },
    Route {
        method: "get",
        path: "/campaigns/{name}/checklist",
        right: Right::Action(Action::CampaignsRead),
        summary: "What the campaign needs before it starts, and advice",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Checklist),
        handler: || get(checklist::show),
    },
];
