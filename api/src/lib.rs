//! Who may ask: the HTTP command and query API.
//!
//! Routes, credentials, problem details, limits, and the API's own description. No business rule
//! and no SQL lives here: a command goes to the engine, a query to the read models.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failing test panics"))]

mod auth;
mod limits;
mod metrics;
mod observe;
mod openapi;
mod personal;
mod position;
mod problem;
mod reply;
mod routes;
mod server;
mod services;
mod wire;

#[cfg(test)]
mod tests;

pub use auth::{
    ApiKey, ApiKeyRole, ApiKeys, ApiKeysError, CustomerTokenOptions, CustomerTokens, NewApiKey,
    SignedTokens, TokenKey, TokenSetupError,
};
pub use limits::{Limits, Rate, RateLimits};
pub use openapi::openapi;
pub use position::position_token;
pub use problem::catalogue::{ALL as PROBLEMS, Kind as ProblemKind};
pub use server::{HttpOptions, Running, ServeError, Stopper, configure, serve};
pub use services::{Build, Check, Gauge, ParkedWebhooks, Services, ServicesParts};
