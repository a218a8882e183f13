//! What a trained embedder learns from small catalogues with a meaning.

use super::*;
use crate::numbers::Random;

/// Things of a kind, with words for them and words that go with them. In no text are two names of
/// the same thing: only their company tells that they are.
const KINDS: &[(&[&str], &[&str])] = &[
    (&["sofa", "couch", "settee"], &["cushion", "upholstered", "armrest", "living", "seat"]),
    (&["kettle", "teapot", "urn"], &["boil", "tea", "spout", "kitchen", "litre"]),
    (&["drill", "screwdriver", "hammer"], &["tool", "chuck", "torque", "workshop", "steel"]),
    (&["tent", "tarp", "bivouac"], &["camping", "waterproof", "poles", "pegs", "hiking"]),
    (&["notebook", "journal", "diary"], &["paper", "pages", "ruled", "writing", "bound"]),
];

/// Texts of a name and three words that go with it, and words that go with anything.
fn catalogue(count: usize) -> Vec<String> {
    let mut random = Random::new(5);
    (0..count)
        .map(|number| {
            let (names, company) = KINDS[number % KINDS.len()];
            let mut pick = |from: &[&str]| from[random.below(from.len())].to_owned();
            let mut words = vec![pick(names)];
            words.extend((0..3).map(|_| pick(company)));
            words.extend((0..2).map(|_| pick(&["new", "quality", "great", "gift", "the", "with"])));
            words.join(" ")
        })
        .collect()
}

fn train(texts: &[String], baskets: &[Vec<u32>]) -> TrainedEmbedder {
    let options = TrainingOptions { dimensions: 16, ..TrainingOptions::default() };
    let mut trainer = Trainer::new(options);
    for text in texts {
        trainer.text(&[Field { text, weight: 1.0 }]);
    }
    baskets.iter().for_each(|basket| trainer.basket(basket));
    trainer.train()
}

fn similarity(model: &TrainedEmbedder, a: &str, b: &str) -> f32 {
    dot(&model.embed_text(a), &model.embed_text(b))
}

#[test]
fn names_of_the_same_thing_are_near_though_never_seen_together() {
    let model = train(&catalogue(1_000), &[]);
    for (kind, (names, company)) in KINDS.iter().enumerate() {
        for (other, (other_names, _)) in KINDS.iter().enumerate() {
            for name in *names {
                let near = similarity(&model, names[0], name);
                let far = similarity(&model, names[0], other_names[1]);
                if kind != other {
                    assert!(near > 0.5 && far < 0.3, "{} {name}: {near}, {far}", names[0]);
                }
            }
        }
        let question = format!("the {} with great {}", names[1], company[0]);
        let near = similarity(&model, &question, &format!("new {} {}", names[2], company[1]));
        assert!(near > 0.5, "{question}: {near}");
    }
}

#[test]
fn plurals_and_misspelt_words_land_near_what_was_meant() {
    let model = train(&catalogue(1_000), &[]);
    for (word, meant, other) in
        [("sofas", "couch", "drill"), ("ketle", "teapot", "tent"), ("screwdrivr", "drill", "diary")]
    {
        assert!(!model.numbers.contains_key(word));
        let (near, far) = (similarity(&model, word, meant), similarity(&model, word, other));
        assert!(near > 0.5 && far < 0.3, "{word}: {near}, {far}");
    }
    assert_eq!(model.embed_text("qqq"), [0.0; 16]);
    // A word that nothing is like changes nothing.
    assert_eq!(model.embed_text("sofa qqq"), model.embed_text("sofa"));
}

#[test]
fn what_is_bought_together_comes_closer() {
    let texts = catalogue(1_000);
    let plain = train(&texts, &[]);
    // Whoever buys a tent buys a kettle.
    let baskets: Vec<Vec<u32>> =
        (0..200u32).map(|number| vec![number * 5 + 1, number * 5 + 3, 4_000_000]).collect();
    let bought = train(&texts, &baskets);
    let (before, after) =
        (similarity(&plain, "kettle", "tent"), similarity(&bought, "kettle", "tent"));
    assert!(after > before + 0.1, "{before} became {after}");
    let apart = similarity(&bought, "sofa", "tent");
    assert!(apart < after, "{apart}");
    assert_ne!(plain.id(), bought.id());
}

