//! This program again, for what must be measured in a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use journal::{Category, Journal, Options, SqliteJournal, StreamId};
use uuid::Uuid;

use crate::shop::{self, Shop};

const TASK: &str = "TILLROLL_GROWTH_TASK";
const JOURNAL: &str = "TILLROLL_GROWTH_JOURNAL";
/// Enough that a save of stream heads is under way and another one due: the most that a
/// start after a crash can have to read.
const EVENTS_BEFORE_CRASH: usize = 130_000;

pub(crate) struct Started {
    pub(crate) took: Duration,
    pub(crate) resident_mib: f64,
}

/// The task and the journal, when this process was started for one.
pub(crate) fn task() -> Option<(String, PathBuf)> {
    Some((std::env::var(TASK).ok()?, PathBuf::from(std::env::var_os(JOURNAL)?)))
}

pub(crate) fn run(task: &str, path: &Path) {
    let began = Instant::now();
    let journal = SqliteJournal::open(path, Options::default()).unwrap();
    let took = began.elapsed();
    if task == "start" {
        println!("{} {}", took.as_micros(), resident_mib());
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut shop = Shop::default();
    for _ in 0..EVENTS_BEFORE_CRASH / 500 {
        let group = |shop: &mut Shop| {
            let stream = StreamId::of_uuid(Category::from_static("lost"), Uuid::now_v7());
            shop.group(stream, 0, 5)
        };
        let units = (0..100).map(|_| shop::unit(vec![group(&mut shop)])).collect();
        runtime.block_on(journal.append(units)).unwrap();
    }
    std::process::abort();
}

pub(crate) fn start(path: &Path) -> Started {
    let output = child("start", path).stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (micros, resident) = text.trim().split_once(' ').unwrap();
    Started {
        took: Duration::from_micros(micros.parse().unwrap()),
        resident_mib: resident.parse().unwrap(),
    }
}

/// Lets a process append to the journal and die without closing it.
pub(crate) fn crash(path: &Path) {
    let status = child("crash", path).status().unwrap();
    assert!(!status.success());
}

fn child(task: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(TASK, task).env(JOURNAL, path);
    command
}

/// Makes the next start read the file from the disk. Needs GNU `dd`.
pub(crate) fn drop_cached_pages(path: &Path) {
    let mut from = std::ffi::OsString::from("if=");
    from.push(path);
    let dropped =
        Command::new("dd").arg(from).args(["iflag=nocache", "count=0", "status=none"]).status();
    if !dropped.is_ok_and(|status| status.success()) {
        println!("(without `dd` the cold start is a warm one)");
    }
}

/// Memory of this process which is in use.
pub(crate) fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// Processor time of this process so far, in steps of 10 ms.
pub(crate) fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
