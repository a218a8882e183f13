//! Against a real model, and copies of it with something wrong.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value, json};
use test_servers::sentence_model;

use super::*;
use crate::numbers::dot;

fn model() -> &'static SentenceTransformer {
    static MODEL: OnceLock<SentenceTransformer> = OnceLock::new();
    MODEL.get_or_init(|| SentenceTransformer::load(sentence_model::directory()).unwrap())
}

fn embed(text: &str) -> Vec<f32> {
    model().embed(&[text]).unwrap().remove(0)
}

#[test]
fn gives_the_published_vector() {
    let vector = embed("This is an example sentence");
    assert_eq!((vector.len(), model().dimensions()), (384, 384));
    for (found, published) in vector.iter().zip([0.0677, 0.0635, 0.0487]) {
        assert!((found - published).abs() < 1e-4, "{:?}", &vector[..3]);
    }
    assert!(model().id().starts_with("sentence-384-"), "{}", model().id());
}

#[test]
fn meaning_is_near_and_a_batch_is_as_one_by_one() {
    let long = "a folding chair for the garden, ".repeat(100);
    let texts =
        ["couch", "a comfortable sofa", "cordless drill", "", "  ", &long, "wireless drill"];
    let together = model().embed(&texts).unwrap();
    let near = |a: usize, b: usize| dot(&together[a], &together[b]);
    assert!(near(0, 1) > near(0, 2) + 0.2, "{} {}", near(0, 1), near(0, 2));
    assert!(near(2, 6) > 0.6, "{}", near(2, 6));
    for (text, vector) in texts.iter().zip(&together) {
        let alone = embed(text);
        if text.trim().is_empty() {
            assert_eq!((&alone, vector), (&vec![0.0; 384], &vec![0.0; 384]));
        } else {
            assert!((dot(vector, &alone) - 1.0).abs() < 1e-4, "{text}");
            assert_eq!(embed(text), alone, "the same again");
        }
    }
    assert!(model().embed(&[]).unwrap().is_empty());
    // What is beyond the limit changes nothing.
    assert_eq!(embed(&format!("{long} {long}")), embed(&format!("{long} drill")));
}

/// A directory with the real model's small files, to change; the weights are those given.
fn copy(weights: Option<&[u8]>) -> tempfile::TempDir {
    let copied = tempfile::tempdir().unwrap();
    fs::create_dir(copied.path().join("1_Pooling")).unwrap();
    let files = ["config.json", "modules.json", "sentence_bert_config.json", "tokenizer.json"];
    for file in files.iter().chain(&["1_Pooling/config.json"]) {
        let from = sentence_model::directory().join(file);
        fs::copy(from, copied.path().join(file)).unwrap();
    }
    let path = copied.path().join("model.safetensors");
    match weights {
        Some(weights) => fs::write(path, weights).unwrap(),
        None => {
            std::os::unix::fs::symlink(sentence_model::directory().join("model.safetensors"), path)
                .unwrap()
        }
    }
    copied
}

fn change(path: PathBuf, field: &str, value: Value) {
    let mut json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    json[field] = value;
    fs::write(path, json.to_string()).unwrap();
}

fn error_of(directory: &Path) -> String {
    SentenceTransformer::load(directory).map(drop).unwrap_err().to_string()
}

