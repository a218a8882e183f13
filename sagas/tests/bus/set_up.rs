//! What the operator has to put right: each is said in one message that says what to do.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};
use journal::Journal;
use sagas::relay::{BusError, JetStreamBus, JetStreamOptions, MessageBus};
use test_servers::nats::{self, JETSTREAM, Server};
use uuid::Uuid;

use crate::running::Running;
use crate::shop;

async fn error_of(options: JetStreamOptions) -> BusError {
    let bus = match JetStreamBus::new(options) {
        Ok(bus) => bus,
        Err(error) => return error,
    };
    let error = bus.resume(Uuid::now_v7()).await.expect_err("it is set up wrong");
    assert!(!error.to_string().contains("secret"), "{error}");
    error
}

/// The text, if it is for a person to act on.
async fn set_up_error(options: JetStreamOptions) -> String {
    match error_of(options).await {
        BusError::SetUp(what) => what,
        other => panic!("{other:?} is for nobody to act on"),
    }
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word} is not in: {text}");
    }
}

#[tokio::test]
async fn without_jetstream() {
    let nats = Server::start_with("");
    says(&set_up_error(shop::options(&nats.url())).await, &["no JetStream", "-js"]);
}

#[tokio::test]
async fn without_jetstream_for_the_account() {
    let nats = Server::start_with(&format!(
        "{JETSTREAM}accounts {{\n\
         HAS {{ jetstream: enabled, users: [{{ user: a, password: secret }}] }}\n\
         NOT {{ users: [{{ user: b, password: secret }}] }} }}"
    ));
    let url = nats.url_of("nats", "b:secret@");
    says(&set_up_error(shop::options(&url)).await, &["JetStream", "account"]);
    let fine = JetStreamBus::new(shop::options(&nats.url_of("nats", "a:secret@"))).unwrap();
    assert_eq!(fine.resume(Uuid::now_v7()).await, Ok(None));
}

#[tokio::test]
async fn with_wrong_credentials() {
    let nats = Server::start_with(&format!(
        "{JETSTREAM}authorization {{ users: [{{ user: relay, password: secret }}] }}"
    ));
    for who in ["", "relay:secret_no_more@", "somebody:secret@", "secret_token@"] {
        let url = nats.url_of("nats", who);
        says(&set_up_error(shop::options(&url)).await, &["refuses these credentials", "127.0.0.1"]);
    }
    let bus = JetStreamBus::new(shop::options(&nats.url_of("nats", "relay:secret@"))).unwrap();
    assert_eq!(bus.resume(Uuid::now_v7()).await, Ok(None));
}

#[tokio::test]
async fn with_a_credentials_file_that_is_not_there() {
    let options = JetStreamOptions {
        credentials: Some("/nowhere/relay.creds".into()),
        ..shop::options(&nats::shared_url())
    };
    says(&set_up_error(options).await, &["credentials file", "/nowhere/relay.creds"]);
}

#[tokio::test]
async fn where_nobody_listens() {
    let mut nats = Server::start();
    let options = shop::options(&nats.url_of("nats", "relay:secret@"));
    nats.kill();
    let BusError::Unavailable(what) = error_of(options).await else {
        panic!("it may come back by itself");
    };
    says(&what, &["cannot be reached", "127.0.0.1", "see that it runs"]);
}

#[tokio::test]
async fn where_a_name_leads_nowhere() {
    let options = shop::options("nats://relay:secret@nats.invalid:4222");
    let BusError::Unavailable(what) = error_of(options).await else {
        panic!("names may be known later");
    };
    says(&what, &["cannot be reached", "nats.invalid:4222"]);
}

#[tokio::test]
async fn where_the_address_or_a_name_is_none() {
    let text = set_up_error(shop::options("http://relay:secret@somewhere")).await;
    says(&text, &["nats://[user:password@]host[:port]"]);
    let options = |change: fn(&mut JetStreamOptions)| {
        let mut options = JetStreamOptions::new("nats://127.0.0.1");
        change(&mut options);
        options
    };
    says(&set_up_error(options(|o| o.prefix = "a b".into())).await, &["`a b`", "prefix"]);
    says(&set_up_error(options(|o| o.prefix = "a.*".into())).await, &["`a.*`", "prefix"]);
    says(&set_up_error(options(|o| o.stream = "a.b".into())).await, &["`a.b`", "stream name"]);
    says(&set_up_error(options(|o| o.bucket = String::new())).await, &["bucket name"]);
    says(&set_up_error(options(|o| o.replicas = 9)).await, &["1 to 5", "9"]);
}

