//! What can be wrong with a server or a database, and what is said about it.

use super::server::{Server, ask, database, shared};
use crate::{Directory, PostgresOptions, migrate_postgres};

fn refusal(url: &str, options: &PostgresOptions) -> String {
    let said = Directory::in_postgres(url, options).expect_err("refused").to_string();
    assert!(!said.contains("secret") && !said.contains("right@"), "{said}");
    said
}

#[test]
fn an_address_that_does_not_do_is_told_with_what_to_do() {
    let local = shared();
    ask(
        &local.url("postgres"),
        "DO $$ BEGIN CREATE ROLE sealed LOGIN PASSWORD 'right'; \
        EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    );
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = PostgresOptions::default();
    for (url, words) in [
        (local.url_tcp("postgres:secret", "postgres"), "refuses the password of user postgres"),
        (local.url_tcp("postgres", "postgres"), "wants a password"),
        (local.url_tcp("postgres:right", "nowhere"), "createdb"),
        (local.url_tcp("sealed:right", "postgres") + "?sslmode=disable", "sslmode=require"),
        (local.url_tcp("postgres:right", "postgres") + "?sslmode=require", "turn TLS on"),
        (
            local.url_tcp("postgres:right", "postgres")
                + "?sslmode=verify-full&sslrootcert=/no/such",
            "PEM file",
        ),
        (format!("postgres://me:secret@127.0.0.1:{unused}/db"), "nobody listens"),
        ("postgres://me:secret@/db?host=/no/such/place".to_owned(), "no PostgreSQL socket"),
        ("postgres://me:secret@nowhere.invalid/db".to_owned(), "check host, port"),
        ("mysql://me:secret@there/db".to_owned(), "postgres://USER:PASSWORD@HOST:5432/DATABASE"),
    ] {
        let said = refusal(&url, &options);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_database_that_does_not_do_is_left_alone() {
    let url = database();
    let by_hand = PostgresOptions { migrate: false, ..PostgresOptions::default() };
    assert!(refusal(&url, &by_hand).contains("migrate it first"));
    ask(&url, "CREATE SCHEMA tillroll_read; CREATE TABLE tillroll_read.mine (id int)");
    assert!(refusal(&url, &PostgresOptions::default()).contains("belongs to another program"));
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tillroll%'";
    assert_eq!(ask(&url, schemas), ["1"]);

    let elsewhere = PostgresOptions { schema: "reads".to_owned(), ..PostgresOptions::default() };
    migrate_postgres(&url, &elsewhere).unwrap();
    migrate_postgres(&url, &elsewhere).unwrap();
    let by_hand = PostgresOptions { migrate: false, ..elsewhere.clone() };
    assert!(Directory::in_postgres(&url, &by_hand).is_ok());
    ask(&url, "UPDATE reads_meta.format SET format = 99");
    assert!(refusal(&url, &elsewhere).contains("made by a newer program"));
    let nobody =
        PostgresOptions { reader: Some("no one".to_owned()), ..PostgresOptions::default() };
    assert!(refusal(&database(), &nobody).contains("createuser"));
    let long = PostgresOptions { schema: "Robert'); --".to_owned(), ..PostgresOptions::default() };
    assert!(refusal(&url, &long).contains("cannot be the schema"));
}

#[test]
fn several_may_migrate_at_once() {
    let url = database();
    let migrating: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || migrate_postgres(&url, &PostgresOptions::default()))
        })
        .collect();
    for one in migrating {
        one.join().unwrap().unwrap();
    }
}

#[test]
fn sessions_are_encrypted_and_servers_checked_as_the_url_says() {
    let server = Server::start();
    let admin = server.url("postgres");
    let at = ask(&admin, "SHOW data_directory").remove(0);
    let (certificate, key) = (format!("{at}/server.crt"), format!("{at}/server.key"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", &key, "-out", &certificate])
        .output();
    assert!(made.expect("install openssl").status.success());
    let like = format!("--reference={at}/postgresql.conf");
    for file in [&certificate, &key] {
        let owned = std::process::Command::new("chown").arg(&like).arg(file).status();
        assert!(owned.unwrap().success());
    }
    ask(&admin, "ALTER SYSTEM SET ssl = on");
    ask(&admin, "CREATE ROLE sealed LOGIN SUPERUSER PASSWORD 'right'; SELECT pg_reload_conf()");
    while ask(&admin, "SHOW ssl") != ["on"] {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }

    let by_name = |host: &str, rest: &str| {
        let url = server.url_tcp("sealed:right", "postgres").replace("127.0.0.1", host);
        format!("{url}?{rest}&sslrootcert={certificate}")
    };
    let options = PostgresOptions::default();
    for (host, mode) in
        [("127.0.0.1", "prefer"), ("127.0.0.1", "require"), ("127.0.0.1", "verify-ca")]
    {
        let opened = Directory::in_postgres(&by_name(host, &format!("sslmode={mode}")), &options);
        assert!(opened.is_ok(), "{mode}: {opened:?}");
    }
    let encrypted = "SELECT count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
         WHERE usename = 'sealed' AND ssl";
    let kept = Directory::in_postgres(&by_name("127.0.0.1", "sslmode=require"), &options).unwrap();
    assert!(kept.serving("orders").unwrap().is_none());
    assert_eq!(ask(&admin, encrypted), ["t"]);
    // The certificate is of localhost, and known to nobody but the file.
    let said = refusal(&by_name("127.0.0.1", "sslmode=verify-full"), &options);
    assert!(said.contains("no TLS with"), "{said}");
    let unknown = server.url_tcp("sealed:right", "postgres") + "?sslmode=verify-full";
    let said = refusal(&unknown, &options);
    assert!(said.contains("no TLS with"), "{said}");
}
