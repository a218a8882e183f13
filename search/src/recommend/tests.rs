//! The recommender as a whole, over shops small enough to be looked through.

mod home;
mod shop;
mod similar;
