//! The engine as a process of its own, and what processes use.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running engine of one or several nodes, each on a fresh directory; killed when dropped.
pub(crate) struct Engine {
    nodes: Vec<Child>,
    /// Addresses of the nodes, with commas between.
    pub(crate) url: String,
    pub(crate) admin_key: String,
    pub(crate) storefront_key: String,
    _data: tempfile::TempDir,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    pub(crate) cpu_ms: f64,
    pub(crate) rss_mib: f64,
}

impl Use {
    pub(crate) fn since(self, before: Self) -> Self {
        Self { cpu_ms: self.cpu_ms - before.cpu_ms, ..self }
    }
}

const TILLROLL: &str = env!("CARGO_BIN_EXE_tillroll");

/// What nodes of one shop are given alike.
const CREDENTIALS: [&str; 3] = ["api-keys.json", "secrets.json", "master.key"];

impl Engine {
    /// Starts so many nodes with more words on their command lines: other stores than files, say.
    pub(crate) fn start(nodes: usize, words: &[String]) -> Self {
        // On the disk of the build, not on a file system in memory.
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let data = tempfile::tempdir_in(root).unwrap();
        let first = data.path().join("node-0");
        let run = |words: &[&str]| {
            let mut command = Command::new(TILLROLL);
            command.args(words).args(["--log", "error", "--data"]).arg(&first);
            command.stdout(Stdio::piped());
            command
        };
        let key = |role: &str| {
            let made = run(&["keys", "create", "--role", role, "--json"]).output().unwrap();
            let json: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
            json["key"].as_str().unwrap().to_owned()
        };
        let (admin_key, storefront_key) = (key("admin"), key("storefront"));
        assert!(run(&["migrate"]).args(words).status().unwrap().success());
        let mut engine =
            Self { nodes: Vec::new(), url: String::new(), admin_key, storefront_key, _data: data };
        for number in 0..nodes {
            let own = first.with_file_name(format!("node-{number}"));
            if number > 0 {
                fs::create_dir(&own).unwrap();
                for file in CREDENTIALS {
                    fs::copy(first.join(file), own.join(file)).unwrap();
                }
            }
            engine.add(&own, words);
        }
        engine
    }

    fn add(&mut self, data: &Path, words: &[String]) {
        let mut child = Command::new(TILLROLL)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--json", "--data"])
            .arg(data)
            .args(words)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        let comma = if self.url.is_empty() { "" } else { "," };
        self.url += &format!("{comma}{}", said["url"].as_str().unwrap());
        self.nodes.push(child);
    }

    /// By all nodes together.
    pub(crate) fn used(&self) -> Use {
        let each = self.nodes.iter().map(|node| used_by(&node.id().to_string()));
        each.fold(Use { cpu_ms: 0.0, rss_mib: 0.0 }, |sum, one| Use {
            cpu_ms: sum.cpu_ms + one.cpu_ms,
            rss_mib: sum.rss_mib + one.rss_mib,
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for node in &self.nodes {
            let _ = Command::new("kill").args(["-TERM", &node.id().to_string()]).status();
        }
        let until = Instant::now() + Duration::from_secs(10);
        for node in &mut self.nodes {
            while Instant::now() < until && !matches!(node.try_wait(), Ok(Some(_))) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

pub(crate) fn used_by_me() -> Use {
    used_by("self")
}

/// From /proc: clock ticks of user and system time (100 a second on Linux), and resident memory.
fn used_by(process: &str) -> Use {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: f64 =
        after_name.split(' ').skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let rss_kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or(f64::NAN);
    Use { cpu_ms: ticks * 10.0, rss_mib: rss_kib / 1024.0 }
}

/// Cores, processor and load of the machine, as one line.
pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    format!("{cores} cores, {}, load before {load}", model.unwrap_or("unknown processor"))
}
