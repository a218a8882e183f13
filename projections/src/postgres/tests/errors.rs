//! What can be wrong with a server or a database, and what is said about it.

use super::server::{ask, database, shared};
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