#[test]
fn a_field_that_is_wrong_is_named_with_its_file() {
    let cases = [
        ("config.json", "model_type", json!("mpnet"), "model_type"),
        (
            "config.json",
            "position_embedding_type",
            json!("relative_key"),
            "position_embedding_type",
        ),
        ("config.json", "hidden_act", json!("swish"), "swish"),
        ("config.json", "hidden_size", json!(-1), "-1"),
        ("config.json", "num_hidden_layers", json!(0), "num_hidden_layers"),
        ("config.json", "num_attention_heads", json!(7), "num_attention_heads"),
        ("config.json", "vocab_size", json!(100), "vocab_size"),
        ("config.json", "max_position_embeddings", json!(2), "max_position_embeddings"),
        ("1_Pooling/config.json", "pooling_mode_max_tokens", json!(true), "max_tokens"),
        ("1_Pooling/config.json", "pooling_mode_mean_tokens", json!(false), "pooling_mode"),
        ("1_Pooling/config.json", "word_embedding_dimension", json!(100), "hidden_size is 384"),
        ("sentence_bert_config.json", "max_seq_length", json!(1), "max_seq_length"),
    ];
    // All of it is noticed before the weights are looked at.
    for (file, field, value, named) in cases {
        let copied = copy(Some(b""));
        change(copied.path().join(file), field, value.clone());
        let error = error_of(copied.path());
        let file = if field == "vocab_size" { "tokenizer.json" } else { file };
        let file = if field.starts_with("max_pos") { "sentence_bert_config.json" } else { file };
        assert!(error.contains(file) && error.contains(named), "{field} {value}: {error}");
    }
    let copied = copy(Some(b""));
    let dense = json!([{"type": "sentence_transformers.models.Dense", "path": "2_Dense"}]);
    fs::write(copied.path().join("modules.json"), dense.to_string()).unwrap();
    let error = error_of(copied.path());
    assert!(error.contains("modules.json") && error.contains("Dense"), "{error}");
}

#[test]
fn a_file_that_is_missing_or_damaged_is_named() {
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let copied = copy(Some(b""));
        fs::remove_file(copied.path().join(file)).unwrap();
        let error = SentenceTransformer::load(copied.path()).map(drop).unwrap_err();
        assert!(matches!(error, EmbedError::Io { .. }) && error.to_string().contains(file));
    }
    for file in ["config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json"] {
        for garbage in ["", "{", "[1]", "\u{0}"] {
            let copied = copy(Some(b""));
            fs::write(copied.path().join(file), garbage).unwrap();
            let error = error_of(copied.path());
            assert!(error.contains(file), "{garbage:?}: {error}");
        }
    }
    let whole = fs::read(sentence_model::directory().join("model.safetensors")).unwrap();
    let head = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut huge = whole[..head].to_vec();
    huge[..8].fill(0xff);
    for damaged in [b"", &whole[..7], &whole[..100], &whole[..head], &whole[..head + 999], &huge] {
        let error = error_of(copy(Some(damaged)).path());
        assert!(error.contains("model.safetensors"), "{error}");
    }
}

#[test]
fn weights_that_do_not_fit_the_configuration_are_refused() {
    for (field, value) in [
        ("hidden_size", json!(192)),
        ("intermediate_size", json!(100)),
        ("num_hidden_layers", json!(7)),
        ("max_position_embeddings", json!(100)),
    ] {
        let copied = copy(None);
        // It says so before the weights do.
        fs::remove_file(copied.path().join("1_Pooling/config.json")).unwrap();
        change(copied.path().join("config.json"), field, value);
        let error = error_of(copied.path());
        assert!(error.contains("model.safetensors: does not fit config.json"), "{error}");
    }
}

#[test]
fn without_the_files_that_may_be_missing_it_is_the_same_but_for_the_first_token() {
    let copied = copy(None);
    let text = "a kettle for tea";
    for file in ["modules.json", "1_Pooling/config.json", "sentence_bert_config.json"] {
        fs::remove_file(copied.path().join(file)).unwrap();
    }
    let plain = SentenceTransformer::load(copied.path()).unwrap();
    assert_eq!(plain.embed(&[text]).unwrap()[0], embed(text));
    assert_ne!(plain.id(), model().id(), "it cuts texts off later");

    let first = json!({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false});
    fs::write(copied.path().join("1_Pooling/config.json"), first.to_string()).unwrap();
    let first = SentenceTransformer::load(copied.path()).unwrap();
    let similarity = dot(&first.embed(&[text]).unwrap()[0], &embed(text));
    assert!(similarity < 0.99, "{similarity}");
    assert_ne!(first.id(), plain.id());
}
