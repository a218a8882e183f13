//! Read models: built again from the first event they have the same rows.

use super::{Broken, Evidence};

pub(super) fn rebuilt_is_live(evidence: &Evidence, broken: &mut Broken) {
    for (table, rebuilt) in &evidence.rebuilt {
        let Some(live) = evidence.live.get(table) else {
            broken.push(format!("{table} is missing in the live models"));
            continue;
        };
        if let Some((live, rebuilt)) = live.iter().zip(rebuilt).find(|(a, b)| a != b) {
            broken.push(format!("{table}: live {live}, rebuilt {rebuilt}"));
        } else if live.len() != rebuilt.len() {
            broken.push(format!("{table}: {} rows live, {} rebuilt", live.len(), rebuilt.len()));
        }
    }
    if evidence.live.len() != evidence.rebuilt.len() {
        broken.push("live and rebuilt models have different tables".to_owned());
    }
}
