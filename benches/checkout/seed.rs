//! The shop the load buys from.

use serde_json::json;

use crate::connection::Connection;

pub(crate) struct Shopper {
    pub(crate) customer_id: String,
    pub(crate) address_id: String,
    pub(crate) payment_method_id: String,
}

pub(crate) struct Shop {
    pub(crate) admin: String,
    pub(crate) storefront: String,
    pub(crate) warehouse_id: String,
    pub(crate) product_ids: Vec<String>,
    pub(crate) skus: Vec<String>,
    pub(crate) shoppers: Vec<Shopper>,
}

const PRODUCTS: usize = 1_000;
const UNITS_EACH: u32 = 500_000;

pub(crate) async fn seed(
    address: &str,
    admin_key: &str,
    storefront_key: &str,
    most: usize,
) -> Shop {
    let admin = format!("Bearer {admin_key}");
    let storefront = format!("Bearer {storefront_key}");
    let mut link = Connection::open(address).await;
    let by = [("authorization", admin.as_str())];
    let body = json!({"name": "Bench & Sons", "email": "sales@example.com"});
    let seller_id = link.post("/sellers", &by, body).await.expect(201).id("seller_id");
    let body = json!({"name": "North", "rank": 1});
    let warehouse_id = link.post("/warehouses", &by, body).await.expect(201).id("warehouse_id");
    let mut shop = Shop {
        admin: admin.clone(),
        storefront,
        warehouse_id,
        product_ids: Vec::new(),
        skus: Vec::new(),
        shoppers: Vec::new(),
    };
    for number in 0..PRODUCTS {
        let price = 199 + (number as i64 * 37) % 5_000;
        let body = json!({
            "seller_id": seller_id, "name": format!("Article {number}"),
            "base_prices": {"GBP": price},
        });
        let product_id = link.post("/products", &by, body).await.expect(201).id("product_id");
        let sku_id = add_sku(&mut link, &shop, &product_id, UNITS_EACH).await;
        shop.product_ids.push(product_id);
        shop.skus.push(sku_id);
    }
    let by = [("authorization", shop.storefront.as_str())];
    for number in 0..most {
        let body =
            json!({"name": format!("Shopper {number}"), "email": format!("s{number}@example.com")});
        let customer_id = link.post("/customers", &by, body).await.expect(201).id("customer_id");
        let by = [by[0], ("tillroll-customer", customer_id.as_str())];
        let body = json!({
            "recipient": format!("Shopper {number}"), "lines": ["1 High Street"], "city": "Leeds",
            "postcode": "LS1 1AA", "country": "GB",
        });
        let path = format!("/customers/{customer_id}/addresses");
        let address_id = link.post(&path, &by, body).await.expect(201).id("address_id");
        let body = json!({"provider": "sandbox", "token": "tok_ok", "label": "Visa ending 4242"});
        let path = format!("/customers/{customer_id}/payment-methods");
        let payment_method_id =
            link.post(&path, &by, body).await.expect(201).id("payment_method_id");
        shop.shoppers.push(Shopper { customer_id, address_id, payment_method_id });
    }
    shop
}

pub(crate) async fn add_sku(
    link: &mut Connection,
    shop: &Shop,
    product_id: &str,
    units: u32,
) -> String {
    let by = [("authorization", shop.admin.as_str())];
    let path = format!("/products/{product_id}/skus");
    let sku_id = link.post(&path, &by, json!({})).await.expect(201).id("sku_id");
    let body = json!({"warehouse_id": shop.warehouse_id, "quantity": units});
    let path = format!("/inventory/{sku_id}/receipts");
    let received = link.post(&path, &by, body).await;
    assert!(received.status.is_success(), "{}", String::from_utf8_lossy(&received.body));
    sku_id
}
