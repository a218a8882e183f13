//! The whole engine below HTTP in one thread under a seed: shoppers on scarce stock, staff at
//! work, a provider that loses things, a disk that fails and a process that dies at any append.
//! After every run the laws of [`laws`] hold.
//!
//! `TILLROLL_SEEDS=n` runs that many seeds, `TILLROLL_SEED=x` one, `TILLROLL_TRACE=1` prints what
//! happened step by step.

mod acknowledged;
mod chance;
mod checkout_proofs;
mod disk;
mod executor;
mod faults;
mod history;
mod laws;
mod pest;
mod planted_faults;
mod provider;
mod read_models;
mod run;
mod scenario;
mod seeds;
mod shop;
mod shopkeeper;
mod shopper;
mod staff;
mod world;
