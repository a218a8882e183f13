//! Orders: placed, read, and moved on.

pub(crate) mod body;
pub(crate) mod cancel;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod list_refunds;
pub(crate) mod place;
pub(crate) mod process;
pub(crate) mod refund;
pub(crate) mod request_return;
pub(crate) mod ship;
pub(crate) mod show;
pub(crate) mod standing;
