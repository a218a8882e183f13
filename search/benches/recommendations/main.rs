//! How good recommendations are, on real orders: hit rate and NDCG at 10 of each customer's last
//! basket, held out.
//!
//! `cargo bench -p search --bench recommendations` reads
//! `online-retail/online_retail.csv.gz` in the directory that `TILLROLL_TEST_DATA` names. Customers
//! are dealt into two halves by a hash. With `-- tune` it tries settings on one half; without, it
//! reports the other half once, with the settings that are the defaults. Models are trained anew
//! for each week on what was ordered before that week.
//!
//! `-- start` measures how long a start takes for a shop of 100,000 products.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement says what it found")]

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
    let tuning = std::env::args().any(|argument| argument == "tune");
    let orders = Arc::new(orders::Orders::read(&file).unwrap());
    strategies::measure(&orders, tuning);
}
