//! Every answer that is not the one asked for: RFC 9457 problem details, one shape for all.

pub(crate) mod catalogue;
mod from;

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub(crate) use catalogue::Kind;

pub(crate) const MEDIA_TYPE: &str = "application/problem+json";
const TYPE_ROOT: &str = "https://tillroll.dev/problems/";

/// One value that broke a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct FieldError {
    /// Name of the field, with a path below it where it has parts: `lines[2].quantity`.
    pub field: String,
    /// Names the rule: `required`, `unknown`, `invalid`.
    pub rule: String,
    /// What the value must be, in words.
    pub message: String,
}

impl FieldError {
    pub(crate) fn new(field: &str, rule: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), rule: rule.to_owned(), message: message.into() }
    }
}

/// A refusal on its way out; the middleware gives it its `instance` and writes it.
pub(crate) struct Problem(Box<Parts>);

struct Parts {
    kind: Kind,
    /// A rule of this kind that has no page of its own, as a crate below named it.
    code: Option<String>,
    detail: String,
    errors: Vec<FieldError>,
    extensions: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    #[must_use]
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            code: None,
            detail: detail.into(),
            errors: Vec::new(),
            extensions: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// 422 with everything that is wrong.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.field, one.message),
            many => format!("{} values break a rule", many.len()),
        };
        let mut problem = Self::new(catalogue::INVALID_VALUE, detail);
        problem.0.errors = errors;
        problem
    }

    /// 422 for one value.
    pub(crate) fn field(field: &str, rule: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, rule, message)])
    }

    /// 404 that says no more than that.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(catalogue::NOT_FOUND, format!("no such {what}"))
    }

    pub(crate) fn named(mut self, code: String) -> Self {
        self.0.code = Some(code);
        self
    }

    pub(crate) fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extensions.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// As [`Self::header`]; text that no header can hold is left out.
    pub(crate) fn text_header(self, name: HeaderName, text: &str) -> Self {
        match HeaderValue::from_str(text) {
            Ok(value) => self.header(name, value),
            Err(_) => self,
        }
    }

    #[must_use]
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    #[must_use]
    pub(crate) fn code(&self) -> &str {
        self.0.code.as_deref().unwrap_or(self.0.kind.code)
    }

    /// The response; `instance` is the request's id.
    pub(crate) fn render(&self, instance: &str) -> HttpResponse {
        let parts = &*self.0;
        let mut body = parts.extensions.clone();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("type", Value::from(format!("{TYPE_ROOT}{}", parts.kind.code)));
        set("title", Value::from(parts.kind.title));
        set("status", Value::from(parts.kind.status));
        set("code", Value::from(self.code()));
        if !parts.detail.is_empty() {
            set("detail", Value::from(parts.detail.as_str()));
        }
        if !instance.is_empty() {
            set("instance", Value::from(instance));
        }
        if !parts.errors.is_empty() {
            set("errors", serde_json::to_value(&parts.errors).unwrap_or_default());
        }
        let mut response = HttpResponse::build(self.status());
        response.content_type(MEDIA_TYPE);
        for (name, value) in &parts.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.body(Value::Object(body).to_string())
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.kind.status, self.code(), self.0.detail)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    /// Only the status: the middleware writes the rest.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status())
    }
}

impl Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::from_error(self)
    }
}

/// The shape of every problem, for the API's description.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemShape {
    /// Identifies the kind of problem; `GET /problems/` with its last part explains it.
    #[schema(format = "uri")]
    r#type: String,
    title: String,
    status: u16,
    /// Names the rule: the last part of `type`, or one of that kind's rules, as
    /// `seller_not_found` is of `not_found`.
    code: String,
    detail: Option<String>,
    /// The request's id, as in `X-Request-Id`.
    instance: Option<String>,
    /// Every value that broke a rule (422).
    errors: Option<Vec<FieldError>>,
}
