//! A server that speaks EventStoreDB's published protocol over real sockets and keeps everything in
//! memory. It can be told to fail in all the ways a server and a network do.

mod serve;
pub mod store;
mod streams;
mod wire;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::host::Host;

/// What becomes of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing goes wrong with this one.
    Pass,
    /// It never takes effect and no answer ever comes.
    Swallow,
    /// The connection is cut before it takes effect.
    CutBefore,
    /// It takes effect, then the connection is cut.
    CutAfter,
    /// The connection is cut at once; the append takes effect a little later all the same.
    CutThenLate(Duration),
    /// It takes effect and no answer ever comes.
    Silent,
    NotLeader(SocketAddr),
    AccessDenied,
    Timeout,
}

/// What the double does wrong, as the test wants it.
#[derive(Debug, Default)]
pub struct Faults {
    /// What becomes of the next appends, one by one.
    pub appends: Mutex<VecDeque<Fate>>,
    /// Which of the next reads are cut off.
    pub cut_reads: Mutex<VecDeque<bool>>,
    /// Each call is answered so much later, in microseconds.
    pub delay_micros: AtomicU64,
    /// Of 1000 calls so many are cut off, half of them before they take effect.
    pub cut_of_1000: AtomicU32,
    /// Reads end with OK after so many events, although there is more. 0: they do not.
    pub reads_end_after: AtomicU64,
    /// All reads say that this node is not the leader, but that one is.
    pub leader_is: Mutex<Option<SocketAddr>>,
    /// Nothing is ever answered.
    pub hangs: AtomicBool,
}

pub struct Shared {
    pub store: Arc<Mutex<Store>>,
    pub faults: Faults,
    /// `USER:PASSWORD` that is demanded.
    pub demands: Mutex<Option<String>>,
    pub no_batches: AtomicBool,
    /// Speaks TLS and nothing else.
    tls: Option<TlsAcceptor>,
    /// What gossip says of the nodes: address, is it alive, is it the leader.
    pub members: Mutex<Vec<(SocketAddr, bool, bool)>>,
    /// Calls served, by kind.
    pub appends: AtomicU64,
    pub reads: AtomicU64,
    pub gossips: AtomicU64,
    random: AtomicU64,
    /// Rises when all connections are to be cut.
    cut: watch::Sender<u64>,
}

impl Shared {
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    /// A number below 1000, and one more bit.
    fn random(&self) -> (u32, bool) {
        let mut x = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        ((x % 1000) as u32, x & (1 << 40) != 0)
    }
}

/// One node. Dropping it stops it.
pub struct Double {
    pub shared: Arc<Shared>,
    host: Host,
}

impl Double {
    pub fn start() -> Self {
        Self::with(Arc::default(), None)
    }

    /// One that speaks TLS, and its certificate as PEM, which is for `localhost`.
    pub fn start_with_tls() -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        (Self::with(Arc::default(), Some(acceptor)), made.cert.pem())
    }

    /// Another node of the same cluster: it has all that this one has.
    pub fn beside(&self) -> Self {
        Self::with(self.shared.store.clone(), None)
    }

    fn with(store: Arc<Mutex<Store>>, tls: Option<TlsAcceptor>) -> Self {
        let shared = Arc::new(Shared {
            store,
            faults: Faults::default(),
            demands: Mutex::default(),
            no_batches: AtomicBool::new(false),
            tls,
            members: Mutex::default(),
            appends: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            gossips: AtomicU64::new(0),
            random: AtomicU64::new(1),
            cut: watch::Sender::new(0),
        });
        let mut double = Self { shared, host: Host::new() };
        double.run();
        double
    }

    /// Starts it again after [`Self::stop`], with all it had.
    pub fn run(&mut self) {
        let shared = self.shared.clone();
        self.host.run(|listener| {
            tokio::spawn(accept(shared, listener));
        });
    }

    /// The server dies: all connections break, and nobody listens any more.
    pub fn stop(&mut self) {
        self.host.stop();
    }

    /// All connections break; the server goes on.
    pub fn cut(&self) {
        self.shared.cut.send_modify(|cuts| *cuts += 1);
    }

    pub fn address(&self) -> SocketAddr {
        self.host.address()
    }

    pub fn url(&self, stream: &str) -> String {
        format!("esdb://{}?tls=false&stream={stream}", self.host.address())
    }

    pub fn next_append(&self, fate: Fate) {
        self.shared.faults.appends.lock().unwrap().push_back(fate);
    }

    /// Whether all that was to happen has happened.
    pub fn is_through(&self) -> bool {
        self.shared.faults.appends.lock().unwrap().is_empty()
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    while let Ok((socket, _)) = listener.accept().await {
        let shared = shared.clone();
        socket.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            match shared.tls.clone() {
                None => serve::connection(shared, socket).await,
                Some(tls) => {
                    if let Ok(socket) = tls.accept(socket).await {
                        serve::connection(shared, socket).await;
                    }
                }
            }
        });
    }
}
