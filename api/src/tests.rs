//! The API from outside, over a journal and read models in memory.

mod access;
mod checkout;
mod description;
mod people;
mod problems;
mod shop;
