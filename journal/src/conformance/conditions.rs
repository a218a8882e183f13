//! Checks of what an append may be made to depend on: streams that were read, and leases.

use std::time::Duration;

use chrono::DateTime;
use uuid::Uuid;

use super::sample::{
    all, append, cart, committed, event, group, named, positions, single, stream, unit,
};
use crate::{
    Fence, Group, Journal, JournalError, Leases, Position, StreamId, Unit, Verdict, Version,
};

fn reading(reads: &[(StreamId, Version)], groups: Vec<Group>) -> Unit {
    Unit { reads: reads.to_vec(), ..unit(groups) }
}

pub(super) async fn what_was_read_must_still_hold(journal: &dyn Journal) {
    committed(journal, single(&cart(1), 0, 2)).await;
    let rests_on = |version| reading(&[(cart(1), version)], vec![group(&named("p"), 0, 1)]);
    let conflict = |expected| Verdict::Conflict { stream: cart(1), expected, actual: 2 };
    assert_eq!(append(journal, vec![rests_on(1)]).await, [conflict(1)], "an old version");
    assert_eq!(append(journal, vec![rests_on(3)]).await, [conflict(3)], "one that never was");
    let unknown = reading(&[(cart(1), 0)], vec![group(&named("p"), 0, 1)]);
    assert_eq!(append(journal, vec![unknown]).await, [conflict(0)], "a stream taken for new");
    assert_eq!(journal.head(), Position(2), "a conflict leaves nothing");
    let both = reading(&[(cart(1), 2), (cart(9), 0)], vec![group(&named("p"), 0, 1)]);
    committed(journal, both).await;
    assert_eq!(stream(journal, &cart(1)).await.len(), 2, "a stream that was read stays as it is");
}

pub(super) async fn a_unit_resting_on_a_refused_one_is_refused(journal: &dyn Journal) {
    committed(journal, single(&cart(1), 0, 1)).await;
    // The second would rest on the first, whose stream somebody else has written meanwhile.
    let first = single(&cart(1), 0, 1);
    let second = reading(&[(cart(1), 2)], vec![group(&named("second"), 0, 1)]);
    let third = reading(&[(named("second"), 1)], vec![group(&named("third"), 0, 1)]);
    let verdicts = append(journal, vec![first, second, third]).await;
    assert!(
        verdicts.iter().all(|verdict| matches!(verdict, Verdict::Conflict { .. })),
        "{verdicts:?}"
    );
    let first = single(&cart(1), 1, 1);
    let second = reading(&[(cart(1), 2)], vec![group(&named("second"), 0, 1)]);
    let third = reading(&[(named("second"), 1)], vec![group(&named("third"), 0, 1)]);
    for verdict in append(journal, vec![first, second, third]).await {
        positions(&verdict);
    }
}

pub(super) async fn what_only_reads_is_told_whether_it_holds(journal: &dyn Journal) {
    let nothing_yet = reading(&[(cart(1), 0)], Vec::new());
    let at = |position| Verdict::Holds { at: Position(position) };
    assert_eq!(append(journal, vec![nothing_yet.clone()]).await, [at(0)]);
    let units = vec![
        single(&cart(1), 0, 3),
        nothing_yet,
        reading(&[(cart(1), 3), (cart(2), 0)], Vec::new()),
        single(&cart(2), 0, 1),
    ];
    let verdicts = append(journal, units).await;
    positions(&verdicts[0]);
    let conflict = Verdict::Conflict { stream: cart(1), expected: 0, actual: 3 };
    assert_eq!(verdicts[1], conflict, "it sees what comes before it in the call");
    assert_eq!(verdicts[2], at(3), "and nothing that comes after");
    assert_eq!(positions(&verdicts[3]), (4, 4));
    for broken in [
        Unit::new(Vec::new(), "{}".into()),
        reading(&[(cart(1), 3), (cart(1), 3)], Vec::new()),
        reading(&[(cart(1), 3)], vec![group(&cart(1), 3, 1)]),
    ] {
        let answer = journal.append(vec![broken]).await;
        assert!(matches!(answer, Err(JournalError::Invalid(_))), "{answer:?}");
    }
}

