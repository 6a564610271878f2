//! The routes of exports and of the blacklist's imports.

use super::answers;
use super::blacklist_imports::{self, BlacklistImportAction, BlacklistSourceRemoval};
use super::exports::{self, ExportRequest};
use super::parameters::{Form, Parameter};
use super::rights::{Action, Right};
use super::route::{Answer, BodySchema, NONE, Route, WHOLE_MAX, answer, body, parameter};
use axum::routing::{delete, get, post};

const PAGE: &[Parameter] = &[
    parameter("after", Form::Whole(0, WHOLE_MAX), "The page after the one whose `next` this is", "1000"),
    parameter("limit", Form::Whole(1, 500), "Items a page; without it 50", "50"),
];

const DRY_RUN: &[Parameter] =
    &[parameter("dry_run", Form::Word(&["true", "false"]), "Only says what the export would hold", "true")];

const IMPORT: &[Parameter] = &[
    parameter(
        "source",
        Form::Text,
        "The name under which the entries stand; those it has are replaced",
        "dnc",
    ),
    parameter("file_name", Form::FileName, "The name of the file, as a person knows it", "dnc.csv"),
    parameter(
        "campaign",
        Form::Text,
        "Entries of the campaign with this name; without it of every campaign",
        "spring",
    ),
];

pub(super) const EXPORTS: &[Route] = &[
    Route {
        method: "post",
        path: "/exports",
        right: Right::Action(Action::ExportsMake),
        summary: "Asks for a file of rows as they are at one moment: a task, or with `dry_run` what it would hold",
        query: DRY_RUN,
        body: body!(
            ExportRequest,
            r#"{"what":"attempts","format":"csv","filters":{"campaign":"spring","outcome":"answered"}}"#
        ),
        status: 202,
        answer: Answer::JsonOr(
            ("ExportBegun", answers::schema::<answers::ExportBegun>),
            (200, "ExportForeseen", answers::schema::<answers::ExportForeseen>),
        ),
        handler: || post(exports::ask),
    },
    Route {
        method: "get",
        path: "/exports",
        right: Right::Action(Action::ExportsMake),
        summary: "The caller's exports, newest first; admins see those of everybody",
        query: PAGE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(Exports),
        handler: || get(exports::exports),
    },
    Route {
        method: "get",
        path: "/exports/key",
        right: Right::SignedIn,
        summary: "The public key that manifests are signed with",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(SigningKeyView),
        handler: || get(exports::key),
    },
    Route {
        method: "get",
        path: "/exports/{id}",
        right: Right::Action(Action::ExportsMake),
        summary: "An export: how far it is, what came of it, until when it is kept",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(ExportView),
        handler: || get(exports::export),
    },
    Route {
        method: "get",
        path: "/exports/{id}/file",
        right: Right::Action(Action::ExportsMake),
        summary: "The file of an export, whole or in ranges",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: Answer::File(&[
            "text/csv; charset=utf-8",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.apache.parquet",
            "application/zip",
        ]),
        handler: || get(exports::file),
    },
    Route {
        method: "get",
        path: "/exports/{id}/manifest",
        right: Right::Action(Action::ExportsMake),
        summary: "The signed manifest of an export: sums, rows, the moment, versions of the rules",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: Answer::Document,
        handler: || get(exports::manifest),
    },
    Route {
        method: "delete",
        path: "/exports/{id}",
        right: Right::Action(Action::ExportsMake),
        summary: "Removes an export and its file, also one that is being written",
        query: NONE,
        body: BodySchema::Empty,
        status: 204,
        answer: Answer::Empty,
        handler: || delete(exports::remove),
    },
    Route {
        method: "post",
        path: "/blacklist/imports",
        right: Right::Action(Action::BlacklistEdit),
        summary: "Receives a blacklist (the body is the file: .csv, .txt, .xlsx) and checks it; no entry is made yet",
        query: IMPORT,
        body: BodySchema::File("号码\n13800138000\n"),
        status: 201,
        answer: answer!(BlacklistImportView),
        handler: || post(blacklist_imports::add),
    },
    Route {
        method: "get",
        path: "/blacklist/imports",
        right: Right::Action(Action::BlacklistEdit),
        summary: "Blacklists that were sent, newest first",
        query: PAGE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(BlacklistImports),
        handler: || get(blacklist_imports::imports),
    },
    Route {
        method: "get",
        path: "/blacklist/imports/{id}",
        right: Right::Action(Action::BlacklistEdit),
        summary: "A blacklist that was sent: what its check found",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(BlacklistImportView),
        handler: || get(blacklist_imports::import),
    },
    Route {
        method: "post",
        path: "/blacklist/imports/{id}/actions",
        right: Right::Action(Action::BlacklistEdit),
        summary: "Makes a checked blacklist the entries of its source, all or nothing, or discards it",
        query: NONE,
        body: body!(BlacklistImportAction, r#"{"action":"load","gone":0}"#),
        status: 202,
        answer: answer!(BlacklistImportView),
        handler: || post(blacklist_imports::act),
    },
    Route {
        method: "get",
        path: "/blacklist/sources",
        right: Right::Action(Action::BlacklistRead),
        summary: "Where the entries come from, with how many there are of each",
        query: NONE,
        body: BodySchema::Empty,
        status: 200,
        answer: answer!(BlacklistSources),
        handler: || get(blacklist_imports::sources),
    },
    Route {
        method: "post",
        path: "/blacklist/sources/removals",
        right: Right::Action(Action::BlacklistEdit),
        summary: "Removes all entries of a source; their count must be named",
        query: NONE,
        body: body!(BlacklistSourceRemoval, r#"{"source":"dnc","count":2}"#),
        status: 202,
        answer: answer!(BlacklistImportView),
        handler: || post(blacklist_imports::remove_source),
    },
];
