//! Several nodes of one shop, each with a directory and a wire to the database of its own.

use std::fs;
use std::path::PathBuf;

use test_servers::{nats, postgres};

use super::link::Link;
use crate::process::{DataDir, Done, Server, command, finish, key};
use crate::shop::Shop;

/// What all nodes of a shop are given alike.
const CREDENTIALS: [&str; 3] = ["api-keys.json", "secrets.json", "master.key"];

/// Where the read models are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reads {
    OfEachNode,
    Shared,
}

pub(crate) struct Cluster {
    pub(crate) postgres: postgres::Server,
    pub(crate) nats: nats::Server,
    pub(crate) shop: Shop,
    pub(crate) nodes: Vec<Node>,
    _directory: DataDir,
}

pub(crate) struct Node {
    pub(crate) link: Link,
    pub(crate) server: Option<Server>,
    data: PathBuf,
    /// What every command is told: where the stores are.
    stores: Vec<String>,
    /// What `serve` is told besides.
    serving: Vec<String>,
}

impl Node {
    pub(crate) fn start(&mut self) {
        let words = self.stores.iter().chain(&self.serving).map(String::as_str);
        self.server = Some(Server::start_with(&self.data, &words.collect::<Vec<_>>()));
    }

    fn run(&self, command_name: &str) -> Done {
        let words: Vec<_> =
            [command_name].into_iter().chain(self.stores.iter().map(String::as_str)).collect();
        finish(&mut command(&self.data, &words))
    }
}

impl Cluster {
    /// A fresh database with so many nodes on it.
    pub(crate) async fn start(count: usize, reads: Reads) -> Self {
        Self::start_with(count, reads, &[]).await
    }

    /// The same with more words for `serve`.
    pub(crate) async fn start_with(count: usize, reads: Reads, words: &[&str]) -> Self {
        let (postgres, nats) = (postgres::Server::start(), nats::Server::start());
        let directory = DataDir::new();
        let mut nodes = Vec::new();
        for number in 0..count {
            let link = Link::to(postgres.address()).await;
            let url = "postgres://postgres:right@127.0.0.1";
            let url = format!("{url}:{}/postgres?sslmode=disable", link.port);
            let data = directory.beside(&format!("node-{number}"));
            let mut stores = vec!["--journal".to_owned(), url.clone()];
            if reads == Reads::Shared {
                stores.extend(["--read-models".to_owned(), url]);
            }
            let bus = nats.url();
            let serving =
                ["--bus", &bus].iter().chain(words).map(|&word| word.to_owned()).collect();
            nodes.push(Node { link, server: None, data, stores, serving });
        }
        let first = &nodes[0].data;
        let (admin_key, storefront_key) = (key(first, "admin"), key(first, "storefront"));
        nodes[0].run("migrate").exits(0);
        nodes[0].start();
        for number in 1..count {
            fs::create_dir(&nodes[number].data).unwrap();
            for file in CREDENTIALS {
                fs::copy(nodes[0].data.join(file), nodes[number].data.join(file)).unwrap();
            }
            nodes[number].start();
        }
        let shop = Shop::set_up(nodes[0].server.as_ref().unwrap(), admin_key, storefront_key).await;
        Self { postgres, nats, shop, nodes, _directory: directory }
    }

    #[track_caller]
    pub(crate) fn node(&self, number: usize) -> &Server {
        self.nodes[number].server.as_ref().unwrap()
    }

    /// Stops all nodes; what is on record holds to every law.
    pub(crate) async fn close(mut self) {
        for node in &mut self.nodes {
            if let Some(server) = node.server.take() {
                assert!(server.stop().success());
            }
        }
        for node in &self.nodes {
            let verified = node.run("verify");
            assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
            assert!(verified.out.contains("clean: "), "{}", verified.out);
        }
    }
}
