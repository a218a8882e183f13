//! What shoppers look at, are shown and click: hints, which are taken in and answered at once.

pub(crate) mod click;
pub(crate) mod show;
pub(crate) mod view;
