//! The type of one entry in the table of routes.

use super::app_state::AppState;
use super::parameters::{Form, Parameter};
use super::rights::Right;
use axum::routing::MethodRouter;
use schemars::Schema;

/// Prefix of every route.
pub const ROOT: &str = "/api/v1";

/// One route of the API.
#[derive(Clone, Copy)]
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
    /// The bytes of a file, with an example as text.
    File(&'static str),
    /// JSON as above, or the bytes of a file of this media type.
    JsonOrFile(&'static str, fn() -> Schema, &'static str, &'static str),
    /// An agent's action; its schema comes from the table in `action_schema`.
    AgentAction,
}

/// The body of a success.
#[derive(Clone, Copy)]
pub enum Answer {
    Empty,
    Json(&'static str, fn() -> Schema),
    /// JSON, or other JSON with another status: 202 = it was begun, else nothing was done.
    JsonOr((&'static str, fn() -> Schema), (u16, &'static str, fn() -> Schema)),
    /// JSON, or by `Accept` a file of one of these media types.
    JsonOrFile(&'static str, fn() -> Schema, &'static [&'static str]),
    /// A JSON document without a schema of its own.
    Document,
    /// Server-sent events.
    Events,
    /// A sound file, whole or in ranges.
    Sound,
    /// A file to be saved, whole or in ranges, of one of these media types.
    File(&'static [&'static str]),
}

/// The body of a route: its type, and an example as JSON text.
macro_rules! body {
    ($name:ty, $example:literal) => {
        BodySchema::Json(stringify!($name), || schemars::schema_for!($name), $example)
    };
}

/// The answer of a route: a type of `answers`.
macro_rules! answer {
    ($name:ident) => {
        Answer::Json(stringify!($name), $crate::console::answers::schema::<$crate::console::answers::$name>)
    };
}

pub(super) use {answer, body};

pub(super) const NONE: &[Parameter] = &[];

pub(super) const fn parameter(
    name: &'static str,
    form: Form,
    description: &'static str,
    example: &'static str,
) -> Parameter {
    Parameter { name, form, description, example }
}

/// The largest number that a client in JavaScript holds exactly.
pub(super) const WHOLE_MAX: i64 = (1 << 53) - 1;