/// Each permission in turn is missing; with all of them it works.
#[tokio::test]
async fn without_permission() {
    let with = |publish: &str| {
        format!(
            "{JETSTREAM}authorization {{ users: [{{ user: relay, password: secret, permissions: \
             {{ publish: [{publish}], subscribe: [\"_INBOX.>\"] }} }}] }}"
        )
    };
    let all = ["\"tellers.>\"", "\"$JS.API.>\"", "\"$KV.tellers-relay.>\""];
    let named = |nats: &Server| JetStreamOptions {
        prefix: "tellers".into(),
        stream: "tellers".into(),
        bucket: "tellers-relay".into(),
        ..JetStreamOptions::new(&nats.url_of("nats", "relay:secret@"))
    };
    let journal = shop::memory();
    shop::one_order(&*journal).await;
    for missing in all {
        let some: Vec<&str> = all.into_iter().filter(|one| *one != missing).collect();
        let nats = Server::start_with(&with(&some.join(", ")));
        let relay = Running::start(Arc::clone(&journal) as _, &named(&nats));
        let said = relay.troubled_by("does not let this user").await;
        says(&said, &["Permissions Violation", "`tellers.>`", "`$JS.API.>`", "`_INBOX.>`"]);
        relay.stop().await;
    }
    let nats = Server::start_with(&with(&all.join(", ")));
    let relay = Running::start(Arc::clone(&journal) as _, &named(&nats));
    relay.reached(journal.head()).await;
    relay.stop().await;
}

#[tokio::test]
async fn with_a_stream_of_other_settings() {
    let url = nats::shared_url();
    let context = async_nats::jetstream::new(async_nats::connect(&url).await.unwrap());
    type Change = fn(&mut Config);
    let wrong: [(Change, &str); 4] = [
        (|config| config.retention = RetentionPolicy::WorkQueue, "retention"),
        (|config| config.storage = StorageType::Memory, "storage"),
        (|config| config.no_ack = true, "confirms nothing"),
        (|config| config.subjects.push(format!("{}-more.>", config.name)), "subjects"),
    ];
    for (change, word) in wrong {
        let options = shop::options(&url);
        let mut config = Config {
            name: options.stream.clone(),
            subjects: vec![options.subjects()],
            ..Config::default()
        };
        change(&mut config);
        context.create_stream(config).await.unwrap();
        let text = set_up_error(options.clone()).await;
        says(&text, &["not as the relay needs it", word, &options.stream, "remove it"]);
    }
    // Limits are the operator's own.
    let options = shop::options(&url);
    let config = Config {
        name: options.stream.clone(),
        subjects: vec![options.subjects()],
        max_age: Duration::from_secs(3_600),
        max_messages: 1_000,
        duplicate_window: Duration::from_secs(10),
        ..Config::default()
    };
    context.create_stream(config).await.unwrap();
    let bus = JetStreamBus::new(options).unwrap();
    assert_eq!(bus.resume(Uuid::now_v7()).await, Ok(None));
}

#[tokio::test]
async fn with_subjects_that_another_stream_takes() {
    let options = shop::options(&nats::shared_url());
    let context = async_nats::jetstream::new(async_nats::connect(&options.servers).await.unwrap());
    let config = Config {
        name: format!("{}-other", options.stream),
        subjects: vec![format!("{}.orders.*", options.prefix)],
        ..Config::default()
    };
    context.create_stream(config).await.unwrap();
    says(&set_up_error(options.clone()).await, &["another stream", &options.prefix]);
}

#[tokio::test]
async fn with_more_replicas_than_servers() {
    let nats = Server::start();
    let options = JetStreamOptions { replicas: 3, ..shop::options(&nats.url()) };
    says(&set_up_error(options).await, &["3 replicas", "fewer"]);
}

#[tokio::test]
async fn with_more_bytes_than_there_are() {
    let nats =
        Server::start_with("jetstream { store_dir: \"DIR/store\", max_file_store: 1000000 }\n");
    let options = JetStreamOptions { max_bytes: 1 << 40, ..shop::options(&nats.url()) };
    says(&set_up_error(options).await, &["no room", "fewer bytes"]);
}

#[tokio::test]
async fn with_a_message_larger_than_the_server_takes() {
    let nats = Server::start_with(&format!("{JETSTREAM}max_payload: 600\n"));
    let journal = shop::memory();
    shop::one_order(&*journal).await;
    let relay = Running::start(Arc::clone(&journal) as _, &shop::options(&nats.url()));
    says(&relay.troubled_by("max_payload").await, &["600", "bytes"]);
    relay.stop().await;
}

