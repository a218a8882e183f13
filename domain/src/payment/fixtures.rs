//! Payments for tests.
