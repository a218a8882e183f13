//! Connections, keys, and bodies in JSON.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{MASTER_KEY, Shared, routes};

/// An error as it is published: status, code and message.
#[derive(Debug)]
pub struct Refusal(pub u16, pub &'static str, pub String);

impl Refusal {
    pub fn json(&self) -> Value {
        let Self(status, code, message) = self;
        let kind = match status {
            401 | 403 => "auth",
            500.. => "internal",
            _ => "invalid_request",
        };
        json!({
            "message": message,
            "code": code,
            "type": kind,
            "link": format!("https://docs.meilisearch.com/errors#{code}"),
        })
    }
}

pub type Answer = Result<(u16, Value), Refusal>;

pub async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    while let Ok((socket, _)) = listener.accept().await {
        let shared = shared.clone();
        socket.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                let shared = shared.clone();
                async move { Ok::<_, Infallible>(call(shared, request).await) }
            });
            // A client that goes away is no failure.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

async fn call(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> hyper::Response<Full<Bytes>> {
    shared.requests.fetch_add(1, Relaxed);
    let (status, body) = match answer(&shared, request).await {
        Ok(answer) => answer,
        Err(refusal) => (refusal.0, refusal.json()),
    };
    let body = body.to_string();
    shared.largest_answer.fetch_max(body.len() as u64, Relaxed);
    hyper::Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .unwrap()
}

async fn answer(shared: &Shared, request: hyper::Request<Incoming>) -> Answer {
    if shared.hangs(request.uri().path()) {
        std::future::pending::<()>().await;
    }
    if shared.broken.load(Relaxed) {
        return Err(Refusal(500, "internal", "An internal error has occurred.".to_owned()));
    }
    let (head, body) = request.into_parts();
    let method = head.method.as_str();
    let path = head.uri.path().to_owned();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // The key is looked at before anything else is.
    if let Some(right) = routes::right(method, &parts) {
        check_key(shared, &head.headers, right)?;
    }
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    shared.largest_body.fetch_max(body.len() as u64, Relaxed);
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body)
            .map_err(|error| Refusal(400, "malformed_payload", error.to_string()))?
    };
    let delay = shared.search_millis.load(Relaxed);
    if delay > 0 && matches!(parts.last(), Some(&"multi-search" | &"search")) {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    routes::answer(shared, method, &parts, &query(head.uri.query()), body)
}

fn query(text: Option<&str>) -> Vec<(String, String)> {
    let pairs = text.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.replace("%2C", ","))).collect()
}

fn check_key(shared: &Shared, headers: &hyper::HeaderMap, right: &str) -> Result<(), Refusal> {
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    let Some(given) = given.and_then(|value| value.strip_prefix("Bearer ")) else {
        let message =
            "The Authorization header is missing. It must use the bearer authorization method.";
        return Err(Refusal(401, "missing_authorization_header", message.to_owned()));
    };
    let all = right.split('.').next().map(|kind| format!("{kind}.*")).unwrap_or_default();
    let keys = shared.keys.lock().unwrap();
    let may = given == MASTER_KEY
        || keys.get(given).is_some_and(|rights| {
            rights.iter().any(|has| has == "*" || has == right || *has == all)
        });
    if may {
        Ok(())
    } else {
        Err(Refusal(403, "invalid_api_key", "The provided API key is invalid.".to_owned()))
    }
}
