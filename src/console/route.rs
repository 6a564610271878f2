//! The type of one entry in the table of routes.

use super::app_state::AppState;
use super::auth::Access;
use axum::routing::MethodRouter;
use schemars::Schema;

/// Prefix of every route.
pub const ROOT: &str = "/api/v1";

/// One route of the API.
pub struct Route {
    pub method: &'static str,
    /// Without [`ROOT`].
    pub path: &'static str,
    pub access: Access,
    /// One sentence for the OpenAPI document.
    pub summary: &'static str,
    /// Names of the query parameters.
    pub query: &'static [&'static str],
    pub body: BodySchema,
    /// HTTP status of success.
    pub status: u16,
    pub(super) handler: fn() -> MethodRouter<AppState>,
}

/// The JSON that a route's body takes.
#[derive(Clone, Copy)]
pub enum BodySchema {
    Empty,
    Json(&'static str, fn() -> Schema),
    /// An agent's action; its schema comes from the table in `actions`.
    AgentAction,
}
