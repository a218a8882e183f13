//! A shop in memory, and requests to it.

mod searching;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use actix_web::{App, test};
use commands::browsing::{BrowsingLog, BrowsingOptions};
use commands::{
    Bus, BusOptions, Caller, Clock, NoSnapshots, SystemClock, SystemIds, TokioSpawner, TokioTimer,
};
use domain::seller::{Seller, SellerCommand, SellerDetails};
use domain::{CustomerId, Sealed, SellerId};
use journal::{Journal, MemoryJournal};
use jsonwebtoken::{EncodingKey, Header, encode};
use projections::{Directory, Options, Runner, models};
use sagas::agenda::{Agenda, AgendaTable};
use sagas::checkout::ShopPolicy;
use sagas::engine::{Engine, EngineParts};
use sagas::key_store::{MemoryKeyStore, SeededEntropy};
use sagas::payment_gateway::{PaymentGateway, SandboxOptions, SandboxProvider};
use sagas::standard_webhooks::{WebhookSecret, WebhookSecrets};
use serde_json::{Value, json};
use uuid::Uuid;

use super::browsing::Kept;
use crate::auth::{
    ApiKeyRole, ApiKeys, CustomerTokenOptions, CustomerTokens, NewApiKey, SignedTokens, TokenKey,
};
use crate::position::{MIN_POSITION, POSITION};
use crate::services::{Build, Services, ServicesParts};
use crate::{Limits, configure};

pub(super) fn now() -> domain::Timestamp {
    SystemClock.now()
}

const JWT_SECRET: [u8; 32] = [3; 32];

pub(super) struct Shop {
    pub(super) services: Arc<Services>,
    /// What was looked at.
    pub(super) kept: Arc<Kept>,
    pub(super) seller_id: SellerId,
    pub(super) secrets: WebhookSecrets,
    keys: BTreeMap<&'static str, String>,
    /// The position of the last answer that gave one, as a client keeps it.
    pub(super) seen: RefCell<Option<String>>,
    _dir: tempfile::TempDir,
}

pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
    pub(super) text: String,
}

impl Response {
    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    pub(super) fn header(&self, name: &str) -> String {
        self.headers.get(name).map_or_else(String::new, |v| v.to_str().unwrap().to_owned())
    }

    pub(super) fn id(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.text)).to_owned()
    }
}

/// A request to be sent: method and path, role or bearer, headers, body.
pub(super) struct Ask<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) bearer: Option<String>,
    pub(super) headers: Vec<(&'a str, String)>,
    pub(super) body: Option<String>,
    pub(super) media: &'a str,
}

impl Shop {
    pub(super) async fn open() -> Self {
        // However busy the machine is: what is asked for comes.
        let patience = Duration::from_secs(120);
        let limits = Limits {
            position_patience: patience,
            settle_patience: patience,
            request_timeout: patience,
            ..Limits::default()
        };
        Self::with(limits).await
    }

