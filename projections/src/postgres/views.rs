//! The views that people read; docs/read-models.md says what is in them.
//!
//! They are replaced, never dropped, so that what others built on them stays: a view may only
//! get more columns, at its end.

use crate::directory::Generation;

/// The views of a model, over the schema `{rows}`.
pub(super) fn of(model: &str) -> Option<&'static str> {
    Some(match model {
        "orders" => include_str!("views/orders.sql"),
        "order_history" => include_str!("views/order_history.sql"),
        "checkouts" => include_str!("views/checkouts.sql"),
        "carts" => include_str!("views/carts.sql"),
        "stock" => include_str!("views/stock.sql"),
        "catalogue" => include_str!("views/catalogue.sql"),
        "parties" => include_str!("views/parties.sql"),
        "purchases" => include_str!("views/purchases.sql"),
        "frequently_bought_together" => include_str!("views/frequently_bought_together.sql"),
        _ => return None,
    })
}

/// The views about the models themselves; `serving` has name, generation and schema of each.
pub(super) fn about(views: &str, serving: &[(&str, Generation, String)]) -> String {
    let union = |one: &dyn Fn(&(&str, Generation, String)) -> String| {
        serving.iter().map(one).collect::<Vec<_>>().join(" UNION ALL ")
    };
    let progress = union(&|(model, generation, schema)| {
        format!(
            "SELECT '{model}'::text AS model, {generation}::bigint AS generation, position, \
             model_version, journal_id FROM {schema}.checkpoint"
        )
    });
    let parked = union(&|(model, _, schema)| {
        format!("SELECT '{model}'::text AS model, position, stream, error FROM {schema}.parked")
    });
    format!(
        "CREATE OR REPLACE VIEW {views}.progress AS {progress}; \
         CREATE OR REPLACE VIEW {views}.parked AS {parked}"
    )
}
