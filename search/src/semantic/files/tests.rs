//! What is on the disk when the program ends at one point or another.

use proptest::prelude::*;

use super::*;

fn index(of: &str) -> VectorIndex {
    let mut index = VectorIndex::new(of, 2).unwrap();
    index.insert(1, &[1.0, 0.0]).unwrap();
    index
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = (fs::read_dir(directory).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_is_saved_is_read_back_and_damage_is_seen(
        entries in prop::collection::hash_map(any::<u64>(), (any::<u128>(), any::<u64>()), 0..20),
        trained_on in prop::collection::hash_set(any::<u64>(), 0..20),
        model in any::<u64>(),
        damage in any::<prop::sample::Index>(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::of(directory.path()).unwrap();
        prop_assert!(files.load().unwrap().is_none());
        let embedded: HashMap<u64, Embedded> = entries
            .into_iter()
            .map(|(number, (id, hash))| {
                (number, Embedded { product_id: ProductId::new(Uuid::from_u128(id)), hash })
            })
            .collect();
        let saved = Saved { model, vectors: 0, embedded, trained_on };
        files.save(saved.clone(), &index("m")).unwrap();
        prop_assert_eq!(files.load().unwrap(), Some(Saved { vectors: 1, ..saved }));
        let mut bytes = fs::read(files.names()).unwrap();
        let at = damage.index(bytes.len());
        bytes[at] ^= 1;
        fs::write(files.names(), bytes).unwrap();
        prop_assert!(files.load().unwrap().is_none());
    }
}

#[test]
fn what_is_named_stays_whole_until_another_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::of(directory.path()).unwrap();
    let saved = Saved { model: 1, ..Saved::default() };
    fs::write(files.model(1), "model").unwrap();
    files.save(saved.clone(), &index("old")).unwrap();
    let old = files.load().unwrap().unwrap();
    assert_eq!((old.model, old.vectors), (1, 2));
    // Another was begun, and the program ended.
    fs::write(files.model(3), "other").unwrap();
    index("new").save(&files.vectors(4)).unwrap();
    assert_eq!(files.load().unwrap().unwrap(), old);
    assert!(VectorIndex::load(&files.vectors(old.vectors), "old", 2).is_ok());
    files.sweep(&[files.model(3)]);
    let kept = ["vectors.1.model", "vectors.2.index", "vectors.3.model", "vectors.texts"];
    assert_eq!(names(directory.path()), kept);
    files.save(Saved { model: 3, ..saved }, &index("new")).unwrap();
    files.sweep(&[]);
    assert_eq!(names(directory.path()), ["vectors.3.model", "vectors.4.index", "vectors.texts"]);
}

/// Every write into it fails as on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_save_that_fails_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::of(directory.path()).unwrap();
    files.save(Saved::default(), &index("old")).unwrap();
    let before = names(directory.path());
    for _ in 0..3 {
        let part = directory.path().join("vectors.texts.part");
        std::os::unix::fs::symlink("/dev/full", part).unwrap();
        assert!(files.save(Saved::default(), &index("new")).is_err());
        assert_eq!(names(directory.path()), before);
    }
    files.save(Saved::default(), &index("new")).unwrap();
}

#[test]
fn what_was_made_elsewhere_takes_the_place_of_what_is_here() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::of(directory.path()).unwrap();
    let other = Files::of(&files.anew()).unwrap();
    files.save(Saved::default(), &index("old")).unwrap();
    assert!(!files.take_over(&other).unwrap(), "nothing was made");
    fs::write(other.model(1), "model").unwrap();
    other.save(Saved { model: 1, ..Saved::default() }, &index("new")).unwrap();
    assert!(files.take_over(&other).unwrap());
    let now = files.load().unwrap().unwrap();
    assert!(VectorIndex::load(&files.vectors(now.vectors), "new", 2).is_ok());
    assert_eq!(fs::read_to_string(files.model(now.model)).unwrap(), "model");
    assert_eq!(
        names(directory.path()),
        ["anew", "vectors.2.index", "vectors.2.model", "vectors.texts"]
    );
}

#[test]
fn one_process_writes() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::of(directory.path()).unwrap();
    let lock = files.lock().unwrap();
    assert!(lock.is_some() && files.lock().unwrap().is_none());
    drop(lock);
    assert!(files.lock().unwrap().is_some());
}
