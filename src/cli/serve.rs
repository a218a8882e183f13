//! `tillroll serve`: the engine and its HTTP API.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use api::{
    ApiKeys, Build, CustomerTokenOptions, CustomerTokens, Gauge, HttpOptions, Limits,
    ParkedWebhooks, Rate, RateLimits, Services, ServicesParts, SignedTokens, TokenKey,
};
use chrono::Duration;
use clap::Args;
use commands::browsing::{BrowsingLog, BrowsingOptions, BrowsingStats};
use domain::Currency;
use sagas::checkout::ShopPolicy;
use sagas::key_store::OsEntropy;
use sagas::leadership::Leadership;
use sagas::relay::{RelayHandle, RelayState};
use search::{FillProgress, Freshness};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::finding::FindingArgs;
use super::{Exit, Failure, Global, terminal};
use crate::compose::{API_KEYS_FILE, Finding, Node, NodeOptions, SANDBOX, Telling};

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Where to listen. Put a TLS-terminating proxy in front before listening beyond this machine.
    #[arg(long, env = "TILLROLL_LISTEN", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,
    /// Threads that answer requests; one is enough for several thousand a second.
    #[arg(long, env = "TILLROLL_WORKERS", default_value_t = 1)]
    workers: usize,
    /// Currency of a cart nobody chose one for.
    #[arg(long, env = "TILLROLL_CURRENCY", default_value = "GBP")]
    currency: Currency,
    /// Minutes that stock is held while a payment is not certain.
    #[arg(long, env = "TILLROLL_HOLD_MINUTES", default_value_t = 15)]
    hold_minutes: u32,
    /// Days a customer's cart lives after its last change.
    #[arg(long, default_value_t = 30)]
    cart_days: u32,
    /// Days a guest's cart lives after its last change.
    #[arg(long, default_value_t = 7)]
    guest_cart_days: u32,
    /// Start processing orders as soon as they are confirmed.
    #[arg(long)]
    auto_process: bool,
    /// Issuer of customers' tokens; with --jwt-audience and a key, customers can sign in.
    #[arg(long, env = "TILLROLL_JWT_ISSUER", requires = "jwt_audience")]
    jwt_issuer: Option<String>,
    /// Audience of customers' tokens.
    #[arg(long, env = "TILLROLL_JWT_AUDIENCE", requires = "jwt_issuer")]
    jwt_audience: Option<String>,
    /// A file with a public key in PEM (EdDSA); may be given several times.
    #[arg(long)]
    jwt_eddsa_key: Vec<PathBuf>,
    /// A file with a public key in PEM (ES256).
    #[arg(long)]
    jwt_es256_key: Vec<PathBuf>,
    /// A file with a public key in PEM (RS256).
    #[arg(long)]
    jwt_rs256_key: Vec<PathBuf>,
    /// A file with a shared secret of at least 32 bytes (HS256).
    #[arg(long)]
    jwt_hs256_secret: Vec<PathBuf>,
    /// Requests a second of one customer, or of one holder of an order's token; 0 for no limit.
    #[arg(long, env = "TILLROLL_CUSTOMER_RATE", default_value_t = 20)]
    customer_rate: u32,
    /// Requests a second of one seller's key; 0 for no limit.
    #[arg(long, env = "TILLROLL_SELLER_RATE", default_value_t = 50)]
    seller_rate: u32,
    /// Requests a second of one storefront's key, which carries all its shoppers; 0 for no limit.
    #[arg(long, env = "TILLROLL_STOREFRONT_RATE", default_value_t = 0)]
    storefront_rate: u32,
    /// Requests a second of one key of support or an admin; 0 for no limit.
    #[arg(long, env = "TILLROLL_STAFF_RATE", default_value_t = 0)]
    staff_rate: u32,
    /// Seconds that a node which was told to stop goes on, while `/readyz` says no: as long as a proxy
    /// before it needs to notice.
    #[arg(long, env = "TILLROLL_DRAIN_SECONDS", default_value_t = 0, value_name = "SECONDS")]
    drain_seconds: u32,
    /// Publish what happens to this NATS server with JetStream, nats://USER:PASSWORD@HOST:4222; several
    /// with commas between them.
    #[arg(long, env = "TILLROLL_BUS", hide_env_values = true, value_name = "URL")]
    bus: Option<String>,
    /// Copies of the stream in a cluster of NATS servers.
    #[arg(long, env = "TILLROLL_BUS_REPLICAS", requires = "bus", value_name = "COPIES")]
    bus_replicas: Option<usize>,
    /// Days after which what shoppers looked at is deleted, month by month.
    #[arg(long, env = "TILLROLL_BROWSING_DAYS", default_value_t = 90, value_name = "DAYS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    browsing_days: u32,
    #[command(flatten)]
    finding: FindingArgs,
}

