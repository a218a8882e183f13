//! The binary under test: one command that ends, or a server that runs beside the test.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_tillroll");

/// A fresh directory for the data of one shop; on the disk of the build, since a file system in
/// memory would take a `sync` for nothing.
pub(crate) struct DataDir {
    dir: tempfile::TempDir,
}

impl DataDir {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("shop")
    }

    /// A path beside the shop's directory.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Done {
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    /// Nothing on standard output, one line on standard error with all of these words in it.
    #[track_caller]
    pub(crate) fn complains_of(&self, words: &[&str]) {
        assert_eq!(self.out, "");
        assert_eq!(self.err.lines().count(), 1, "{}", self.err);
        assert!(self.err.starts_with("tillroll: "), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "no `{word}` in: {}", self.err);
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The command, not yet run; logs only what is wrong.
pub(crate) fn command(data: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(EXECUTABLE);
    command.env_clear().args(words).args(["--log", "warn", "--data"]).arg(data);
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(data: &Path, words: &[&str]) -> Done {
    finish(&mut command(data, words))
}

/// Runs a command to its end, within reason.
pub(crate) fn finish(command: &mut Command) -> Done {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (out, err) = (read(child.stdout.take().unwrap()), read(child.stderr.take().unwrap()));
    let status = wait(&mut child);
    let done = Done { code: status.code(), out: out.join().unwrap(), err: err.join().unwrap() };
    assert!(!done.err.contains("panicked"), "{}", done.err);
    done
}

fn read(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        text
    })
}

/// A new API key.
pub(crate) fn key(data: &Path, role: &str) -> String {
    let made = run(data, &["keys", "create", "--role", role, "--json"]).exits(0);
    made.json()["key"].as_str().unwrap().to_owned()
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// Starts with more arguments, and waits until it listens.
    pub(crate) fn start_with(data: &Path, words: &[&str]) -> Self {
        Self::start_as(data, &data.with_extension("log"), words)
    }

    /// Starts with its log somewhere else than beside the directory.
    pub(crate) fn start_logging(data: &Path, log: &Path) -> Self {
        Self::start_as(data, log, &[])
    }

    fn start_as(data: &Path, log: &Path, words: &[&str]) -> Self {
        let mut child = command(data, &["serve", "--listen", "127.0.0.1:0", "--json"])
            .args(words)
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("does not start: {}", fs::read_to_string(log).unwrap()));
        let address = said["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        Self { child, log: log.to_owned(), data: data.to_owned(), address }
    }

    /// Ends as an operator ends it, and says how that went.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }

    /// Ends as a power cut ends it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        if !std::thread::panicking() {
            assert!(!log.contains("panicked"), "the server panicked: {log}");
        }
    }
}

/// Sends a signal by name to a process of this test.
pub(crate) fn signal(child: &Child, name: &str) {
    let signal = format!("-{name}");
    let sent = Command::new("kill").args([&signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits for a process to end; one that does not is killed.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("the process did not end");
}

/// The directory holds to every law.
#[track_caller]
pub(crate) fn assert_clean(data: &Path) {
    let verified = run(data, &["verify"]);
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
    assert!(verified.out.contains("clean: "), "{}", verified.out);
}
