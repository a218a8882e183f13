//! The engine as a process of its own, and what processes use.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running engine on a fresh directory; killed when dropped.
pub(crate) struct Engine {
    child: Child,
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

impl Engine {
    /// Starts one with more words on its command line: other stores than files, say.
    pub(crate) fn start(words: &[String]) -> Self {
        // On the disk of the build, not on a file system in memory.
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let data = tempfile::tempdir_in(root).unwrap();
        let key = |role: &str| {
            let made = Command::new(TILLROLL)
                .args(["keys", "create", "--role", role, "--json", "--log", "error", "--data"])
                .arg(data.path())
                .output()
                .unwrap();
            let json: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
            json["key"].as_str().unwrap().to_owned()
        };
        let (admin_key, storefront_key) = (key("admin"), key("storefront"));
        let migrated = Command::new(TILLROLL)
            .args(["migrate", "--data"])
            .arg(data.path())
            .args(words)
            .status();
        assert!(migrated.unwrap().success());
        let mut child = Command::new(TILLROLL)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--json", "--data"])
            .arg(data.path())
            .args(words)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        let url = said["url"].as_str().unwrap().to_owned();
        Self { child, url, admin_key, storefront_key, _data: data }
    }

    pub(crate) fn used(&self) -> Use {
        used_by(&self.child.id().to_string())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
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