/// How many seconds' worth of requests may come at once.
const BURST_SECONDS: u32 = 5;

impl ServeArgs {
    fn rates(&self) -> RateLimits {
        let rate = |per_second: u32| {
            let burst = NonZeroU32::new(per_second.saturating_mul(BURST_SECONDS))?;
            Some(Rate { per_second: NonZeroU32::new(per_second)?, burst })
        };
        RateLimits {
            customer: rate(self.customer_rate),
            storefront: rate(self.storefront_rate),
            seller: rate(self.seller_rate),
            support: rate(self.staff_rate),
            admin: rate(self.staff_rate),
        }
    }
}

fn parked_webhooks(node: &Node) -> ParkedWebhooks {
    let agenda = Arc::clone(&node.agenda);
    Box::new(move |max| {
        let agenda = agenda.lock().map_err(|_| "the agenda's reader had panicked".to_owned())?;
        agenda.parked(max).map_err(|error| error.to_string())
    })
}

fn gauges(node: &Node) -> Vec<Gauge> {
    let lead = |(lease, leadership): &(&'static str, Leadership)| {
        let leadership = leadership.clone();
        Gauge {
            name: "leads",
            help: "1 where this node leads what one node at a time does.",
            label: ("lease", lease),
            read: Box::new(move || u64::from(leadership.leads())),
        }
    };
    let mut gauges: Vec<Gauge> = node.leads.iter().map(lead).collect();
    gauges.extend(node.relay.as_ref().into_iter().flat_map(relay_gauges));
    gauges.extend(browsing_gauges(&node.browsing));
    gauges.extend(node.finding.iter().flat_map(finding_gauges));
    gauges
}

fn browsing_gauges(browsing: &BrowsingLog) -> Vec<Gauge> {
    let hints = |label, read: fn(&BrowsingStats) -> u64| {
        let browsing = browsing.clone();
        Gauge {
            name: "browsing_hints",
            help: "What shoppers looked at: on record, in memory alone, dropped.",
            label: ("became", label),
            read: Box::new(move || read(&browsing.stats())),
        }
    };
    vec![
        hints("written", |stats| stats.written),
        hints("pending", |stats| stats.pending as u64),
        hints("dropped", |stats| stats.dropped),
    ]
}

