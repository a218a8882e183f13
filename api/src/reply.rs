//! Answers that are the ones asked for.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, ETAG, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, VARY,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use journal::Position;
use serde::Serialize;

use crate::auth::Asking;
use crate::position::{POSITION, position_token};
use crate::problem::{Problem, catalogue};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// An answer being made.
pub(crate) struct Reply(HttpResponseBuilder);

pub(crate) type Answer = Result<HttpResponse, Problem>;

impl Reply {
    fn with(status: StatusCode) -> Self {
        let mut response = HttpResponse::build(status);
        // Answers are one caller's own unless a route says otherwise.
        response.insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")));
        Self(response)
    }

    pub(crate) fn ok() -> Self {
        Self::with(StatusCode::OK)
    }

    pub(crate) fn accepted() -> Self {
        Self::with(StatusCode::ACCEPTED)
    }

    /// 201, with the new thing's address.
    pub(crate) fn created(location: &str) -> Self {
        Self::with(StatusCode::CREATED).location(location)
    }

    pub(crate) fn location(mut self, location: &str) -> Self {
        self.0.insert_header((LOCATION, location));
        self
    }

    pub(crate) fn etag(mut self, version: u64) -> Self {
        self.0.insert_header((ETAG, format!("\"{version}\"")));
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.insert_header((RETRY_AFTER, HeaderValue::from(seconds)));
        self
    }

    /// So that the client can read what it wrote.
    pub(crate) fn position(mut self, who: &Asking, position: Position) -> Self {
        let token = position_token(who.services().journal.id(), position);
        self.0.insert_header((HeaderName::from_static(POSITION), token));
        self
    }

    pub(crate) fn replayed(mut self, replayed: bool) -> Self {
        if replayed {
            self.0.insert_header((REPLAYED, HeaderValue::from_static("true")));
        }
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.0.insert_header((HeaderName::from_static(name), value));
        self
    }

    /// May be kept and shared for so long: public, and the same for everybody.
    pub(crate) fn shared_for(mut self, seconds: u32) -> Self {
        self.0.insert_header((CACHE_CONTROL, format!("public, max-age={seconds}")));
        self
    }

    /// The same for everybody, and may be shared for so long; but not what was answered from a
    /// position that was asked for, nor in place of that.
    pub(crate) fn shared_unless_seen(mut self, who: &Asking, seconds: u32) -> Self {
        self.0.insert_header((VARY, HeaderValue::from_static("Tillroll-Min-Position")));
        if who.insists_on_position() {
            self.0.insert_header((CACHE_CONTROL, HeaderValue::from_static("private, no-cache")));
            return self;
        }
        self.shared_for(seconds)
    }

    /// Without a body.
    pub(crate) fn empty(mut self) -> Answer {
        Ok(self.0.finish())
    }

    /// Depends on who asks: never to be shown to anybody else.
    pub(crate) fn for_who_asks(mut self) -> Self {
        self.0.insert_header((CACHE_CONTROL, HeaderValue::from_static("private, no-cache")));
        self.0.insert_header((VARY, HeaderValue::from_static("Authorization, Tillroll-Customer")));
        self
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Answer {
        let text = serde_json::to_vec(body).map_err(|error| {
            tracing::error!(%error, "an answer cannot be written as JSON");
            Problem::new(catalogue::INTERNAL, "the answer cannot be written")
        })?;
        Ok(self.0.content_type("application/json").body(text))
    }
}
