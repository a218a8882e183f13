//! A nats-server of the tests' own: in a directory of its own, on a free port, with JetStream.
//!
//! A shell watches over it and stops it when the test program ends, however it ends.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Starts the server, tells its process when it answers, and stops it when its own input ends.
const WATCH: &str = r#"
"$1" -c "$2/nats.conf" >>"$2/log" 2>&1 &
server=$!
for i in $(seq 300); do
    (exec 3<>/dev/tcp/127.0.0.1/$3) 2>/dev/null && { echo $server; break; }
    kill -0 $server 2>/dev/null || { cat "$2/log"; exit 1; }
    sleep 0.05
done
read end
kill -KILL $server 2>/dev/null
wait $server 2>/dev/null
"#;

/// What a server is configured with if nothing else is said.
pub const JETSTREAM: &str = "jetstream { store_dir: \"DIR/store\" }\n";

pub struct Server {
    directory: tempfile::TempDir,
    port: u16,
    process: Option<(Child, u32)>,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(JETSTREAM)
    }

    /// With a configuration in which `DIR` stands for the server's directory.
    pub fn start_with(configuration: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("tillroll-nats").tempdir().unwrap();
        let port = free_port();
        let mut server = Self { directory, port, process: None };
        server.configure(configuration);
        server.run();
        server
    }

    /// Replaces the configuration; it takes effect at the next start.
    pub fn configure(&self, configuration: &str) {
        let directory = self.directory.path().display().to_string();
        let text = format!(
            "listen: 127.0.0.1:{}\n{}",
            self.port,
            configuration.replace("DIR", &directory)
        );
        std::fs::write(self.directory.path().join("nats.conf"), text).unwrap();
    }

    /// Starts it again after [`Self::kill`], with what it had.
    pub fn run(&mut self) {
        let mut watch = Command::new("bash")
            .args(["-c", WATCH, "watch"])
            .arg(program())
            .arg(self.directory.path())
            .arg(self.port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(watch.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let process = line.trim().parse();
        let process =
            process.unwrap_or_else(|_| panic!("nats-server does not start: {line}{}", self.log()));
        self.process = Some((watch, process));
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        if let Some((mut watch, _)) = self.process.take() {
            drop(watch.stdin.take());
            watch.wait().unwrap();
        }
    }

    /// Sends the server a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let (_, process) = self.process.as_ref().unwrap();
        let done = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status();
        assert!(done.unwrap().success());
    }

    pub fn url(&self) -> String {
        self.url_of("nats", "")
    }

    /// `who` is `user:password@`, `token@` or nothing.
    pub fn url_of(&self, scheme: &str, who: &str) -> String {
        format!("{scheme}://{who}127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One that nobody listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The server that tests share which leave it alone, or that of `TILLROLL_TEST_NATS_URL`.
pub fn shared_url() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    match std::env::var("TILLROLL_TEST_NATS_URL") {
        Ok(given) => given,
        Err(_) => SERVER.get_or_init(Server::start).url(),
    }
}

/// Where the program is; installs it if it is nowhere.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let find = || {
            std::env::split_paths(&std::env::var_os("PATH")?)
                .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")])
                .map(|place| place.join("nats-server"))
                .find(|place| place.exists())
        };
        if find().is_none() {
            install("nats-server");
        }
        find().expect(
            "these tests need nats-server 2.9 or newer: install it (Debian: apt-get install \
             nats-server), put it on the PATH, or set TILLROLL_TEST_NATS_URL",
        )
    })
}

/// Only root can; whoever needs it says what is missing.
pub fn install(package: &str) {
    let _ = Command::new("apt-get")
        .args(["install", "-y", "--no-install-recommends", package])
        .stdout(Stdio::null())
        .status();
}
