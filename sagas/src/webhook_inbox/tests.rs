//! Whose word counts about which payment.

use std::collections::BTreeMap;
use std::sync::Arc;

use commands::{Bus, BusOptions, NoSnapshots, SystemClock, SystemIds, TokioSpawner, TokioTimer};
use domain::order::{Actor, OrderEvent, OrderTotals, PlacedOrder};
use domain::payment::PaymentEvent;
use domain::{Currency, PaymentId, Sealed};
use journal::MemoryJournal;

use super::*;
use crate::engine::EngineParts;
use crate::key_store::MemoryKeyStore;

/// An order whose payment at `sandbox` waits for its authorization's answer.
async fn order_being_paid() -> (Engine, OrderId, PaymentId, String) {
    let (bus, desk) = Bus::new(
        Arc::new(MemoryJournal::new()),
        Arc::new(NoSnapshots),
        Arc::new(SystemClock),
        Arc::new(SystemIds::seeded(1)),
        BusOptions::default(),
    );
    tokio::spawn(desk);
    let (order_id, payment_id): (OrderId, PaymentId) = (bus.new_id(), bus.new_id());
    let total_minor = 500;
    let placed = OrderEvent::Placed(Box::new(PlacedOrder {
        order_id,
        cart_id: bus.new_id(),
        customer_id: None,
        currency: Currency::GBP,
        lines: vec![],
        totals: OrderTotals {
            lines_minor: total_minor,
            tax_minor: 0,
            shipping_minor: 0,
            discount_minor: 0,
            total_minor,
        },
        shipping_address: None,
        guest_contact: None,
        payment_method_id: None,
        payment_id: Some(payment_id),
        reference: None,
        placed_at: bus.now(),
        actor: Actor::system(),
    }));
    let key = format!("{order_id}:authorize:1");
    let asked = vec![
        PaymentEvent::Initiated {
            payment_id,
            order_id,
            provider: "sandbox".to_owned(),
            amount_minor: total_minor,
            currency: Currency::GBP,
            payment_method_id: None,
            token: Sealed::from_ciphertext("sealed".to_owned()),
        },
        PaymentEvent::AuthorizationRequested {
            key: key.clone(),
            attempt: 1,
            amount_minor: total_minor,
        },
    ];
    let caller = Caller::system();
    let begun = bus.run(&caller, move |unit| {
        unit.record::<Order>(&order_id, vec![placed.clone()])?;
        unit.record::<Payment>(&payment_id, asked.clone())
    });
    begun.await.unwrap();
    let engine = Engine::new(EngineParts {
        bus,
        gateways: BTreeMap::new(),
        keys: Arc::new(MemoryKeyStore::default()),
        spawner: Arc::new(TokioSpawner(tokio::runtime::Handle::current())),
        timer: Arc::new(TokioTimer),
        policy: ShopPolicy::default(),
    });
    (engine, order_id, payment_id, key)
}

fn authorized(provider: &str, order_id: OrderId, key: &str) -> Delivery {
    let body = serde_json::json!({
        "type": "payment.authorized",
        "data": {
            "order_id": order_id, "key": key, "amount_minor": 500, "provider_reference": "auth_1",
        },
    });
    Delivery {
        provider: provider.to_owned(),
        message_id: "msg_1".to_owned(),
        body: body.to_string(),
    }
}

async fn held(engine: &Engine, payment_id: PaymentId) -> i64 {
    let look = |payment: &Option<Box<PaymentOnRecord>>| payment.as_ref().unwrap().held_minor();
    engine.bus().read::<Payment, _>(payment_id, look).await.unwrap().value
}

#[tokio::test]
async fn a_provider_settles_no_payment_of_another() {
    let (engine, order_id, payment_id, key) = order_being_paid().await;
    let caller = Caller::system();
    for other in ["sand", "sandbox2"] {
        let told = engine.receive_webhook(&caller, authorized(other, order_id, &key)).await;
        assert!(matches!(told.unwrap().value, Received::Ignored { .. }), "{other}");
        assert_eq!(held(&engine, payment_id).await, 0);
    }
    let told = engine.receive_webhook(&caller, authorized("sandbox", order_id, &key)).await;
    assert_eq!(told.unwrap().value, Received::Applied);
    assert_eq!(held(&engine, payment_id).await, 500);
}