fn finding_gauges(finding: &Finding) -> Vec<Gauge> {
    let of = ("of", finding.engine.name());
    let fill = |name, help, read: fn(FillProgress) -> u64| {
        let fills = finding.fills.clone();
        Gauge { name, help, label: of, read: Box::new(move || read(*fills.borrow())) }
    };
    let position = |label, freshness: &Freshness| {
        let freshness = freshness.clone();
        Gauge {
            name: "search_position",
            help: "Position of the catalogue that products are found by.",
            label: ("of", label),
            read: Box::new(move || freshness.reached().0),
        }
    };
    let vectors = |label, read: fn((usize, usize)) -> usize| {
        let vectors = Arc::clone(&finding.vectors);
        Gauge {
            name: "search_vectors",
            help: "Products for sale, and those whose vector is up to date.",
            label: ("which", label),
            read: Box::new(move || read(vectors.progress()) as u64),
        }
    };
    let similar = |label, read: fn((usize, usize)) -> usize| {
        let recommender = Arc::clone(&finding.recommender);
        Gauge {
            name: "search_similar",
            help: "Products with a list of similar ones, and those whose list is up to date.",
            label: ("which", label),
            read: Box::new(move || read(recommender.progress().similar) as u64),
        }
    };
    let remakes = finding.remakes.clone();
    vec![
        position("memory", &finding.shelf_at),
        position(finding.engine.name(), &finding.engine_at),
        fill("search_fill_done", "Products in the index that is being filled.", |fill| fill.done),
        fill("search_fill_total", "Products that will be in it.", |fill| fill.total),
        fill("search_fills", "Indexes that were filled and swapped in.", |fill| fill.finished),
        vectors("up_to_date", |(done, _)| done),
        vectors("all", |(_, total)| total),
        similar("up_to_date", |(done, _)| done),
        similar("all", |(_, total)| total),
        Gauge {
            name: "search_remakes",
            help: "Times vectors and recommendations were made anew on request.",
            label: ("of", "recommendations"),
            read: Box::new(move || remakes.borrow().finished),
        },
    ]
}

fn relay_gauges(relay: &RelayHandle) -> Vec<Gauge> {
    let gauge = |name, help, read: fn(&RelayHandle) -> u64| {
        let relay = relay.clone();
        Gauge { name, help, label: ("to", "bus"), read: Box::new(move || read(&relay)) }
    };
    vec![
        gauge("relay_position", "Position up to which the bus is told.", |relay| {
            relay.progress().position.0
        }),
        gauge("relay_lag_events", "Events the bus is not told of yet; 0 on stand-by.", |relay| {
            relay.lag().unwrap_or(0)
        }),
        gauge("relay_published", "Messages published by this node.", |relay| {
            relay.progress().published
        }),
        gauge("relay_unreadable", "Events passed over because nobody can read them.", |relay| {
            relay.progress().unreadable
        }),
        gauge(
            "relay_troubled",
            "1 while the relay waits for something to be right again.",
            |relay| u64::from(matches!(relay.progress().state, RelayState::Troubled(_))),
        ),
    ]
}

pub(super) fn run(global: &Global, args: &ServeArgs) -> Result<Exit, Failure> {
    let node = Node::open(&node_options(global, args)?)?;
    serve(global, args, node, |_, _| Ok(()))
}

pub(super) fn node_options(global: &Global, args: &ServeArgs) -> Result<NodeOptions, Failure> {
    let mut policy = ShopPolicy::default();
    policy.carts.currency = args.currency;
    policy.carts.customer_ttl = Duration::days(i64::from(args.cart_days));
    policy.carts.guest_ttl = Duration::days(i64::from(args.guest_cart_days));
    policy.hold = Duration::minutes(i64::from(args.hold_minutes));
    policy.starts_processing = args.auto_process;
    let telling =
        Telling { url: args.bus.clone(), replicas: args.bus_replicas, ..Telling::default() };
    let stores = global.stores()?;
    let browsing =
        BrowsingOptions { retention_days: args.browsing_days, ..BrowsingOptions::default() };
    let finding = Some(args.finding.options()?);
    let usual = NodeOptions::new(&global.data);
    Ok(NodeOptions { policy, stores, telling, browsing, finding, ..usual })
}

