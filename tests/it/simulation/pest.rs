//! Webhooks that come again, late, or from nobody.

use domain::OrderId;
use sagas::webhook_inbox::Delivery;

use super::staff::pause;
use super::world::{World, lock};

/// Sends webhooks again that came before, in any order, and some that never were.
pub(crate) async fn pester(world: World) {
    for _ in 0..world.chance.within(5, 30) {
        pause(&world, 12_000).await;
        if world.chance.percent(20) {
            let nobody: OrderId = world.id();
            forge_a_webhook(&world, nobody).await;
            continue;
        }
        let seen = lock(&world.webhooks).clone();
        if let Some(delivery) = world.chance.one_of(&seen) {
            world.deliver_again(delivery).await;
            lock(&world.acknowledged).count("webhooks sent again");
        }
    }
}

/// A message that speaks of money nobody moved.
pub(crate) async fn forge_a_webhook(world: &World, order_id: OrderId) {
    let kinds = ["payment.authorized", "payment.captured", "payment.voided", "payment.unheard_of"];
    let kind = world.chance.one_of(&kinds).unwrap_or("payment.captured");
    let number = world.chance.number();
    let body = serde_json::json!({
        "type": kind,
        "timestamp": world.executor.now(),
        "data": {
            "order_id": order_id, "amount_minor": 100, "provider_reference": "forged",
            "key": format!("forged:{number}"),
        },
    });
    let delivery = Delivery {
        provider: "sandbox".to_owned(),
        message_id: format!("forged-{number}"),
        body: body.to_string(),
    };
    world.deliver_again(delivery).await;
    lock(&world.acknowledged).count("webhooks forged");
}
