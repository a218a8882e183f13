//! The HTTP server around the routes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::http::KeepAlive;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};

use crate::observe::observe;
use crate::routes;
use crate::services::Services;

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    pub listen: SocketAddr,
    /// Threads that answer requests; one is enough for several thousand a second.
    pub workers: usize,
    /// Open connections each worker keeps; more wait to be accepted.
    pub connections_max: usize,
    pub keep_alive: Duration,
    /// Longest time a client takes to send a request's head.
    pub head_timeout: Duration,
    /// How long requests under way may go on after [`Running::stop`].
    pub shutdown_timeout: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            workers: 1,
            connections_max: 10_000,
            keep_alive: Duration::from_secs(75),
            head_timeout: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(15),
        }
    }
}

/// The server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
}

/// A server that listens.
pub struct Running {
    /// Where it listens: the port, if 0 was asked for.
    pub address: SocketAddr,
    /// MUST be awaited for anything to happen; it ends after [`ServerHandle::stop`].
    pub server: Server,
    services: Arc<Services>,
}

impl Running {
    /// Stops it from elsewhere.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper { handle: self.server.handle(), services: Arc::clone(&self.services) }
    }
}

/// Stops a server.
#[derive(Clone)]
pub struct Stopper {
    handle: ServerHandle,
    services: Arc<Services>,
}

impl Stopper {
    /// Says on `/readyz` that the end is near, and goes on.
    pub fn announce(&self) {
        self.services.stop();
    }

    /// Takes no new connections, lets requests under way end, then closes; `/readyz` says no from
    /// now on.
    pub async fn stop(&self) {
        self.services.stop();
        self.handle.stop(true).await;
    }
}

/// All routes, with everything around them, for an `App`.
pub fn configure(services: Arc<Services>) -> impl Fn(&mut ServiceConfig) + Clone {
    let services = web::Data::from(services);
    move |config: &mut ServiceConfig| {
        let around = services.clone();
        let scope = web::scope("")
            .wrap(from_fn(move |request, next| observe(around.clone(), request, next)))
            .configure(routes::register)
            .default_service(web::to(routes::no_such_path));
        config.app_data(services.clone()).service(scope);
    }
}

/// Binds and makes the server. Signals are left to the program.
///
/// # Errors
/// `Listen` when the address cannot be had.
pub fn serve(services: Arc<Services>, options: &HttpOptions) -> Result<Running, ServeError> {
    let routes = configure(Arc::clone(&services));
    let address = options.listen;
    let listen = |source| ServeError::Listen { address, source };
    let server = HttpServer::new(move || App::new().configure(routes.clone()))
        .workers(options.workers.max(1))
        .max_connections(options.connections_max)
        .keep_alive(KeepAlive::Timeout(options.keep_alive))
        .client_request_timeout(options.head_timeout)
        .shutdown_timeout(options.shutdown_timeout.as_secs())
        .disable_signals()
        .bind(address)
        .map_err(listen)?;
    let address = server.addrs().first().copied().unwrap_or(address);
    Ok(Running { address, server: server.run(), services })
}
