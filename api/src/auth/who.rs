//! The caller of one request: authenticated, allowed, and with what its headers ask for.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue, IF_MATCH, WWW_AUTHENTICATE};
use actix_web::{FromRequest, HttpRequest, web};
use commands::{Caller, RequestKey};
use domain::{CartId, CustomerId, OrderId, SellerId};
use journal::Position;

use super::api_keys::Known;
use super::patience::Patience;
use super::roles::{ANYBODY, Access, CUSTOMER, ORDER_TOKEN, PUBLIC, names};
use super::{ApiKeyRole, roles};
use crate::observe::RequestId;
use crate::position::{MIN_POSITION, POSITION, position_token, read_position};
use crate::problem::{Problem, catalogue};
use crate::services::Services;

pub(crate) const SESSION: &str = "tillroll-session";
pub(crate) const ON_BEHALF_OF: &str = "tillroll-customer";
pub(crate) const ORDER_TOKEN_HEADER: &str = "tillroll-order-token";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// Who somebody is.
#[derive(Clone)]
pub(crate) enum Identity {
    /// Not asked for, or not said.
    Nobody,
    Customer(CustomerId),
    Key(Arc<Known>),
    /// Whoever holds the token of this order.
    OrderToken(OrderId),
}

/// A request's caller, who is one of `ACCESS`.
pub(crate) struct Who<const ACCESS: Access>(Asking);

/// A request's caller, whatever its role.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) identity: Identity,
    request: HttpRequest,
    services: web::Data<Services>,
    patience: Patience,
}

impl<const ACCESS: Access> Deref for Who<ACCESS> {
    type Target = Asking;

    fn deref(&self) -> &Asking {
        &self.0
    }
}

impl<const ACCESS: Access> FromRequest for Who<ACCESS> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(admit(request, ACCESS).map(Self))
    }
}

fn admit(request: &HttpRequest, access: Access) -> Result<Asking, Problem> {
    let services = request.app_data::<web::Data<Services>>().cloned();
    let services = services
        .ok_or_else(|| Problem::new(catalogue::INTERNAL, "the engine is not set up to answer"))?;
    let identity = match access {
        PUBLIC => Identity::Nobody,
        ANYBODY if !request.headers().contains_key(AUTHORIZATION) => Identity::Nobody,
        access => {
            let identity = identify(request, &services, access)?;
            let role = identity.access();
            if role & access == 0 && access != ANYBODY {
                let detail = format!("only for {}", names(access).join(", "));
                return Err(Problem::new(catalogue::FORBIDDEN, detail));
            }
            services.rates.admit(&identity)?;
            identity
        }
    };
    Ok(Asking { identity, request: request.clone(), services, patience: Patience::default() })
}

fn identify(
    request: &HttpRequest,
    services: &Services,
    access: Access,
) -> Result<Identity, Problem> {
    let Some(given) = request.headers().get(AUTHORIZATION) else {
        let token = request.headers().get(ORDER_TOKEN_HEADER).filter(|_| access & ORDER_TOKEN != 0);
        let order = token.and_then(|token| services.tokens.read_order(token.to_str().ok()?));
        return match (token, order) {
            (None, _) => Err(unauthenticated("a credential is needed")),
            (Some(_), Some(order)) => Ok(Identity::OrderToken(order)),
            (Some(_), None) => Err(unauthenticated("the order token is not good")),
        };
    };
    let bearer = given.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let now = services.engine.bus().now();
    let identity = bearer.and_then(|token| {
        if token.starts_with("tk_") {
            services.api_keys.check(token, now).map(Identity::Key)
        } else {
            services.customers.as_ref()?.check(token, now).map(Identity::Customer)
        }
    });
    identity.ok_or_else(|| unauthenticated("the credential is not good, or no longer"))
}

fn unauthenticated(detail: &str) -> Problem {
    let challenge = HeaderValue::from_static("Bearer realm=\"tillroll\"");
    Problem::new(catalogue::UNAUTHENTICATED, detail).header(WWW_AUTHENTICATE, challenge)
}

impl Identity {
    pub(crate) fn access(&self) -> Access {
        match self {
            Self::Nobody => PUBLIC,
            Self::Customer(_) => CUSTOMER,
            Self::Key(known) => known.key.role.access(),
            Self::OrderToken(_) => ORDER_TOKEN,
        }
    }

