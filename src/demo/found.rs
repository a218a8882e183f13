//! The shop of an earlier demo, found again in its journal.

use commands::Metadata;
use domain::customer::CustomerEvent;
use domain::product::ProductEvent;
use journal::{Journal, Position};
use schemas::AnyEvent;

use super::{DEMO, DemoCustomer, DemoError, Shop};

/// A demo sets its shop up before anything else, in fewer events than this.
const SET_UP_EVENTS: usize = 4_096;

/// The shop that a demo set up in this journal; `None` if the journal is another shop's.
pub async fn find(journal: &dyn Journal) -> Result<Option<Shop>, DemoError> {
    let mut shop = Shop { skus: Vec::new(), products: Vec::new(), customers: Vec::new() };
    // A customer's events come in this order, one after the other.
    let (mut registered, mut lives_at) = (None, None);
    for event in journal.read_all(Position(0), SET_UP_EVENTS).await? {
        let by_demo = serde_json::from_str::<Metadata>(&event.metadata)
            .is_ok_and(|metadata| &*metadata.actor == DEMO);
        if !by_demo {
            continue;
        }
        let said = schemas::decode_any_all(
            event.event_type.as_str(),
            event.schema_version,
            &event.payload,
        );
        for said in said.map_err(|error| DemoError::Generated(error.to_string()))? {
            match said {
                AnyEvent::Product(ProductEvent::Created { product_id, .. }) => {
                    shop.products.push(product_id);
                }
                AnyEvent::Product(ProductEvent::SkuAdded { sku_id, .. }) => shop.skus.push(sku_id),
                AnyEvent::Customer(CustomerEvent::Registered { customer_id, .. }) => {
                    registered = Some(customer_id);
                }
                AnyEvent::Customer(CustomerEvent::AddressAdded(address)) => {
                    lives_at = Some(address.address_id);
                }
                AnyEvent::Customer(CustomerEvent::PaymentMethodAdded(method)) => {
                    if let (Some(customer_id), Some(address_id)) =
                        (registered.take(), lives_at.take())
                    {
                        let payment_method_id = method.payment_method_id;
                        shop.customers.push(DemoCustomer {
                            customer_id,
                            address_id,
                            payment_method_id,
                        });
                    }
                }
                _ => {}
            }
        }
    }
    let whole = shop.skus.len() > 13 && shop.customers.len() > 1;
    Ok(whole.then_some(shop))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test panics")]
mod tests {
    use super::*;
    use crate::compose::{Node, NodeOptions};
    use crate::demo;

    #[tokio::test]
    async fn the_shop_of_an_earlier_demo_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let options = NodeOptions::new(directory.path());
        let node = Node::open(&options).unwrap();
        assert!(find(node.journal.as_ref()).await.unwrap().is_none());
        let shop = demo::set_up(&node.engine).await.unwrap();
        demo::first_order(&node.engine, &shop).await.unwrap();
        node.close().await.unwrap();

        let node = Node::open(&options).unwrap();
        let found = find(node.journal.as_ref()).await.unwrap().unwrap();
        assert_eq!(found, shop);
        let order = demo::first_order(&node.engine, &found).await.unwrap();
        assert_eq!(order.settled.status.to_string(), "confirmed");
        node.close().await.unwrap();
    }
}
