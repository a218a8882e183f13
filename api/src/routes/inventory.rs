//! Stock: what is on hand, where, and why it changed.

pub(crate) mod body;
pub(crate) mod change_policy;
pub(crate) mod count;
pub(crate) mod level;
pub(crate) mod receive;
pub(crate) mod set_unavailable;
pub(crate) mod show;
pub(crate) mod write_off;
