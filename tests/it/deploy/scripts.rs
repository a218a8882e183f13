//! The scripts of the image, run with the real engine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::documents::root;
use crate::client::Client;
use crate::process::{DataDir, Done, Server, finish, key, signal, wait};

const TILLROLL: &str = env!("CARGO_BIN_EXE_tillroll");

/// A directory with `secrets` in it, as the script makes them.
pub(super) fn make_secrets() -> tempfile::TempDir {
    let made = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let script = made.path().join("make-secrets.sh");
    fs::copy(root().join("deploy/make-secrets.sh"), &script).unwrap();
    // Twice, since it must not change what is there.
    for _ in 0..2 {
        let before = fs::read(made.path().join("secrets/credentials/master.key")).ok();
        let done = Command::new("sh").arg(&script).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        let after = fs::read(made.path().join("secrets/credentials/master.key")).unwrap();
        assert!(before.is_none_or(|before| before == after));
    }
    made
}

/// The entrypoint with the engine on its PATH, and nothing else in its environment.
fn entrypoint(data: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let program = Path::new(TILLROLL).parent().unwrap();
    command.arg(root().join("deploy/entrypoint.sh")).args(words).env_clear();
    command.env("PATH", format!("{}:/usr/bin:/bin", program.display()));
    command.env("TILLROLL_DATA", data).env("TILLROLL_LOG", "warn").stdin(Stdio::null());
    command
}

fn refused(command: &mut Command, word: &str) -> Done {
    let done = finish(command).exits(3);
    assert!(done.err.contains(word), "{}", done.err);
    done
}

/// Whether the image's health check finds an engine in order.
fn is_healthy(address: &str, path: &str) -> bool {
    let mut check = Command::new("bash");
    check.arg(root().join("deploy/healthcheck.sh")).arg(path);
    let output = check.env("TILLROLL_LISTEN", address).output().unwrap();
    output.status.success()
}

fn credentials() -> (tempfile::TempDir, PathBuf) {
    let made = make_secrets();
    let credentials = made.path().join("secrets/credentials");
    (made, credentials)
}

#[tokio::test]
async fn a_node_serves_with_credentials_that_it_may_not_change() {
    let (_made, credentials) = credentials();
    let data = DataDir::new();
    // A port that is free now, since the health check has to be told of one.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = free.to_string();
    fs::set_permissions(&credentials, fs::Permissions::from_mode(0o555)).unwrap();
    let mut node = entrypoint(&data.path(), &["serve"])
        .env("CREDENTIALS_DIRECTORY", &credentials)
        .env("TILLROLL_LISTEN", &address)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while !is_healthy(&address, "/readyz") {
        assert!(Instant::now() < until && node.try_wait().unwrap().is_none(), "it does not serve");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(is_healthy(&address, "/healthz"));
    assert!(!is_healthy(&address, "/nowhere"));
    for file in ["master.key", "secrets.json", "api-keys.json"] {
        let link = fs::read_link(data.path().join(file)).unwrap();
        assert_eq!(link, credentials.join(file));
        assert_eq!(fs::metadata(&link).unwrap().permissions().mode() & 0o777, 0o444);
    }

    // A key that is made at the source, as the compose file's tool makes it, is soon known here.
    fs::set_permissions(&credentials, fs::Permissions::from_mode(0o755)).unwrap();
    let admin = key(&credentials, "admin");
    while Client::bearing(&address, &admin).await.get("/metrics").await.status != 200 {
        assert!(Instant::now() < until, "the new key is not known");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    signal(&node, "TERM");
    assert!(wait(&mut node).success(), "the engine itself is told to stop");
    assert!(!is_healthy(&address, "/healthz"));
}

#[test]
fn a_setting_is_read_from_its_file() {
    let data = DataDir::new();
    let file = data.beside("journal-url");
    fs::write(&file, "mysql://me:secret@db/shop\n").unwrap();
    let mut command = entrypoint(&data.path(), &["verify"]);
    let done = refused(command.env("TILLROLL_JOURNAL_FILE", &file), "mysql://: use postgres://");
    assert!(!done.err.contains("secret"), "{}", done.err);
    let gone = data.beside("gone");
    let mut command = entrypoint(&data.path(), &["verify"]);
    let done = finish(command.env("TILLROLL_JOURNAL_FILE", &gone));
    assert!(done.code != Some(0) && done.err.contains("gone"), "{}", done.err);
}

#[test]
fn a_node_makes_no_credentials_of_its_own_and_loses_none() {
    let (_made, credentials) = credentials();
    let data = DataDir::new();
    let serve = |given: &Path| {
        let mut command = entrypoint(&data.path(), &["serve"]);
        command.env("CREDENTIALS_DIRECTORY", given);
        command
    };
    let gone = data.beside("gone");
    refused(&mut serve(&gone), "gone/master.key cannot be read");
    assert!(!data.path().join("master.key").exists());

    // A directory that was in use without: its key is the only one that opens its personal data.
    let server = Server::start(&data.path());
    assert!(server.stop().success());
    let own = fs::read(data.path().join("master.key")).unwrap();
    refused(&mut serve(&credentials), "master.key is this node's own");
    assert_eq!(fs::read(data.path().join("master.key")).unwrap(), own);
}
