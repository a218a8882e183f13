//! Changes to the catalogue that touch more than one aggregate.

use domain::category::{Category, TreeId};
use domain::inventory::{Inventory, InventoryCommand};
use domain::order::{Order, OrderStatus};
use domain::pricing::{PriceBook, Prices};
use domain::product::{Product, ProductCommand, ProductDetails, SkuDetails};
use domain::rating::{Rating, RatingCommand, RatingId};
use domain::seller::Seller;
use domain::{CustomerId, OrderId, ProductId, RejectionKind, SellerId, SkuId};

use crate::refusal::{Refused, Stop};
use crate::unit::{Unit, known};

/// Creates a product of a seller that exists, in a category that exists.
pub fn create_product(
    unit: &mut Unit<'_>,
    product_id: ProductId,
    seller_id: SellerId,
    details: &ProductDetails,
    base_prices: &Prices,
) -> Result<(), Stop> {
    known(unit.state::<Seller>(&seller_id)?.as_ref(), "seller", seller_id)?;
    category_exists(unit, details)?;
    let command = ProductCommand::Create {
        product_id,
        seller_id,
        details: details.clone(),
        base_prices: base_prices.clone(),
    };
    unit.execute::<Product>(&product_id, &command)?;
    Ok(())
}

/// Changes what is said about a product; its category must exist.
pub fn change_product(
    unit: &mut Unit<'_>,
    product_id: ProductId,
    details: &ProductDetails,
) -> Result<(), Stop> {
    category_exists(unit, details)?;
    unit.execute::<Product>(&product_id, &ProductCommand::ChangeDetails(details.clone()))?;
    Ok(())
}

fn category_exists(unit: &mut Unit<'_>, details: &ProductDetails) -> Result<(), Stop> {
    if let Some(category_id) = details.category_id {
        let tree = unit.state::<Category>(&TreeId)?;
        known(tree.nodes.get(&category_id), "category", category_id)?;
    }
    Ok(())
}

/// Adds a SKU to a product and opens its stock ledger.
pub fn add_sku(
    unit: &mut Unit<'_>,
    product_id: ProductId,
    sku_id: SkuId,
    details: &SkuDetails,
    prices: &PriceBook,
) -> Result<(), Stop> {
    known(unit.state::<Product>(&product_id)?.as_ref(), "product", product_id)?;
    let command =
        ProductCommand::AddSku { sku_id, details: details.clone(), prices: prices.clone() };
    unit.execute::<Product>(&product_id, &command)?;
    unit.execute::<Inventory>(&sku_id, &InventoryCommand::Open { sku_id, product_id })?;
    Ok(())
}

/// Records what a buyer of the product thinks of it; the order proves the purchase.
pub fn rate_product(
    unit: &mut Unit<'_>,
    product_id: ProductId,
    customer_id: CustomerId,
    order_id: OrderId,
    stars: u8,
) -> Result<(), Stop> {
    known(unit.state::<Product>(&product_id)?.as_ref(), "product", product_id)?;
    let order = unit.state::<Order>(&order_id)?.as_ref();
    let order = known(order.filter(|o| o.customer_id == Some(customer_id)), "order", order_id)?;
    let paid = !matches!(
        order.status,
        OrderStatus::Pending | OrderStatus::Cancelled | OrderStatus::Failed
    );
    let bought = paid && order.lines.values().any(|line| line.product_id == product_id);
    if !bought {
        return Err(Refused::new(
            RejectionKind::Conflict,
            "not_a_buyer",
            format!("order {order_id} is no purchase of product {product_id}"),
        )
        .into());
    }
    let command = RatingCommand::Rate { product_id, customer_id, order_id, stars };
    unit.execute::<Rating>(&RatingId { product_id, customer_id }, &command)?;
    Ok(())
}
