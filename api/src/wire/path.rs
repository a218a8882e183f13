//! Ids in paths. One that is no id names nothing, so it is a 404 like any other unknown id.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use uuid::Uuid;

use crate::problem::Problem;

/// The ids of a path, in its order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids<T>(pub(crate) T);

/// One id or several.
pub(crate) trait FromSegments: Sized {
    fn from_segments<'a>(segments: impl Iterator<Item = &'a str>) -> Option<Self>;
}

impl<A: From<Uuid>> FromSegments for (A,) {
    fn from_segments<'a>(mut segments: impl Iterator<Item = &'a str>) -> Option<Self> {
        Some((id(segments.next()?)?,))
    }
}

impl<A: From<Uuid>, B: From<Uuid>> FromSegments for (A, B) {
    fn from_segments<'a>(mut segments: impl Iterator<Item = &'a str>) -> Option<Self> {
        Some((id(segments.next()?)?, id(segments.next()?)?))
    }
}

fn id<I: From<Uuid>>(text: &str) -> Option<I> {
    // Only the hyphenated form: one thing has one address.
    if text.len() != 36 {
        return None;
    }
    Uuid::try_parse(text).ok().map(I::from)
}

impl<T: FromSegments> FromRequest for Ids<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let segments = request.match_info().iter().map(|(_, value)| value);
        ready(T::from_segments(segments).map(Self).ok_or_else(|| Problem::not_found("id")))
    }
}
