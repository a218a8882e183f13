//! `POST /webhooks/payment`.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use actix_web::web::Payload;
use commands::Caller;
use sagas::standard_webhooks::{
    ID_HEADER, ReceivedHeaders, SIGNATURE_HEADER, TIMESTAMP_HEADER, TOLERANCE_SECONDS,
};
use sagas::webhook_inbox::{Delivery, Received};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::wire::{FromQuery, SMALL_BODY_BYTES, check_depth, query, read_whole};

query! {
    /// Who sends it.
    WebhookFrom {
        /// The payment provider's name; `sandbox` if left out.
        provider: String = String,
    }
}

/// What became of the message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookTaken {
    result: WebhookResult,
    /// Why it was parked or ignored.
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WebhookResult {
    Applied,
    /// It was here before; nothing was done.
    Repeated,
    /// It waits for its order, or for an answer that is ahead of it.
    Parked,
    /// It is kept, and nothing follows from it.
    Ignored,
}

impl From<Received> for WebhookTaken {
    fn from(received: Received) -> Self {
        let (result, reason) = match received {
            Received::Applied => (WebhookResult::Applied, None),
            Received::Repeated => (WebhookResult::Repeated, None),
            Received::Parked { reason } => (WebhookResult::Parked, Some(reason)),
            Received::Ignored { reason } => (WebhookResult::Ignored, Some(reason)),
        };
        Self { result, reason }
    }
}

/// Takes a payment provider's message: its signature (Standard Webhooks) is the credential.
///
/// It is stored before it is answered; a repeat is harmless.
#[utoipa::path(post, path = "/webhooks/payment", tag = "webhooks", params(WebhookFrom),
    request_body(content = Object, description = "The provider's message, as signed"),
    responses((status = 200, description = "Stored", body = WebhookTaken)))]
pub(crate) async fn receive_payment_webhook(
    who: Who<PUBLIC>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let services = who.services();
    let query = WebhookFrom::from_query(request.query_string())?;
    let provider = query.provider.unwrap_or_else(|| "sandbox".to_owned());
    let secrets = services.webhooks.get(&provider);
    let secrets = secrets.ok_or_else(|| Problem::not_found("payment provider"))?;
    let body = read_whole(&request, &mut payload.into_inner(), SMALL_BODY_BYTES).await?;
    let headers = received(request.headers());
    let now = services.engine.bus().now();
    let verified = secrets.verify(&headers, &body, now, TOLERANCE_SECONDS);
    let verified = verified.map_err(|error| {
        let malformed = error.is_malformed();
        let kind =
            if malformed { catalogue::MALFORMED_WEBHOOK } else { catalogue::WEBHOOK_NOT_AUTHENTIC };
        Problem::new(kind, error.to_string())
    })?;
    let body = String::from_utf8(body.to_vec())
        .map_err(|_| Problem::new(catalogue::MALFORMED_WEBHOOK, "the body is not UTF-8"))?;
    check_depth(&body, catalogue::MALFORMED_WEBHOOK)?;
    let caller = Caller {
        actor: Some(format!("provider:{provider}").into()),
        request: Some(who.request_id()),
        ..Caller::default()
    };
    let delivery = Delivery { provider, message_id: verified.id, body };
    let done = services.engine.receive_webhook(&caller, delivery).await?;
    Reply::ok().position(&who, done.position).json(&WebhookTaken::from(done.value))
}

fn received(headers: &HeaderMap) -> ReceivedHeaders<'_> {
    let bytes = |name: &str| headers.get(name).map(|value| value.as_bytes());
    ReceivedHeaders {
        id: bytes(ID_HEADER),
        timestamp: bytes(TIMESTAMP_HEADER),
        signature: bytes(SIGNATURE_HEADER),
    }
}