/// Serves until it is told to stop; `ready` runs once it listens.
pub(super) fn serve(
    global: &Global,
    args: &ServeArgs,
    node: Node,
    ready: impl FnOnce(&Node, SocketAddr) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let api_keys = ApiKeys::open(&global.data.join(API_KEYS_FILE), Arc::new(OsEntropy))?;
    let finding = node.finding.as_ref().ok_or("this node was not told to find products")?;
    let token_key = <[u8; 32]>::try_from(node.secrets.token_key().as_slice())
        .map_err(|_| "secrets.json: token_key is not 32 bytes")?;
    let services = Services::new(ServicesParts {
        engine: node.engine.clone(),
        reads: node.reads.clone(),
        journal: Arc::clone(&node.journal),
        browsing: Some(node.browsing.clone()),
        api_keys,
        tokens: SignedTokens::new(&token_key),
        customers: customer_tokens(args)?,
        webhooks: BTreeMap::from([(SANDBOX.to_owned(), node.webhook_secrets.clone())]),
        limits: Limits { rates: args.rates(), ..Limits::default() },
        build: Build { version: env!("CARGO_PKG_VERSION").to_owned(), commit: None },
        checks: node.under_way.checks(),
        parked_webhooks: parked_webhooks(&node),
        gauges: gauges(&node),
        search: Arc::clone(&finding.finder),
        recommend: Arc::clone(&finding.recommender),
    });
    let options =
        HttpOptions { listen: args.listen, workers: args.workers, ..HttpOptions::default() };
    let stopped = actix_web::rt::System::new().block_on(async {
        // Listened for before anybody knows that the engine runs, and so could want it to stop.
        let told = StopSignals::listen()?;
        let running = api::serve(Arc::new(services), &options)?;
        let url = format!("http://{}", running.address);
        if global.json {
            terminal::say_json(&serde_json::json!({"url": url, "pid": std::process::id()}))?;
        } else {
            let journal = global.stores()?.journal;
            let from = match journal.file() {
                Some(_) => global.data.display().to_string(),
                None => journal.to_string(),
            };
            terminal::say(&format!("tillroll serves {url} from {from}"))?;
        }
        ready(&node, running.address)?;
        let stopper = running.stopper();
        let drain = std::time::Duration::from_secs(args.drain_seconds.into());
        actix_web::rt::spawn(async move {
            told.wait().await;
            if !drain.is_zero() {
                tracing::info!(?drain, "stopping soon: a proxy sends no more from now on");
                stopper.announce();
                tokio::time::sleep(drain).await;
            }
            tracing::info!("stopping: requests under way are answered first");
            stopper.stop().await;
        });
        running.server.await?;
        Ok::<_, Failure>(())
    });
    let closed = actix_web::rt::System::new().block_on(node.close());
    stopped?;
    closed?;
    Ok(Exit::Ok)
}

/// What asks the process to stop.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn customer_tokens(args: &ServeArgs) -> Result<Option<CustomerTokens>, Failure> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let text = |path: &PathBuf| {
        String::from_utf8(read(path)?).map_err(|_| format!("{}: not PEM", path.display()))
    };
    let mut keys = Vec::new();
    for path in &args.jwt_eddsa_key {
        keys.push(TokenKey::EdDsa(text(path)?));
    }
    for path in &args.jwt_es256_key {
        keys.push(TokenKey::Es256(text(path)?));
    }
    for path in &args.jwt_rs256_key {
        keys.push(TokenKey::Rs256(text(path)?));
    }
    for path in &args.jwt_hs256_secret {
        keys.push(TokenKey::Hs256(read(path)?));
    }
    match (&args.jwt_issuer, &args.jwt_audience) {
        (Some(issuer), Some(audience)) if !keys.is_empty() => {
            let options = CustomerTokenOptions {
                keys,
                issuer: issuer.clone(),
                audience: audience.clone(),
                leeway_seconds: 30,
            };
            Ok(Some(CustomerTokens::new(&options)?))
        }
        (Some(_), _) => Err("--jwt-issuer needs a key: --jwt-eddsa-key, --jwt-es256-key, --jwt-rs256-key or --jwt-hs256-secret".into()),
        (None, _) if !keys.is_empty() => {
            Err("a key for customers' tokens needs --jwt-issuer and --jwt-audience".into())
        }
        (None, _) => Ok(None),
    }
}