    pub(crate) fn role(&self) -> Option<ApiKeyRole> {
        match self {
            Self::Key(known) => Some(known.key.role),
            Self::Nobody | Self::Customer(_) | Self::OrderToken(_) => None,
        }
    }

    /// As recorded with everything this caller does.
    pub(crate) fn actor(&self) -> Arc<str> {
        match self {
            Self::Nobody => Arc::from("anybody"),
            Self::Customer(id) => Arc::from(format!("customer:{id}")),
            Self::Key(known) => Arc::clone(&known.actor),
            Self::OrderToken(order) => Arc::from(format!("order_token:{order}")),
        }
    }
}

impl Asking {
    pub(crate) fn services(&self) -> &Services {
        &self.services
    }

    /// For work on another thread.
    pub(crate) fn shared(&self) -> web::Data<Services> {
        self.services.clone()
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.identity.access() == roles::ADMIN
    }

    /// Support or admin: may see every customer's things.
    pub(crate) fn is_staff(&self) -> bool {
        self.identity.access() & (roles::SUPPORT | roles::ADMIN) != 0
    }

    pub(crate) fn customer(&self) -> Option<CustomerId> {
        match self.identity {
            Identity::Customer(id) => Some(id),
            Identity::Nobody | Identity::Key(_) | Identity::OrderToken(_) => None,
        }
    }

    /// The seller whose key this is.
    pub(crate) fn seller(&self) -> Option<SellerId> {
        match &self.identity {
            Identity::Key(known) => known.key.seller_id,
            Identity::Nobody | Identity::Customer(_) | Identity::OrderToken(_) => None,
        }
    }

    pub(crate) fn is_storefront(&self) -> bool {
        self.identity.role() == Some(ApiKeyRole::Storefront)
    }

    /// The customer shopped for: the caller, or whom a storefront names.
    pub(crate) fn shops_for(&self) -> Result<Option<CustomerId>, Problem> {
        if let Some(customer) = self.customer() {
            return Ok(Some(customer));
        }
        let Some(id) = self.header(ON_BEHALF_OF)?.filter(|_| self.is_storefront()) else {
            return Ok(None);
        };
        let id = id.parse().map_err(|_| malformed("Tillroll-Customer must be a customer's id"))?;
        Ok(Some(id))
    }

    /// The cart of the guest whose session a storefront names.
    fn guest_session(&self) -> Result<Option<CartId>, Problem> {
        let token = self.header(SESSION)?.filter(|_| self.is_storefront());
        Ok(token.and_then(|token| self.services.tokens.read_session(token)))
    }

    /// The order whose token a storefront passes on.
    pub(crate) fn passed_on_order(&self) -> Result<Option<OrderId>, Problem> {
        let token = self.header(ORDER_TOKEN_HEADER)?.filter(|_| self.is_storefront());
        Ok(token.and_then(|token| self.services.tokens.read_order(token)))
    }

    /// As the bus records it.
    pub(crate) fn caller(&self) -> Caller {
        let on_behalf_of = match self.shops_for() {
            Ok(Some(customer)) if self.is_storefront() => {
                Some(Arc::from(format!("customer:{customer}")))
            }
            Ok(_) | Err(_) => None,
        };
        let traceparent = self.header("traceparent").ok().flatten();
        Caller {
            actor: Some(self.identity.actor()),
            on_behalf_of,
            request: Some(self.request_id()),
            // 55 characters in the version there is; later ones may be longer.
            traceparent: traceparent.filter(|text| text.len() <= 128).map(Arc::from),
            ..Caller::default()
        }
    }

    pub(crate) fn request_id(&self) -> Arc<str> {
        RequestId::of(&self.request)
    }

    /// A header's text; one that is not visible ASCII is refused.
    pub(crate) fn header(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.request.headers().get(name) {
            None => Ok(None),
            Some(value) => match value.to_str() {
                Ok(text) => Ok(Some(text.trim())),
                Err(_) => Err(malformed(&format!("{name} must be visible ASCII"))),
            },
        }
    }

