//! How events become answers: one file for each read model, the runner that feeds them all in
//! one pass over the log, their stores, and the shadow rebuild.
//!
//! Nothing here sends commands or is read by a decision.

mod projector;

pub use projector::{Envelope, Projector, StoreError};
