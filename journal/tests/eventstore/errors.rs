//! What a journal that cannot be opened says: what is wrong and what to do about it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use journal::{EventStoreJournal, EventStoreOptions, Journal, JournalError};

use crate::sample::{Node, append, cart, fresh_stream, options, unit};
use test_servers::eventstore::Double;
use test_servers::eventstore::store::{Expected, Stored};

async fn refused(url: &str) -> String {
    refused_with(url, |_| {}).await
}

async fn refused_with(url: &str, change: impl Fn(&mut EventStoreOptions)) -> String {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(&directory.path().join("mirror"));
    change(&mut options);
    let error = EventStoreJournal::open(url, options).await.unwrap_err().to_string();
    assert!(!error.contains("geheim"), "it tells the password: {error}");
    error
}

#[tokio::test]
async fn an_url_that_is_none() {
    for url in [
        "",
        "127.0.0.1:2113",
        "postgres://user:geheim@localhost/shop",
        "esdb://user:geheim@localhost:port",
        "esdb://",
        "esdb://user:geheim@localhost/path",
        "esdb://localhost?tls",
        "esdb://user:geheim@localhost?tls=perhaps",
        "esdb://user:geheim@localhost?stream=$all",
        "esdb://user:geheim@localhost?stream=",
        "esdb://user:geheim@a:1,b:x?tls=false",
    ] {
        let error = refused(url).await;
        assert!(error.contains("not an EventStoreDB URL"), "{url}: {error}");
        assert!(error.contains("expected esdb://USER:PASSWORD@HOST:2113"), "{url}: {error}");
    }
    let error = refused("esdb://localhost?tlsCaFile=/no/such/file").await;
    assert!(error.contains("tlsCaFile=/no/such/file: No such file"), "{error}");
}

#[tokio::test]
async fn nobody_there() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = refused(&format!("esdb://user:geheim@{free}?tls=false")).await;
    assert!(error.contains(&format!("nobody listens at {free}: start EventStoreDB")), "{error}");
    let error = refused("esdb://no-such-host.invalid:2113?tls=false").await;
    assert!(error.contains("cannot reach EventStoreDB at no-such-host.invalid:2113"), "{error}");
    let error = refused(&format!("esdb://{free},localhost:1?tls=false&discoveryInterval=10")).await;
    assert!(error.contains("nobody listens at"), "{error}");
}

#[tokio::test]
async fn tls_on_one_side_only() {
    let double = Double::start();
    let error = refused(&format!("esdb://user:geheim@{}?tls=true", double.address())).await;
    assert!(error.contains("runs without TLS: add `tls=false`"), "{error}");
    let error = refused(&format!("esdb://{}", double.address())).await;
    assert!(error.contains("runs without TLS"), "TLS is what the URL means by itself: {error}");
    // As a server answers that takes TLS only: an alert, and the end.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.read(&mut [0; 1024]);
            let _ = socket.write_all(&[0x15, 3, 1, 0, 2, 2, 70]);
        }
    });
    let error = refused(&format!("esdb://{address}?tls=false")).await;
    assert!(error.contains("demands TLS"), "{error}");
    let error = refused(&format!("esdb://{address}?tls=true")).await;
    assert!(error.contains("no TLS with") && error.contains("tlsCaFile=FILE"), "{error}");
}

