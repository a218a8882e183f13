//! The systemd unit and its settings.

use std::process::Command;

use super::commands::are_arguments;
use super::documents::text;
use super::{have, not_checked};

fn unit() -> String {
    text("deploy/tillroll.service")
}

fn setting<'a>(unit: &'a str, name: &str) -> &'a str {
    let found = unit.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("{name} is not set"))
}

#[test]
fn the_unit_starts_the_engine_where_it_keeps_its_data() {
    let unit = unit();
    let start: Vec<&str> = setting(&unit, "ExecStart").split(' ').collect();
    assert!(start[0].ends_with("/tillroll"));
    are_arguments(&start[1..]);
    let state = setting(&unit, "StateDirectory");
    assert_eq!(setting(&unit, "Environment"), format!("TILLROLL_DATA=/var/lib/{state}"));
    let file = setting(&unit, "EnvironmentFile");
    assert!(
        unit.contains(&format!("deploy/tillroll.env {file}\n")),
        "the head says where to put it"
    );
    // The committing thread asks for priority 1: allowed by the limit, and by the filter of calls.
    assert_eq!(setting(&unit, "LimitRTPRIO"), "1");
    assert!(!unit.contains("RestrictRealtime=yes") && !unit.contains("~@resources"));
    let stop: u64 = setting(&unit, "TimeoutStopSec").trim_end_matches('s').parse().unwrap();
    assert!(stop >= api::HttpOptions::default().shutdown_timeout.as_secs() + 20);
}

#[test]
fn every_line_of_the_settings_is_one() {
    let text = text("deploy/tillroll.env");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        let (name, value) = line.trim_start_matches('#').split_once('=').expect(line);
        super::commands::is_setting(name);
        assert!(!value.is_empty() && !value.contains(['"', '\'', ' ']), "{line}");
    }
}

#[test]
fn systemd_has_nothing_to_say_against_the_unit() {
    if !have("systemd-analyze", "systemd") {
        return not_checked("systemd-analyze cannot be installed, so it does not read the unit");
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tillroll.service");
    let unit = unit();
    let start = setting(&unit, "ExecStart").split(' ').next().unwrap();
    let here = unit.replace(start, env!("CARGO_BIN_EXE_tillroll"));
    let verify = |unit: &str| {
        std::fs::write(&path, unit).unwrap();
        let done = Command::new("systemd-analyze").arg("verify").arg(&path).output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (good, said) = verify(&here);
    // It reads other units too, and has something to say about some of them.
    let ours = said.lines().filter(|line| line.contains("tillroll")).collect::<Vec<_>>();
    assert!(good && ours.is_empty(), "{said}");
    let (_, said) = verify(&here.replace("ProtectSystem=", "ProtectSystems="));
    assert!(said.contains("ProtectSystems"), "a mistake is not found: {said}");
}
