//! What an open cart is asked, and how its lines change.

use super::{CartItem, CartLine, CartOwner, CartRejection, CartState, OpenCart};
use crate::{SkuId, Timestamp};

impl CartState {
    /// The open cart, or why there is none.
    pub(super) fn opened(&self) -> Result<&OpenCart, CartRejection> {
        match (&self.open, self.merged_into) {
            (Some(open), _) => Ok(open),
            (None, Some(into)) => Err(CartRejection::CartMergedAway { into }),
            (None, None) => Err(CartRejection::CartNotOpen),
        }
    }

    /// Whether a write by `owner` may start a new life of the cart. A guest's cart that was
    /// merged away stays away.
    pub(super) fn may_open(&self, owner: CartOwner) -> Result<(), CartRejection> {
        match (owner, self.merged_into) {
            (CartOwner::Guest, Some(into)) => Err(CartRejection::CartMergedAway { into }),
            (CartOwner::Guest, None) | (CartOwner::Customer(_), _) => Ok(()),
        }
    }
}

impl CartState {
    pub(super) fn write(&mut self, expires_at: Timestamp, change: impl FnOnce(&mut OpenCart)) {
        if let Some(cart) = &mut self.open {
            cart.expires_at = expires_at;
            change(cart);
        }
    }
}

impl OpenCart {
    pub(super) fn put<'a>(&mut self, items: impl IntoIterator<Item = &'a CartItem>) {
        self.lines.extend(items.into_iter().map(|item| (item.sku_id, item.line())));
    }

    /// Locked lines come back. Where the shopper added the same SKU meanwhile, the larger
    /// quantity counts, at the price shown last. This can exceed the limits: nothing is lost.
    pub(super) fn give_back(&mut self) {
        for (sku_id, locked) in self.pending.take().map(|p| p.lines).unwrap_or_default() {
            self.lines
                .entry(sku_id)
                .and_modify(|line| line.quantity = line.quantity.max(locked.quantity))
                .or_insert(locked);
        }
    }
}

impl CartLine {
    pub(super) const fn item(self, sku_id: SkuId) -> CartItem {
        CartItem {
            sku_id,
            product_id: self.product_id,
            quantity: self.quantity,
            unit_minor: self.unit_minor,
            price_rule: self.price_rule,
        }
    }
}
