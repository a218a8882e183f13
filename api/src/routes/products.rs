//! Products, their SKUs, prices and ratings.

pub(crate) mod add_sku;
pub(crate) mod body;
pub(crate) mod bought_together;
pub(crate) mod change;
pub(crate) mod change_sku;
pub(crate) mod change_status;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod on_show;
pub(crate) mod prices;
pub(crate) mod rate;
pub(crate) mod reprice;
pub(crate) mod reprice_sku;
pub(crate) mod show;
pub(crate) mod show_prices;
pub(crate) mod similar;
pub(crate) mod withdraw_sku;