    pub(super) async fn with(limits: Limits) -> Self {
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
        let clock = Arc::new(SystemClock);
        let ids = Arc::new(SystemIds::default());
        let kept = Arc::new(Kept::default());
        let (browsing, writer) = BrowsingLog::new(
            BrowsingOptions { window: Duration::from_millis(10), ..BrowsingOptions::default() },
            kept.clone(),
            clock.clone(),
            ids.clone(),
        );
        actix_web::rt::spawn(writer.run(Arc::new(TokioTimer), std::future::pending()));
        let options = BusOptions::default();
        let (bus, desk) =
            Bus::new(Arc::clone(&journal), Arc::new(NoSnapshots), clock, ids, options);
        actix_web::rt::spawn(desk);
        let ledger: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
        let timer = Arc::new(TokioTimer);
        let sandbox = SandboxProvider::new(ledger, Arc::new(now), timer, SandboxOptions::default());
        let sandbox: Arc<dyn PaymentGateway> = Arc::new(sandbox.unwrap());
        let entropy = Arc::new(SeededEntropy::new(1));
        let engine = Engine::new(EngineParts {
            bus,
            gateways: BTreeMap::from([("sandbox".to_owned(), sandbox)]),
            keys: Arc::new(MemoryKeyStore::new(entropy.clone())),
            spawner: Arc::new(TokioSpawner(tokio::runtime::Handle::current())),
            timer: Arc::new(TokioTimer),
            policy: ShopPolicy::default(),
        });
        let runner = Runner::open(
            Arc::clone(&journal),
            &Directory::in_memory(),
            &models::all(),
            Options::default(),
        );
        let runner = runner.unwrap();
        let reads = runner.read_models();
        actix_web::rt::spawn(runner.run(std::future::pending::<()>()));

        let dir = tempfile::tempdir().unwrap();
        let (search, recommend) = searching::searching(&reads, &journal, dir.path()).await;
        let open_agenda =
            || AgendaTable::open(&dir.path().join("agenda.db"), journal.id(), journal.head());
        let agenda = Agenda::new(open_agenda().unwrap(), Arc::clone(&journal), engine.clone());
        actix_web::rt::spawn(agenda.run(Arc::new(TokioTimer), Duration::from_millis(20)));
        let parked = Mutex::new(open_agenda().unwrap());
        let api_keys = ApiKeys::open(&dir.path().join("api-keys.json"), entropy).unwrap();
        let seller_id = SellerId::new(Uuid::now_v7());
        let mut keys = BTreeMap::new();
        for role in
            [ApiKeyRole::Storefront, ApiKeyRole::Seller, ApiKeyRole::Support, ApiKeyRole::Admin]
        {
            let seller_id = (role == ApiKeyRole::Seller).then_some(seller_id);
            let new = NewApiKey { role, seller_id, expires_at: None };
            keys.insert(role.name(), api_keys.create(new, now()).unwrap().0);
        }
        let customers = CustomerTokens::new(&CustomerTokenOptions {
            keys: vec![TokenKey::Hs256(JWT_SECRET.to_vec())],
            issuer: "shop".to_owned(),
            audience: "tillroll".to_owned(),
            leeway_seconds: 10,
        });
        let secrets =
            WebhookSecrets::new(vec![WebhookSecret::from_bytes(vec![9; 32]).unwrap()]).unwrap();
        let services = Services::new(ServicesParts {
            engine,
            reads,
            journal,
            browsing: Some(browsing),
            api_keys,
            tokens: SignedTokens::new(&[5; 32]),
            customers: Some(customers.unwrap()),
            webhooks: BTreeMap::from([("sandbox".to_owned(), secrets.clone())]),
            limits,
            build: Build { version: "0".to_owned(), commit: None },
            checks: Vec::new(),
            gauges: Vec::new(),
            search,
            recommend,
            parked_webhooks: Box::new(move |max| {
                parked.lock().unwrap().parked(max).map_err(|error| error.to_string())
            }),
        });
        Self {
            services: Arc::new(services),
            kept,
            seller_id,
            secrets,
            keys,
            seen: RefCell::default(),
            _dir: dir,
        }
    }

    pub(super) fn bearer(&self, role: &str) -> String {
        self.keys[role].clone()
    }

    pub(super) fn customer_token(customer: CustomerId) -> String {
        let claims = json!({
            "sub": customer, "iss": "shop", "aud": "tillroll", "exp": now().timestamp() + 600,
        });
        encode(&Header::default(), &claims, &EncodingKey::from_secret(&JWT_SECRET)).unwrap()
    }

    /// Sends it as a client would: a read asks for what the last write was answered with.
    pub(super) async fn send(&self, ask: Ask<'_>) -> Response {
        let app = test::init_service(App::new().configure(configure(self.services.clone()))).await;
        let method = Method::from_bytes(ask.method.as_bytes()).unwrap();
        let mut request = TestRequest::with_uri(ask.path).method(method);
        if let Some(bearer) = ask.bearer {
            request = request.insert_header(("authorization", format!("Bearer {bearer}")));
        }
        let seen = self.seen.borrow().clone().filter(|_| ask.method == "GET");
        if let Some(seen) = seen {
            request = request.insert_header((MIN_POSITION, seen));
        }
        for (name, value) in ask.headers {
            request = request.insert_header((name, value));
        }
        if let Some(body) = ask.body {
            request = request.insert_header(("content-type", ask.media)).set_payload(body);
        }
        let response = test::call_service(&app, request.to_request()).await;
        let pattern = response.request().match_pattern().unwrap_or_default();
        let (status, headers) = (response.status(), response.headers().clone());
        if let Some(position) = headers.get(POSITION) {
            self.seen.replace(Some(position.to_str().unwrap().to_owned()));
        }
        let bytes = to_bytes(response.into_body()).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        if ask.method != "HEAD" {
            super::described::hold(ask.method, &pattern, status.as_u16(), &body);
        }
        Response { status, headers, body, text }
    }

