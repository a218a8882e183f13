//! The buses: the port's promises, and the relay over them through every kind of failure.
//!
//! The tests start nats-servers of their own; `TILLROLL_TEST_NATS_URL` names another for those that
//! do not break it.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(unreachable_pub, reason = "a test program exports nothing")]

mod cluster;
mod conformance;
mod kills;
mod process;
mod rivals;
mod running;
mod set_up;
mod shop;
mod stream_loss;
