//! Where a server that is part of the test runs: a port of its own, and the threads that serve it.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Keeps its address when it is stopped and run again. Dropping it stops it.
pub(crate) struct Host {
    address: SocketAddr,
    running: Option<Runtime>,
}

impl Host {
    /// On a free port, where nobody listens yet.
    pub(crate) fn new() -> Self {
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self { address, running: None }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens; `serve` spawns all that is to go on until it is stopped.
    pub(crate) fn run(&mut self, serve: impl FnOnce(TcpListener)) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("double")
            .enable_all()
            .build()
            .unwrap();
        let socket = std::net::TcpListener::bind(self.address).unwrap();
        socket.set_nonblocking(true).unwrap();
        {
            let _entered = runtime.enter();
            serve(TcpListener::from_std(socket).unwrap());
        }
        self.running = Some(runtime);
    }

    /// All that was spawned ends, all connections break, and nobody listens any more.
    pub(crate) fn stop(&mut self) {
        if let Some(runtime) = self.running.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop();
    }
}
