//! The API from outside, over a journal and read models in memory.

mod access;
mod browsing;
mod checkout;
mod described;
mod description;
mod guests;
mod operators;
mod people;
mod problems;
mod reading;
mod recommendations;
mod search;
mod search_refusals;
mod sellers;
mod shop;