#[tokio::test]
async fn tls_with_a_certificate_that_is_known_and_one_that_is_not() {
    let (double, certificate) = Double::start_with_tls();
    let port = double.address().port();
    let error = refused(&format!("esdb://user:geheim@localhost:{port}")).await;
    assert!(error.contains("no TLS with localhost"), "{error}");
    assert!(error.contains("`tlsCaFile=FILE`"), "{error}");
    let error = refused(&format!("esdb://localhost:{port}?tls=false")).await;
    assert!(error.contains("demands TLS"), "{error}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, certificate).unwrap();
    let stream = fresh_stream();
    for trust in [format!("tlsCaFile={}", file.display()), "tlsVerifyCert=false".to_owned()] {
        let url = format!("esdb://localhost:{port}?{trust}&stream={stream}");
        let options = options(&directory.path().join("mirror"));
        let journal = EventStoreJournal::open(&url, options).await.unwrap();
        let version = journal.stream_version(&cart(1)).await.unwrap();
        append(&journal, unit(&cart(1), version, 1)).await;
        assert_eq!(journal.head().0, version + 1);
    }
}

#[tokio::test]
async fn credentials_that_are_refused() {
    let double = Double::start();
    *double.shared.demands.lock().unwrap() = Some("shop:richtig".to_owned());
    let address = double.address();
    let error = refused(&format!("esdb://{address}?tls=false")).await;
    assert!(error.contains("demands a user: write esdb://USER:PASSWORD@"), "{error}");
    let error = refused(&format!("esdb://shop:geheim@{address}?tls=false")).await;
    assert!(error.contains("denies user shop access: check user and password"), "{error}");
    let directory = tempfile::tempdir().unwrap();
    let url = format!("kurrentdb://shop:richtig@{address}?tls=false");
    let journal =
        EventStoreJournal::open(&url, options(&directory.path().join("mirror"))).await.unwrap();
    assert!(!format!("{journal:?}").contains("richtig"), "it shows the password");
    append(&journal, unit(&cart(1), 0, 1)).await;
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let double = Double::start();
    double.shared.faults.hangs.store(true, Relaxed);
    let error = refused_with(
        &format!("esdb://{}?tls=false&gossipTimeout=100", double.address()),
        |options| {
            options.answer_within = Duration::from_millis(500);
        },
    )
    .await;
    assert!(error.contains("broke"), "{error}");
}

#[tokio::test]
async fn a_stream_that_is_no_log() {
    let double = Double::start();
    let stream = fresh_stream();
    let event = |custom: &str, data: &str, event_type: &str| Stored {
        id: uuid::Uuid::now_v7(),
        metadata: [("type".to_owned(), event_type.to_owned())].into(),
        custom: custom.into(),
        data: data.into(),
        place: 0,
    };
    let put = |stream: &str, event| {
        double.shared.store().append(stream, Expected::Any, vec![event]).unwrap();
    };
    put(&stream, event("{}", "{}", "somebodys.event"));
    let error = refused(&double.url(&stream)).await;
    assert!(error.contains(&format!("the stream {stream} on")), "{error}");
    assert!(error.contains("is not a tillroll journal: name another by `&stream=NAME`"), "{error}");
    let newer = fresh_stream();
    let opening = format!("{{\"journal\":\"{}\",\"format\":2}}", uuid::Uuid::now_v7());
    put(&newer, event("{\"tillroll\":1}", &opening, "tillroll.journal"));
    let error = refused(&double.url(&newer)).await;
    assert!(error.contains("has format 2, this program reads up to 1"), "{error}");
}

#[tokio::test]
async fn a_log_that_is_not_whole() {
    let double = Double::start();
    let stream = fresh_stream();
    let node = Node::open(&double, &stream).await;
    append(&*node.journal, unit(&cart(1), 0, 5)).await;
    let truncate = Stored {
        id: uuid::Uuid::now_v7(),
        metadata: [("type".to_owned(), "$metadata".to_owned())].into(),
        custom: Vec::new(),
        data: b"{\"$maxCount\":3}".to_vec(),
        place: 0,
    };
    let meta = format!("$${stream}");
    double.shared.store().append(&meta, Expected::Any, vec![truncate]).unwrap();
    let error = refused(&double.url(&stream)).await;
    assert!(error.contains("the log's beginning was cut off ($maxCount"), "{error}");
    double.shared.store().delete(&stream);
    let error = refused(&double.url(&stream)).await;
    assert!(error.contains(&format!("the stream {stream} on")), "{error}");
    assert!(error.contains("was deleted: restore the server, or begin a new"), "{error}");
}

#[tokio::test]
async fn appends_the_server_finds_too_large() {
    let double = Double::start();
    let node = Node::open_with(&double, &fresh_stream(), |options| {
        options.append_bytes_max = 8 << 20;
    })
    .await;
    let mut unit = unit(&cart(1), 0, 1);
    unit.groups[0].events[0].payload = format!("\"{}\"", "x".repeat(2 << 20)).into();
    let answer = node.journal.append(vec![unit]).await;
    let Err(JournalError::Unavailable(why)) = answer else { panic!("{answer:?}") };
    assert!(why.contains("raise MaxAppendSize") && why.contains("`append_bytes_max`"), "{why}");
}

#[tokio::test]
async fn events_the_log_cannot_keep() {
    let double = Double::start();
    let node = Node::open(&double, &fresh_stream()).await;
    let mut reserved = unit(&cart(1), 0, 1);
    reserved.groups[0].events[0].event_type = journal::EventType::new("tillroll.part");
    let mut system = unit(&cart(1), 0, 1);
    system.groups[0].events[0].event_type = journal::EventType::new("$metadata");
    let mut distant = unit(&cart(1), 0, 1);
    distant.groups[0].events[0].occurred = chrono::DateTime::<chrono::Utc>::MAX_UTC;
    for unit in [reserved, system, distant] {
        let answer = node.journal.append(vec![unit]).await;
        assert!(matches!(answer, Err(JournalError::Invalid(_))), "{answer:?}");
    }
    assert_eq!(node.journal.head().0, 0);
}
