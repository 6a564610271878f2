//! The type of one entry in the table of routes.

use super::app_state::AppState;
use super::parameters::Parameter;
use super::rights::Right;
use axum::routing::MethodRouter;
use schemars::Schema;

/// Prefix of every route.
pub const ROOT: &str = "/api/v1";

/// One route of the API.
pub struct Route {
    pub method: &'static str,
    /// Without [`ROOT`].
    pub path: &'static str,
    pub right: Right,
    /// One sentence for the OpenAPI document.
    pub summary: &'static str,
    /// Query parameters; any other is refused.
    pub query: &'static [Parameter],
    pub body: BodySchema,
    /// HTTP status of success.
    pub status: u16,
    pub answer: Answer,
    pub(super) handler: fn() -> MethodRouter<AppState>,
}

/// The JSON that a route's body takes.
#[derive(Clone, Copy)]
pub enum BodySchema {
    Empty,
    /// Name, schema, and an example as JSON text.
    Json(&'static str, fn() -> Schema, &'static str),
    /// An agent's action; its schema comes from the table in `action_schema`.
    AgentAction,
}

/// The body of a success.
#[derive(Clone, Copy)]
pub enum Answer {
    Empty,
    Json(&'static str, fn() -> Schema),
    /// A JSON document without a schema of its own.
    Document,
    /// Server-sent events.
    Events,
    /// A sound file, whole or in ranges.
    Sound,
}
