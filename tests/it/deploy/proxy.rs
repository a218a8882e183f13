//! The proxy's configuration, in a real HAProxy before real engines.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hyper::Method;

use super::documents::text;
use super::{have, not_checked};
use crate::client::Client;
use crate::process::{DataDir, PATIENCE, Server, signal, wait};

/// The status of a request over a connection of its own; `None` if there was no answer.
async fn ask(address: &str, path: &str) -> Option<u16> {
    let mut client = Client::try_nobody(address).await.ok()?;
    client.try_ask(Method::GET, path, &[], "").await.ok().map(|answer| answer.status)
}

#[tokio::test]
async fn a_node_that_is_not_ready_gets_no_requests() {
    if !have("haproxy", "haproxy") {
        return not_checked("haproxy cannot be installed, so its configuration does not run");
    }
    let data: Vec<DataDir> = (0..3).map(|_| DataDir::new()).collect();
    let mut nodes: Vec<Server> = data
        .iter()
        .map(|data| Server::start_with(&data.path(), &["--drain-seconds", "6"]))
        .collect();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut configuration =
        text("deploy/haproxy.cfg").replace("bind :8080", &format!("bind {address}"));
    for (number, node) in nodes.iter().enumerate() {
        configuration = configuration.replace(&format!("node-{}:8080", number + 1), &node.address);
    }
    let path = data[0].beside("haproxy.cfg");
    std::fs::write(&path, configuration).unwrap();
    let mut proxy = Command::new("/usr/sbin/haproxy")
        .args(["-W", "-db", "-f"])
        .arg(&path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + PATIENCE;
    while ask(&address, "/readyz").await != Some(200) {
        assert!(Instant::now() < until && proxy.try_wait().unwrap().is_none());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // One after another goes in good order; nobody who asks sees any of it.
    while nodes.len() > 1 {
        let node = nodes.remove(0);
        let stopping = tokio::task::spawn_blocking(move || node.stop());
        while !stopping.is_finished() {
            assert_eq!(ask(&address, "/healthz").await, Some(200));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(stopping.await.unwrap().success());
    }
    assert_eq!(ask(&address, "/metrics").await, Some(404), "figures are not for those outside");
    assert!(nodes.remove(0).stop().success());
    while ask(&address, "/healthz").await != Some(503) {
        assert!(Instant::now() < until, "it does not notice that nobody is there");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    signal(&proxy, "TERM");
    wait(&mut proxy);
}
