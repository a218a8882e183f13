//! What to show whom: products like a product, and a page of one's own for each customer.
//!
//! Everything is kept in memory and may be thrown away: it follows from the read models of purchases
//! and from the journals of browsing. Whoever composes the program feeds it with changes of the
//! catalogue, orders, views, impressions and clicks, and calls [`Recommender::work`] in the
//! background; reading takes what is ready.

mod candidates;
mod click_through;
mod decay;
mod diversity;
mod models;
mod page;
mod popularity;
mod purchases;
mod recommender;
mod settings;
mod similar;
mod table;
mod taste;
mod together;
mod views;

#[cfg(test)]
mod tests;

pub use candidates::{Because, Suggestion};
pub use click_through::ClickThroughSettings;
pub use purchases::{Basket, Bought, Purchases, PurchasesError};
pub use recommender::{RecommendError, RecommendProgress, Recommender, Similar};
pub use settings::{Diversity, RecommendSettings, Weights};
pub use similar::Likeness;
