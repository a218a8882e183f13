//! A checkout begins: stock is held and the money asked for.

use std::collections::BTreeSet;

use super::{CheckoutEvent, CheckoutOnRecord, CheckoutRejection};
use crate::{CartId, OrderId, PaymentId, SkuId, Timestamp};

/// What a start is compared by.
pub(super) struct Begun<'a> {
    pub(super) order_id: OrderId,
    pub(super) cart_id: CartId,
    pub(super) payment_id: PaymentId,
    pub(super) skus: &'a [SkuId],
}

/// Starts once. The first deadline stays: a repeat does not extend the holds.
pub(super) fn start(
    state: Option<&CheckoutOnRecord>,
    begun: &Begun<'_>,
    hold_expires_at: Timestamp,
) -> Result<Vec<CheckoutEvent>, CheckoutRejection> {
    if let Some(checkout) = state {
        let set = |skus: &[SkuId]| skus.iter().copied().collect::<BTreeSet<_>>();
        let same = checkout.order_id == begun.order_id
            && checkout.cart_id == begun.cart_id
            && checkout.payment_id == begun.payment_id
            && set(&checkout.skus) == set(begun.skus);
        return if same {
            Ok(vec![])
        } else {
            Err(CheckoutRejection::CheckoutDiffers { order_id: checkout.order_id })
        };
    }
    Ok(vec![CheckoutEvent::Started {
        order_id: begun.order_id,
        cart_id: begun.cart_id,
        payment_id: begun.payment_id,
        skus: begun.skus.to_vec(),
        hold_expires_at,
    }])
}

#[cfg(test)]
mod tests {
    use super::super::Checkout;
    use super::super::fixtures::{start, started, started_event};
    use super::*;
    use crate::testing::{given, id};

    #[test]
    fn a_checkout_starts_once_and_keeps_its_first_deadline() {
        given::<Checkout>([])
            .when(start(2, &[101, 102], 900))
            .then_once([started_event()])
            .when(start(2, &[102, 101], 1_800))
            .then_nothing();
    }

    #[test]
    fn another_cart_or_other_goods_are_another_checkout() {
        for other in [start(3, &[101, 102], 900), start(2, &[101], 900)] {
            started()
                .when(other)
                .then_rejected(CheckoutRejection::CheckoutDiffers { order_id: id(1) });
        }
    }
}
