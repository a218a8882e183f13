//! Holds the frozen schemas and samples to the code, and the code to them.

mod compatibility;
mod frozen;
mod samples;
mod validate;
