//! A shop to buy from, set up over HTTP, and people who do.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::process::{DataDir, Server, key};

/// A shop on a fresh directory. The server is apart, so that a test can stop and start it.
pub(crate) struct Shop {
    pub(crate) admin_key: String,
    pub(crate) storefront_key: String,
    pub(crate) seller_id: String,
    pub(crate) warehouse_id: String,
}

/// Something for sale.
#[derive(Clone)]
pub(crate) struct Article {
    pub(crate) product_id: String,
    pub(crate) sku_id: String,
}

/// A registered customer, and the body of an order of theirs.
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) order: Value,
}

impl Shop {
    /// An empty shop and its server.
    pub(crate) async fn open() -> (DataDir, Server, Self) {
        let data = DataDir::new();
        let (admin_key, storefront_key) =
            (key(&data.path(), "admin"), key(&data.path(), "storefront"));
        let server = Server::start(&data.path());
        let shop = Self::set_up(&server, admin_key, storefront_key).await;
        (data, server, shop)
    }

    pub(crate) async fn set_up(server: &Server, admin_key: String, storefront_key: String) -> Self {
        let mut admin = Client::bearing(&server.address, &admin_key).await;
        let body = json!({"name": "Till & Roll", "email": "hello@example.com"});
        let seller_id = admin.post("/sellers", body).await.is(201).id("seller_id");
        let body = json!({"name": "North", "rank": 1});
        let warehouse_id = admin.post("/warehouses", body).await.is(201).id("warehouse_id");
        Self { admin_key, storefront_key, seller_id, warehouse_id }
    }

    pub(crate) async fn admin(&self, server: &Server) -> Client {
        Client::bearing(&server.address, &self.admin_key).await
    }

    pub(crate) async fn storefront(&self, server: &Server) -> Client {
        Client::bearing(&server.address, &self.storefront_key).await
    }

    /// The storefront, acting for a customer.
    pub(crate) async fn shopper(&self, server: &Server, customer: &Customer) -> Client {
        self.storefront(server).await.with("tillroll-customer", customer.id.as_str())
    }

    /// An article with so many units on hand.
    pub(crate) async fn article(&self, server: &Server, minor: i64, units: u32) -> Article {
        let mut admin = self.admin(server).await;
        let body =
            json!({"seller_id": self.seller_id, "name": "Kite", "base_prices": {"GBP": minor}});
        let product_id = admin.post("/products", body).await.is(201).id("product_id");
        let path = format!("/products/{product_id}/skus");
        let sku_id = admin.post(&path, json!({})).await.is(201).id("sku_id");
        let path = format!("/inventory/{sku_id}/receipts");
        let body = json!({"warehouse_id": self.warehouse_id, "quantity": units});
        admin.post(&path, body).await.is(200);
        Article { product_id, sku_id }
    }

    /// A customer who pays with this token.
    pub(crate) async fn customer(&self, server: &Server, token: &str) -> Customer {
        let mut storefront = self.storefront(server).await;
        let body = json!({"name": "Ada Byron", "email": "ada@example.com"});
        let id = storefront.post("/customers", body).await.is(201).id("customer_id");
        let mut shopper = storefront.with("tillroll-customer", id.as_str());
        let path = format!("/customers/{id}/addresses");
        let address = shopper.post(&path, place()).await.is(201).id("address_id");
        let path = format!("/customers/{id}/payment-methods");
        let body = json!({"provider": "sandbox", "token": token});
        let method = shopper.post(&path, body).await.is(201).id("payment_method_id");
        let order = json!({"shipping_address_id": address, "payment_method_id": method});
        Customer { id, order }
    }
}

pub(crate) fn place() -> Value {
    json!({"country": "GB", "recipient": "Ada Byron", "lines": ["1 High Street"], "city": "Leeds"})
}

/// The body of a guest's order.
pub(crate) fn guests_order(token: &str) -> Value {
    json!({
        "email": "ada@example.com", "name": "Ada Byron", "shipping_address": place(),
        "payment": {"provider": "sandbox", "token": token},
    })
}

/// Puts units of an article in the cart.
pub(crate) async fn add(shopper: &mut Client, article: &Article, quantity: u32) -> Answer {
    let body = json!({"sku_id": article.sku_id, "quantity": quantity});
    shopper.post("/cart/items", body).await.is(201)
}

/// Places the order under an idempotency key.
pub(crate) async fn pay(shopper: &mut Client, order: &Value, key: &str) -> Answer {
    shopper.post_with("/orders", &[("idempotency-key", key)], order).await
}
