//! JSON bodies: bounded in size and depth, and typed.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures::StreamExt;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Field, scan};
use crate::problem::{Kind, Problem, catalogue};

pub(crate) const SMALL_BODY_BYTES: usize = 64 * 1024;
pub(crate) const LARGE_BODY_BYTES: usize = 256 * 1024;
const DEPTH_MAX: usize = 32;

/// A type that can be read from a JSON object.
pub(crate) trait Wire: Sized {
    const BYTES_MAX: usize;

    fn parse(text: &str) -> Result<Self, Problem>;
}

/// A body that says nothing: none at all, or an empty object.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

impl Wire for Nothing {
    const BYTES_MAX: usize = SMALL_BODY_BYTES;

    fn parse(text: &str) -> Result<Self, Problem> {
        Field::object(text)
    }
}

/// A body, and the bytes it was read from, for the digest of an idempotent request.
#[derive(Debug)]
pub(crate) struct Body<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
}

impl<T: Wire + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let checked = is_json(request);
        let whole = read_whole(request, payload, T::BYTES_MAX);
        Box::pin(async move {
            let is_json = checked;
            let bytes = whole.await?;
            if !is_json && !bytes.is_empty() {
                let detail = "the body must be application/json";
                return Err(Problem::new(catalogue::UNSUPPORTED_MEDIA_TYPE, detail));
            }
            let text = match std::str::from_utf8(&bytes) {
                // A body left out says what an empty object says.
                Ok("") => "{}",
                Ok(text) => text,
                Err(error) => {
                    return Err(Problem::new(catalogue::MALFORMED_JSON, error.to_string()));
                }
            };
            check_depth(text, catalogue::MALFORMED_JSON)?;
            let value = T::parse(text)?;
            Ok(Self { value, bytes })
        })
    }
}

/// Refuses text that is nested too deep to be handed on.
pub(crate) fn check_depth(text: &str, kind: Kind) -> Result<(), Problem> {
    if scan::depth(text) <= DEPTH_MAX {
        return Ok(());
    }
    Err(Problem::new(kind, format!("the body is nested more than {DEPTH_MAX} deep")))
}

fn is_json(request: &HttpRequest) -> bool {
    let Some(Ok(media)) = request.headers().get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let media = media.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json") || media.ends_with("+json")
}

/// Reads a body of at most `bytes_max`; one that says it is larger is not read at all.
pub(crate) fn read_whole(
    request: &HttpRequest,
    payload: &mut Payload,
    bytes_max: usize,
) -> impl Future<Output = Result<Bytes, Problem>> + 'static {
    let said = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let said: Option<usize> = said.and_then(|text| text.parse().ok());
    let mut payload = payload.take();
    let too_large = move || {
        let detail = format!("the body has more than {bytes_max} bytes");
        Problem::new(catalogue::BODY_TOO_LARGE, detail)
    };
    async move {
        if said.is_some_and(|bytes| bytes > bytes_max) {
            return Err(too_large());
        }
        let broken = |error: actix_web::error::PayloadError| {
            Problem::new(catalogue::MALFORMED_JSON, format!("the body broke off: {error}"))
        };
        let first = match payload.next().await {
            Some(chunk) => chunk.map_err(broken)?,
            None => return Ok(Bytes::new()),
        };
        if first.len() > bytes_max {
            return Err(too_large());
        }
        // Most bodies come in one piece, which is then not copied.
        let Some(second) = payload.next().await else {
            return Ok(first);
        };
        let mut all = BytesMut::from(first.as_ref());
        let mut next = Some(second);
        while let Some(chunk) = next {
            let chunk = chunk.map_err(broken)?;
            if all.len() + chunk.len() > bytes_max {
                return Err(too_large());
            }
            all.extend_from_slice(&chunk);
            next = payload.next().await;
        }
        Ok(all.freeze())
    }
}
