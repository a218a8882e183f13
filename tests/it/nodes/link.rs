//! The wire between a node and its database, which can be cut.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A forwarded port.
pub(crate) struct Link {
    pub(crate) port: u16,
    whole: Arc<watch::Sender<bool>>,
    forwarding: JoinHandle<()>,
}

impl Link {
    pub(crate) async fn to(target: (String, u16)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let whole = Arc::new(watch::Sender::new(true));
        let state = Arc::clone(&whole);
        let forwarding = tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let (target, mut state) = (target.clone(), state.subscribe());
                tokio::spawn(async move {
                    let is_whole = *state.borrow();
                    if !is_whole {
                        // Cut: packets vanish, nobody says no.
                        becomes(&mut state, true).await;
                        return;
                    }
                    let Ok(mut far) = TcpStream::connect(&target).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        () = becomes(&mut state, false) => {
                            // The server's side is gone; the node's hangs until the link is back.
                            drop(far);
                            becomes(&mut state, true).await;
                        }
                    }
                });
            }
        });
        Self { port, whole, forwarding }
    }

    /// Cuts the wire for a while.
    pub(crate) async fn cut_for(&self, time: Duration) {
        self.whole.send_replace(false);
        tokio::time::sleep(time).await;
        self.whole.send_replace(true);
    }
}

async fn becomes(state: &mut watch::Receiver<bool>, wanted: bool) {
    // The sender is gone at the end of the test.
    let _ = state.wait_for(|whole| *whole == wanted).await;
}

impl Drop for Link {
    fn drop(&mut self) {
        self.forwarding.abort();
    }
}
