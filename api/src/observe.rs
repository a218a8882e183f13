//! Around every request: its id, the bounds on time and number, one event in the log, and the
//! problem's last touch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, web};

use crate::problem::{Problem, catalogue};
use crate::services::Services;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_CHARS_MAX: usize = 128;

/// Names one request, in the answer, the log and the journal.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    pub(crate) fn of(request: &HttpRequest) -> Arc<str> {
        match request.extensions().get::<Self>() {
            Some(id) => Arc::clone(&id.0),
            None => Arc::from(""),
        }
    }

    /// The client's own if it is short and plain, else a new one.
    fn read(headers: &HeaderMap) -> Arc<str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let fits = |id: &&str| !id.is_empty() && id.len() <= REQUEST_ID_CHARS_MAX;
        match given.filter(fits).filter(|id| id.bytes().all(plain)) {
            Some(id) => Arc::from(id),
            None => Self::fresh(),
        }
    }

    /// Unique, not secret: when this process first needed one, and a count.
    fn fresh() -> Arc<str> {
        static STARTED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let started = STARTED.get_or_init(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_micros()).unwrap_or(0)
        });
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Arc::from(format!("{started:x}-{count:x}"))
    }
}

/// Counts a request as under way until it is dropped.
struct UnderWay(web::Data<Services>);

impl UnderWay {
    fn begin(services: &web::Data<Services>) -> Option<Self> {
        let before = services.in_flight.fetch_add(1, Ordering::Relaxed);
        let begun = Self(services.clone());
        (before < services.limits.requests_in_flight_max).then_some(begun)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The middleware around all routes.
pub(crate) async fn observe(
    services: web::Data<Services>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let id = RequestId::read(request.headers());
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let method = request.method().clone();
    let Some(_under_way) = UnderWay::begin(&services) else {
        let detail = "too many requests are under way";
        let problem = Problem::new(catalogue::OVERLOADED, detail).retry_after(1);
        let response = identified(problem.render(&id), &id);
        log(&services, &Answered { method, pattern: "", status: 503, took: started.elapsed(), id });
        return Ok(request.into_response(response));
    };
    let answer = tokio::time::timeout(services.limits.request_timeout, next.call(request)).await;
    let Ok(answer) = answer else {
        let detail = "no answer in time; what was asked may still be done";
        let problem = Problem::new(catalogue::TIMED_OUT, detail).retry_after(1);
        let response = identified(problem.render(&id), &id);
        log(&services, &Answered { method, pattern: "", status: 503, took: started.elapsed(), id });
        return Err(InternalError::from_response("timed out", response).into());
    };
    let answer = finished(&services, answer?, &id);
    let pattern = answer.request().match_pattern().unwrap_or_default();
    let status = answer.status().as_u16();
    let took = started.elapsed();
    log(&services, &Answered { method, pattern: &pattern, status, took, id });
    Ok(answer)
}

/// Writes a problem with its instance, and the request's id onto everything.
fn finished(
    services: &Services,
    mut answer: ServiceResponse<BoxBody>,
    id: &str,
) -> ServiceResponse<BoxBody> {
    let problem = answer.response().error().and_then(|error| error.as_error::<Problem>());
    let rendered = problem.map(|problem| {
        if problem.code() == catalogue::DISK_FULL.code {
            services.met_full_disk();
        }
        problem.render(id)
    });
    if let Some(rendered) = rendered {
        answer = ServiceResponse::new(answer.into_parts().0, rendered);
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    answer
}

fn identified(mut response: HttpResponse, id: &str) -> HttpResponse {
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

struct Answered<'a> {
    method: Method,
    pattern: &'a str,
    status: u16,
    took: Duration,
    id: Arc<str>,
}

fn log(services: &Services, answered: &Answered<'_>) {
    let Answered { method, pattern, status, took, id } = answered;
    services.metrics.count(pattern, method, *status, *took);
    let (took_us, route, request_id) = (took.as_micros(), *pattern, &**id);
    if *status >= 500 {
        tracing::warn!(%method, route, status, took_us, request_id, "request");
    } else {
        tracing::info!(%method, route, status, took_us, request_id, "request");
    }
}
