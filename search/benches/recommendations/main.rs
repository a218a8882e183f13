//! How good recommendations are, on real orders: hit rate and NDCG at 10 of each customer's last
//! basket, held out.
//!
//! `cargo bench -p search --bench recommendations` reads
//! `online-retail/online_retail.csv.gz` in the directory that `TILLROLL_TEST_DATA` names. Customers
//! are dealt into two halves by a hash. With `-- tune` it tries settings on one half; without, it
//! reports the other half once, with the settings that are the defaults. Models are trained anew
//! for each week on what was ordered before that week.
//!
//! `-- floor` shows how near the nearest product is to questions that fit the shop and to others that
//! do not, by vectors learned from the products' names; and by a sentence transformer's, with `--features
//! sentence-transformer` and `TILLROLL_TEST_SENTENCE_MODEL`.
//!
//! `-- start` measures how long a start takes for a shop of 100,000 products.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement says what it found")]

mod floor;
mod orders;
mod replay;
mod score;
mod shop;
mod start;
mod strategies;

use std::path::PathBuf;
use std::sync::Arc;

fn main() {
    if std::env::args().any(|argument| argument == "start") {
        return start::measure();
    }
    let directory = std::env::var_os("TILLROLL_TEST_DATA").map(PathBuf::from);
    let file = directory.map(|directory| directory.join("online-retail/online_retail.csv.gz"));
    let Some(file) = file.filter(|file| file.is_file()) else {
        println!("NOT MEASURED: TILLROLL_TEST_DATA must name the directory that has");
        println!(
            "              online-retail/online_retail.csv.gz in it (the README says where it is)."
        );
        return;
    };
    // `tune`, and perhaps a part of the names of the settings to try.
    let arguments: Vec<String> = std::env::args().collect();
    let tune = arguments.iter().position(|argument| argument == "tune");
    let only = tune.and_then(|tune| arguments.get(tune + 1)).filter(|word| !word.starts_with('-'));
    let orders = Arc::new(orders::Orders::read(&file).unwrap());
    if arguments.iter().any(|argument| argument == "floor") {
        return floor::measure(&orders);
    }
    strategies::measure(&orders, tune.is_some(), only.map(String::as_str));
}