    /// What a repeat of this request is known by, if the client wants that.
    pub(crate) fn request_key(&self, body: &[u8]) -> Result<Option<RequestKey>, Problem> {
        let Some(key) = self.header(IDEMPOTENCY_KEY)? else { return Ok(None) };
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > IDEMPOTENCY_KEY_CHARS_MAX || !visible {
            return Err(malformed("Idempotency-Key must be 1 to 255 visible ASCII characters"));
        }
        // One storefront speaks for many, who choose their keys without each other: a key of one
        // must never get another's order, and with it the token that reads it.
        let scope = if let Some(customer) = self.shops_for()? {
            format!("customer:{customer}")
        } else if let Some(cart) = self.guest_session()? {
            format!("guest:{cart}")
        } else if let Some(order) = self.passed_on_order()? {
            format!("order:{order}")
        } else {
            self.identity.actor().to_string()
        };
        let method = self.request.method().as_str().as_bytes();
        let said = [method, self.request.path().as_bytes(), body];
        Ok(Some(RequestKey::new(&scope, key, &said)))
    }

    /// The version the client saw, if it insists on it.
    pub(crate) fn if_match(&self) -> Result<Option<u64>, Problem> {
        let Some(tag) = self.header(IF_MATCH.as_str())? else { return Ok(None) };
        if tag == "*" {
            return Ok(None);
        }
        let quoted = tag.strip_prefix("W/").unwrap_or(tag);
        let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let one = inner.filter(|inner| !inner.contains('"'));
        let inner = one.ok_or_else(|| malformed("If-Match must be one quoted ETag"))?;
        // A tag that was never given out here is one that cannot match.
        Ok(Some(inner.parse().unwrap_or(u64::MAX)))
    }

    /// Whether the client wants no waiting.
    pub(crate) fn responds_async(&self) -> bool {
        let prefer = self.header("prefer").ok().flatten().unwrap_or_default();
        prefer.split([',', ';']).any(|part| part.trim().eq_ignore_ascii_case("respond-async"))
    }

    /// Whether the client wants to see what it saw, or more.
    pub(crate) fn insists_on_position(&self) -> bool {
        self.request.headers().contains_key(MIN_POSITION)
    }

    /// The position the client saw, if it insists on it.
    fn seen(&self) -> Result<Option<Position>, Problem> {
        let token = self.header(MIN_POSITION)?;
        token.map(|token| read_position(token, self.services.journal.id())).transpose()
    }

    /// What is left of the two seconds that a request waits, all its waits together.
    pub(crate) fn patience(&self) -> Duration {
        self.patience.left(self.services.limits.position_patience)
    }

    /// Waits until `models` have seen what the client saw, as long as there is [`Self::patience`].
    pub(crate) async fn wait_for(&self, models: &[&str]) -> Result<(), Problem> {
        let Some(seen) = self.seen()?.filter(|_| !models.is_empty()) else { return Ok(()) };
        let patience = self.patience();
        let waited = self.services.reads.wait_for_models(models, seen, patience).await;
        waited.map_err(|error| {
            let projections::WaitError::TimedOut { reached, .. } = error;
            self.behind(Problem::from(error), reached)
        })
    }

    /// Waits until searches answer from what the client saw, catalogue and index.
    pub(crate) async fn wait_for_search(&self) -> Result<(), Problem> {
        let Some(seen) = self.seen()? else { return Ok(()) };
        let patience = self.patience();
        let waited = self.services.search.wait_for(seen, patience).await;
        waited.map_err(|reached| self.search_is_behind(reached))
    }

    /// The same for what is known of products without a search.
    pub(crate) async fn wait_for_products(&self) -> Result<(), Problem> {
        let Some(seen) = self.seen()? else { return Ok(()) };
        let patience = self.patience();
        let waited = self.services.search.wait_for_shelf(seen, patience).await;
        waited.map_err(|reached| self.search_is_behind(reached))
    }

    fn search_is_behind(&self, reached: Position) -> Problem {
        let detail = format!("what is searched has reached position {}", reached.0);
        self.behind(Problem::new(catalogue::READ_MODEL_BEHIND, detail).retry_after(1), reached)
    }

    fn behind(&self, problem: Problem, reached: Position) -> Problem {
        let token = position_token(self.services.journal.id(), reached);
        problem.with("reached", reached.0).text_header(HeaderName::from_static(POSITION), &token)
    }
}

pub(crate) fn malformed(detail: &str) -> Problem {
    Problem::new(catalogue::MALFORMED_HEADER, detail)
}
