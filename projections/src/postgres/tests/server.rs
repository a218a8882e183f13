//! A PostgreSQL of the tests' own: in a directory of its own, on a free port, fsync on.
//!
//! A shell watches over it and stops it when the test program ends, however it ends.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::{NoTls, SimpleQueryMessage};

/// Starts the server, tells when it answers, and stops it when its own input ends.
const WATCH: &str = r#"
"$1/postgres" -D "$2/data" -c port=$3 -c unix_socket_directories="$2" -c listen_addresses=127.0.0.1 \
    -c fsync=on -c synchronous_commit=on -c max_connections=200 >>"$2/log" 2>&1 &
server=$!
for i in $(seq 300); do
    "$1/pg_isready" -q -h "$2" -p $3 && { echo ready; break; }
    kill -0 $server || { cat "$2/log"; exit 1; }
    sleep 0.1
done
read end
kill -INT $server 2>/dev/null
wait $server
[ "$end" = keep ] || rm -rf "$2"
"#;

pub struct Server {
    directory: PathBuf,
    programs: PathBuf,
    port: u16,
    watch: Option<Child>,
}

impl Server {
    /// Makes and starts a server.
    pub fn start() -> Self {
        Self::start_with(
            "hostssl all sealed 127.0.0.1/32 scram-sha-256\n\
             host all sealed 127.0.0.1/32 reject\n\
             host all all 127.0.0.1/32 scram-sha-256\n",
        )
    }

    /// As [`Self::start`], with rules of who may connect over the network.
    pub fn start_with(rules: &str) -> Self {
        let programs = programs();
        let directory = tempfile::Builder::new().prefix("tillroll-pg").tempdir().unwrap().keep();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if is_root() {
            done(Command::new("chown").arg("postgres").arg(&directory));
        }
        std::fs::write(directory.join("password"), "right").unwrap();
        done(
            unprivileged(programs.join("initdb"))
                .args(["--auth-local=trust", "--auth-host=scram-sha-256", "-U", "postgres"])
                .args(["-E", "UTF8", "--locale=C.UTF-8"])
                .arg(format!("--pwfile={}", directory.join("password").display()))
                .arg("-D")
                .arg(directory.join("data")),
        );
        let rules = format!("local all all trust\n{rules}");
        std::fs::write(directory.join("data/pg_hba.conf"), rules).unwrap();
        let mut server = Self { directory, programs, port, watch: None };
        server.run();
        server
    }

    /// Starts it again after [`Self::halt`].
    pub fn run(&mut self) {
        let mut watch = unprivileged(PathBuf::from("sh"))
            .arg("-c")
            .arg(WATCH)
            .arg("watch")
            .arg(&self.programs)
            .arg(&self.directory)
            .arg(self.port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(watch.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL does not start: {}", self.log());
        self.watch = Some(watch);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Stops it: at once and without goodbye to anybody (`immediate`), or orderly (`fast`).
    pub fn halt(&mut self, how: &str) {
        done(
            unprivileged(self.programs.join("pg_ctl"))
                .args(["stop", "-w", "-m", how, "-D"])
                .arg(self.directory.join("data"))
                .stdout(Stdio::null()),
        );
        self.end("keep\n");
    }

    fn end(&mut self, how: &str) {
        if let Some(mut watch) = self.watch.take() {
            use std::io::Write;
            let _ = watch.stdin.take().unwrap().write_all(how.as_bytes());
            let _ = watch.wait();
        }
    }

    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres@localhost:{}/{database}?host={}",
            self.port,
            self.directory.display()
        )
    }

    pub fn address(&self) -> (String, u16) {
        ("127.0.0.1".to_owned(), self.port)
    }

    /// Over the network, by name and password.
    pub fn url_tcp(&self, who: &str, database: &str) -> String {
        format!("postgres://{who}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("\n");
        // One that was halted has nobody else to clear up after it.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// The URL of a new and empty database, on the server that all tests share.
pub fn database() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    static CLEARED: OnceLock<()> = OnceLock::new();
    let n = MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("tillroll_test_{}_{n}", std::process::id());
    let (admin, url) = match std::env::var("TILLROLL_TEST_POSTGRES_URL") {
        Ok(given) => {
            CLEARED.get_or_init(|| clear(&given));
            let (server, database) = given.rsplit_once('/').unwrap();
            let rest = database.find('?').map_or("", |at| &database[at..]);
            (given.clone(), format!("{server}/{name}{rest}"))
        }
        Err(_) => (shared().url("postgres"), shared().url(&name)),
    };
    ask(&admin, &format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"));
    url
}

/// The first column of what `sql` answers.
pub fn ask(url: &str, sql: &str) -> Vec<String> {
    try_ask(url, sql).unwrap()
}

/// As [`ask`], where it may be refused.
pub fn try_ask(url: &str, sql: &str) -> Result<Vec<String>, String> {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    let asking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let (client, connection) =
                tokio_postgres::connect(&url, NoTls).await.map_err(|error| error.to_string())?;
            tokio::spawn(connection);
            let answer = client.simple_query(&sql).await.map_err(|error| {
                error.as_db_error().map_or(error.to_string(), |error| error.message().to_owned())
            })?;
            Ok(answer
                .into_iter()
                .filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("null").to_owned()),
                    _ => None,
                })
                .collect())
        })
    });
    asking.join().unwrap()
}

/// Removes what earlier runs left on a server that is not the tests' own.
fn clear(url: &str) {
    for name in ask(url, "SELECT datname FROM pg_database WHERE datname LIKE 'tillroll_test_%'") {
        let of = name.trim_start_matches("tillroll_test_").split('_').next().unwrap_or_default();
        if !Path::new("/proc").join(of).exists() {
            // One that is in use stays.
            let _ = try_ask(url, &format!("DROP DATABASE {name}"));
        }
    }
}

/// The private server that tests share.
pub fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// Where PostgreSQL's programs are; installs them if they are nowhere.
fn programs() -> PathBuf {
    if let Some(found) = find() {
        return found;
    }
    if is_root() {
        let _ = Command::new("apt-get").args(["install", "-y", "postgresql"]).status();
    }
    find().expect(
        "these tests need PostgreSQL 14 or newer: install it (Debian: apt-get install postgresql), \
         put initdb on the PATH, or set TILLROLL_TEST_POSTGRES_URL",
    )
}

fn find() -> Option<PathBuf> {
    let mut places: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    places.sort();
    places.reverse();
    places.extend(std::env::split_paths(&std::env::var_os("PATH")?));
    places.into_iter().find(|place| place.join("initdb").exists())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0\n")
}

/// PostgreSQL does not run as root.
fn unprivileged(program: impl AsRef<Path>) -> Command {
    let program = program.as_ref();
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}