    /// Sends JSON with a role's key.
    pub(super) async fn ask(&self, role: &str, what: &str, body: Value) -> Response {
        self.ask_with(role, what, body, Vec::new()).await
    }

    pub(super) async fn ask_with(
        &self,
        role: &str,
        what: &str,
        body: Value,
        headers: Vec<(&str, String)>,
    ) -> Response {
        let (method, path) = what.split_once(' ').unwrap();
        let bearer = self.keys.get(role).cloned().unwrap_or_else(|| role.to_owned());
        let bearer = (!bearer.is_empty()).then_some(bearer);
        let body = (!body.is_null()).then(|| body.to_string());
        let media = "application/json";
        self.send(Ask { method, path, bearer, headers, body, media }).await
    }

    /// A product with one SKU at 19.99 pounds, ten units of it; returns product and SKU.
    pub(super) async fn stocked(&self) -> (String, String) {
        let warehouse = self.ask("admin", "POST /warehouses", json!({"name": "north"})).await;
        let warehouse = warehouse.is(201).id("warehouse_id");
        let body = json!({"name": "ours", "email": "us@example.com"});
        let seller = self.ask("admin", "POST /sellers", body).await.is(201).id("seller_id");
        let body = json!({"seller_id": seller, "name": "mug", "base_prices": {"GBP": 1999}});
        let product = self.ask("admin", "POST /products", body).await.is(201).id("product_id");
        let path = format!("POST /products/{product}/skus");
        let sku = self.ask("admin", &path, json!({})).await.is(201).id("sku_id");
        let path = format!("POST /inventory/{sku}/receipts");
        let body = json!({"warehouse_id": warehouse, "quantity": 10});
        self.ask("admin", &path, body).await.is(200);
        (product, sku)
    }

    /// As [`Self::stocked`], of the seller whose key `seller` is.
    pub(super) async fn sellers_own(&self) -> (String, String) {
        let contact = Sealed::from_ciphertext(String::new());
        let details = SellerDetails { name: "theirs".to_owned(), contact, webhook: None };
        let command = SellerCommand::Register { seller_id: self.seller_id, details };
        let bus = self.services.engine.bus();
        bus.execute::<Seller>(&Caller::system(), self.seller_id, command).await.unwrap();
        let warehouse = self.ask("admin", "POST /warehouses", json!({"name": "south"})).await;
        let warehouse = warehouse.is(201).id("warehouse_id");
        let body = json!({"name": "cup", "base_prices": {"GBP": 500}});
        let product = self.ask("seller", "POST /products", body).await.is(201).id("product_id");
        let path = format!("POST /products/{product}/skus");
        let sku = self.ask("seller", &path, json!({})).await.is(201).id("sku_id");
        let path = format!("POST /inventory/{sku}/receipts");
        let body = json!({"warehouse_id": warehouse, "quantity": 4});
        self.ask("seller", &path, body).await.is(200);
        (product, sku)
    }

    /// A customer with an address and a payment method; returns the id, a token, and the body of
    /// an order.
    pub(super) async fn customer(&self, card: &str) -> (CustomerId, String, Value) {
        let body = json!({"name": "Ada", "email": "ada@example.com"});
        let id = self.ask("storefront", "POST /customers", body).await.is(201).id("customer_id");
        let customer: CustomerId = id.parse().unwrap();
        let token = Self::customer_token(customer);
        let body = json!({"country": "GB", "recipient": "Ada", "lines": ["1 Lane"], "city": "Ayr"});
        let path = format!("POST /customers/{id}/addresses");
        let address = self.ask(&token, &path, body).await.is(201).id("address_id");
        let path = format!("POST /customers/{id}/payment-methods");
        let body = json!({"provider": "sandbox", "token": card});
        let method = self.ask(&token, &path, body).await.is(201).id("payment_method_id");
        let order = json!({"shipping_address_id": address, "payment_method_id": method});
        (customer, token, order)
    }
}
