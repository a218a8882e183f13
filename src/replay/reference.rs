//! Finds orders by their number in another system, from the log alone.

use std::future::pending;
use std::ops::ControlFlow;

use domain::OrderId;
use domain::order::OrderEvent;
use journal::Journal;
use schemas::AnyEvent;

use super::{LogFilter, LogOptions, ReplayError, find, log};

/// Orders that were placed with this reference. Reads the whole log: for when no read model is at
/// hand that knows.
///
/// # Errors
/// `Unreadable` and the journal's own.
pub async fn orders_by_reference(
    journal: &dyn Journal,
    reference: &str,
) -> Result<Vec<OrderId>, ReplayError> {
    let filter = LogFilter { event_type: Some("order.placed".to_owned()), ..LogFilter::default() };
    let (mut found, mut failed) = (Vec::new(), None);
    log(journal, &filter, LogOptions::default(), pending(), &mut |event| {
        // Most orders are of no interest and need not be decoded.
        if !event.payload.contains("\"reference\"") {
            return ControlFlow::Continue(());
        }
        match find::said(event) {
            Ok(said) => {
                found.extend(said.iter().filter_map(|said| match said {
                    AnyEvent::Order(OrderEvent::Placed(placed)) => {
                        let same = placed.reference.as_deref() == Some(reference);
                        same.then_some(placed.order_id)
                    }
                    _ => None,
                }));
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })
    .await?;
    match failed {
        Some(error) => Err(error),
        None => Ok(found),
    }
}