pub(super) async fn a_copy_keeps_when_it_was_recorded(journal: &dyn Journal) {
    let recorded = DateTime::from_timestamp_micros(1_600_000_000_123_456).expect("a time");
    let groups = vec![group(&cart(1), 0, 2), group(&cart(2), 0, 1)];
    committed(journal, Unit { recorded: Some(recorded), ..unit(groups) }).await;
    // Of one call, and with the same metadata.
    let later = recorded + chrono::TimeDelta::seconds(1);
    let mut units = vec![single(&cart(3), 0, 1), single(&cart(3), 1, 1), single(&cart(1), 2, 1)];
    (units[0].recorded, units[1].recorded) = (Some(recorded), Some(later));
    units.iter_mut().for_each(|unit| unit.metadata = "{}".into());
    append(journal, units).await;
    let events = all(journal).await;
    assert!(events[..4].iter().all(|event| event.recorded == recorded), "{events:?}");
    assert_eq!(events[4].recorded, later);
    assert!(events[5].recorded != recorded && events[5].recorded != later);
    let reread = stream(journal, &cart(3)).await;
    assert_eq!([reread[0].recorded, reread[1].recorded], [recorded, later]);
}

fn fenced(lease: &str, epoch: u64, stream: &StreamId, expected: Version) -> Unit {
    let fence = Some(Fence { lease: lease.into(), epoch });
    let group = Group { stream: stream.clone(), expected, events: vec![event()] };
    Unit { fence, ..unit(vec![group]) }
}

pub(super) async fn a_lease_has_one_owner_and_fences_the_last(journal: &dyn Journal) {
    let Some(leases) = journal.leases() else {
        assert!(!journal.properties().several_writers, "whoever shares a journal grants leases");
        let answer = journal.append(vec![fenced("agenda", 1, &cart(1), 0)]).await;
        assert!(matches!(answer, Err(JournalError::Invalid(_))), "{answer:?}");
        return;
    };
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let long = Duration::from_secs(600);
    let hold = async |owner| leases.hold("agenda", owner, long).await.expect("an answer");
    assert_eq!(hold(first).await, Some(1));
    assert_eq!(hold(second).await, None, "it is taken");
    assert_eq!(hold(first).await, Some(1), "renewed");
    let other = leases.hold("relay", second, long).await.expect("an answer");
    assert_eq!(other, Some(1), "each lease is its own");
    committed(journal, fenced("agenda", 1, &cart(1), 0)).await;
    leases.release("agenda", second).await.expect("it is not the second's to end");
    assert_eq!(hold(second).await, None);
    leases.release("agenda", first).await.expect("released");
    committed(journal, fenced("agenda", 1, &cart(1), 1)).await;
    assert_eq!(hold(second).await, Some(2), "free at once");
    let late = fenced("agenda", 1, &cart(1), 2);
    let verdicts = append(journal, vec![late, fenced("agenda", 2, &cart(1), 2)]).await;
    assert_eq!(verdicts[0], Verdict::Fenced { epoch: 2 });
    positions(&verdicts[1]);
    let unknown = append(journal, vec![fenced("nobody's", 1, &cart(1), 3)]).await;
    assert_eq!(unknown, [Verdict::Fenced { epoch: 0 }]);
}

pub(super) async fn a_lease_that_is_not_renewed_ends(leases: &dyn Leases) {
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let short = leases.hold("short", first, Duration::ZERO).await.expect("an answer");
    assert_eq!(short, Some(1));
    let again = leases.hold("short", first, Duration::ZERO).await.expect("an answer");
    assert_eq!(again, Some(1), "nobody came in between");
    let taken = leases.hold("short", second, Duration::from_secs(600)).await.expect("an answer");
    assert_eq!(taken, Some(2));
    let back = leases.hold("short", first, Duration::from_secs(600)).await.expect("an answer");
    assert_eq!(back, None);
}
