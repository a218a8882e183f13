//! Goods on their way back.

pub(crate) mod receive;
pub(crate) mod reject;
pub(crate) mod show;