#[test]
fn the_same_input_gives_the_same_model_and_other_input_another() {
    let texts = catalogue(200);
    let model = train(&texts, &[vec![1, 2]]);
    let again = train(&texts, &[vec![1, 2]]);
    assert_eq!(model.id(), again.id());
    assert_eq!(model.vectors, again.vectors);
    assert_eq!(model.common, again.common);
    assert!(model.id().starts_with("trained-16-") && model.id().len() == 27, "{}", model.id());
    let mut ids = vec![model.id, train(&texts, &[]).id, train(&texts[1..], &[vec![1, 2]]).id];
    ids.push(train(&texts, &[vec![2, 1]]).id);
    for (dimensions, weight) in [(17, 1.0), (16, 2.0)] {
        let options = TrainingOptions { dimensions, ..TrainingOptions::default() };
        let mut trainer = Trainer::new(options);
        texts.iter().for_each(|text| trainer.text(&[Field { text, weight }]));
        ids.push(trainer.train().id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6, "{ids:?}");
}

#[test]
fn a_catalogue_of_nothing_or_little_is_no_error() {
    let nothing = train(&[], &[vec![0, 7]]);
    assert_eq!((nothing.word_count(), nothing.embed_text("kettle")), (0, vec![0.0; 16]));
    for texts in [&["", "  "][..], &["kettle"], &["kettle", "kettle"]] {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let model = train(&texts, &[vec![0], vec![0, 0, 1]]);
        // Alone, a word keeps no company to be known by.
        assert_eq!(model.embed_text("kettle"), [0.0; 16]);
    }
    let one = train(&["electric kettle".to_owned()], &[]);
    assert!((similarity(&one, "electric kettle", "kettle") - 1.0).abs() < 1e-5);
    let two = train(&["electric kettle".to_owned(), "red sofa".to_owned()], &[]);
    assert!(similarity(&two, "kettles", "electric") > 0.9);
    assert!(similarity(&two, "kettle", "sofa") < 0.1);
}

#[test]
fn every_vector_has_length_one_or_none() {
    let model = train(&catalogue(300), &[]);
    let texts = catalogue(40);
    let texts: Vec<&str> = texts.iter().map(String::as_str).chain(["", "qqq", "the"]).collect();
    for (text, vector) in texts.iter().zip(model.embed(&texts).unwrap()) {
        let length = dot(&vector, &vector);
        assert!(length == 0.0 || (length - 1.0).abs() < 1e-5, "{text}: {length}");
        assert_eq!(vector.len(), model.dimensions());
        assert_eq!(vector, model.embed_text(text), "in a batch as alone");
    }
}

#[test]
fn weights_and_limits_are_kept_to() {
    let options =
        TrainingOptions { dimensions: 0, words_max: 2, texts_min: 2, ..TrainingOptions::default() };
    let mut trainer = Trainer::new(options);
    for other in ["a", "b"] {
        trainer.text(&[
            Field { text: "kettle kettle lamp", weight: 1.0 },
            Field { text: other, weight: 2.0 },
            Field { text: "left out", weight: f32::NAN },
            Field { text: "left out", weight: 0.0 },
        ]);
    }
    let model = trainer.train();
    assert_eq!(model.words, ["kettle", "lamp"]);
    assert_eq!(model.dimensions(), 1);
    assert_eq!(model.shares, [0.5, 0.5]);
}

#[test]
fn it_tells_how_much_of_a_text_it_knows() {
    let model = train(&catalogue(1_000), &[]);
    for known in ["sofa", "couch cushion", "sofas", "ketle", "the waterproof tent"] {
        assert_eq!(model.known_share(known), 1.0, "{known}");
    }
    for unknown in ["", "?", "Schraubenschlüssel Satz", "чайник", "sat nav", "the Staubsauger"]
    {
        assert!(model.known_share(unknown) < 0.5, "{unknown}: {}", model.known_share(unknown));
    }
    // Of two words one that it never saw counts for more than one that is everywhere.
    assert!(model.known_share("sofa Staubsauger") < 0.5);
}