/// What is refused for lack of room waits until there is some.
#[tokio::test]
async fn with_a_stream_that_is_full_and_discards_nothing() {
    let options = shop::options(&nats::shared_url());
    let context = async_nats::jetstream::new(async_nats::connect(&options.servers).await.unwrap());
    let mut config = Config {
        name: options.stream.clone(),
        subjects: vec![options.subjects()],
        max_messages: 25,
        discard: async_nats::jetstream::stream::DiscardPolicy::New,
        ..Config::default()
    };
    context.create_stream(config.clone()).await.unwrap();
    let journal = shop::memory();
    for _ in 0..10 {
        shop::one_order(&*journal).await;
    }
    let relay = Running::start(Arc::clone(&journal) as _, &options);
    says(&relay.troubled_by("takes no more").await, &["raise its limits"]);
    config.max_messages = -1;
    context.update_stream(config).await.unwrap();
    relay.reached(journal.head()).await;
    relay.stop().await;
    shop::exactly_once(&*journal, &options).await;
}

/// Makes an authority, and a certificate of `127.0.0.1` by it.
fn certificates(directory: &Path) {
    if Command::new("openssl").arg("version").output().is_err() {
        nats::install("openssl");
    }
    let script = r#"
        cd "$1"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
            -subj /CN=authority -keyout ca.key -out ca.pem
        for name in server client; do
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                -subj /CN=$name -keyout $name.key -out $name.csr
            echo "subjectAltName=IP:127.0.0.1" > $name.ext
            openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                -extfile $name.ext -out $name.pem
        done
    "#;
    let made = Command::new("bash").args(["-ec", script, "make"]).arg(directory).output();
    let made = made.expect("these tests need openssl (Debian: apt-get install openssl)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test]
async fn with_tls_that_the_client_does_not_trust_or_is_not_trusted_in() {
    let directory = tempfile::tempdir().unwrap();
    certificates(directory.path());
    let file = |name: &str| directory.path().join(name);
    let tls = |verify: bool| {
        format!(
            "{JETSTREAM}tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: {verify} }}",
            file("server.pem").display(),
            file("server.key").display(),
            file("ca.pem").display()
        )
    };
    let nats = Server::start_with(&tls(false));
    for scheme in ["nats", "tls"] {
        let options = shop::options(&nats.url_of(scheme, ""));
        says(&set_up_error(options.clone()).await, &["no TLS", "authority"]);
        let trusting = JetStreamOptions { authorities: Some(file("ca.pem")), ..options };
        let bus = JetStreamBus::new(trusting).unwrap();
        assert_eq!(bus.resume(Uuid::now_v7()).await, Ok(None));
    }
    let unreadable = JetStreamOptions {
        authorities: Some(file("nothing.pem")),
        ..shop::options(&nats.url_of("tls", ""))
    };
    says(&set_up_error(unreadable).await, &["authorities file", "nothing.pem"]);

    let nats = Server::start_with(&tls(true));
    let nameless = JetStreamOptions {
        authorities: Some(file("ca.pem")),
        ..shop::options(&nats.url_of("tls", ""))
    };
    says(&set_up_error(nameless.clone()).await, &["no TLS", "certificate of this client"]);
    let identity = Some((file("client.pem"), file("client.key")));
    let bus = JetStreamBus::new(JetStreamOptions { identity, ..nameless }).unwrap();
    assert_eq!(bus.resume(Uuid::now_v7()).await, Ok(None));
}

#[tokio::test]
async fn without_tls_where_it_is_asked_for() {
    let nats = Server::start();
    let error = error_of(shop::options(&nats.url_of("tls", ""))).await;
    says(&error.to_string(), &["TLS", "127.0.0.1"]);
}

/// Put right while the relay runs, it goes on by itself.
#[tokio::test]
async fn what_is_put_right_works_without_a_restart() {
    let mut nats = Server::start_with("");
    let options = shop::options(&nats.url());
    let journal = shop::memory();
    shop::one_order(&*journal).await;
    let relay = Running::start(Arc::clone(&journal) as _, &options);
    relay.troubled_by("no JetStream").await;
    nats.kill();
    nats.configure(JETSTREAM);
    nats.run();
    relay.reached(journal.head()).await;
    relay.stop().await;
    shop::exactly_once(&*journal, &options).await;
}
