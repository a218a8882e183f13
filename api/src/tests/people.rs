//! Customers, the catalogue and its sellers, as each sees them.

use domain::Sealed;
use domain::seller::{Seller, SellerCommand, SellerDetails};
use serde_json::{Value, json};

use super::shop::Shop;

#[actix_web::test]
async fn an_erased_customer_is_nobody_any_more() {
    let shop = Shop::open().await;
    let (customer, token, _) = shop.customer("tok_ok").await;
    let path = format!("/customers/{customer}");
    let seen = shop.ask(&token, &format!("GET {path}"), Value::Null).await.is(200);
    assert_eq!(seen.body["contact"]["email"], "ada@example.com");
    assert_eq!(seen.body["addresses"][0]["place"]["recipient"], "Ada");
    let body = json!({"phone": "+44 1"});
    shop.ask(&token, &format!("PATCH {path}"), body).await.is(200);
    let seen = shop.ask("support", &format!("GET {path}"), Value::Null).await.is(200);
    assert_eq!(
        (&seen.body["contact"]["name"], &seen.body["contact"]["phone"]),
        (&json!("Ada"), &json!("+44 1"))
    );
    for _ in 0..2 {
        shop.ask(&token, &format!("DELETE {path}"), Value::Null).await.is(200);
    }
    let gone = shop.ask("support", &format!("GET {path}"), Value::Null).await.is(200);
    assert_eq!((&gone.body["erased"], &gone.body["contact"]), (&json!(true), &Value::Null));
    assert!(!gone.text.contains("Ada"));
    let change = shop.ask(&token, &format!("PATCH {path}"), json!({"name": "Eve"})).await.is(409);
    assert_eq!(change.body["code"], "person_erased");
}

#[actix_web::test]
async fn nothing_personal_is_in_the_journal() {
    let shop = Shop::open().await;
    shop.customer("tok_secret").await;
    for event in shop.services.journal.read_all(journal::Position(0), 1_000).await.unwrap() {
        for secret in ["Ada", "ada@example.com", "tok_secret", "1 Lane"] {
            assert!(!event.payload.contains(secret), "{}", event.payload);
        }
    }
}

#[actix_web::test]
async fn only_an_admin_gives_the_wholesale_tier() {
    let shop = Shop::open().await;
    let body = json!({"tier": "wholesale", "name": "Bo", "email": "bo@example.com"});
    shop.ask("storefront", "POST /customers", body.clone()).await.is(403);
    let id = shop.ask("admin", "POST /customers", body).await.is(201).id("customer_id");
    let path = format!("PATCH /customers/{id}");
    shop.ask("support", &path, json!({"tier": "retail"})).await.is(403);
    shop.ask("admin", &path, json!({"tier": "retail"})).await.is(200);
}

#[actix_web::test]
async fn the_catalogue_is_kept_and_shown() {
    let shop = Shop::open().await;
    let body = json!({"name": "Kitchen", "slug": "kitchen"});
    let added = shop.ask("admin", "POST /categories", body).await.is(201);
    let kitchen = added.id("category_id");
    let body = json!({"name": "Mugs", "slug": "mugs", "parent_id": kitchen});
    let mugs = shop.ask("admin", "POST /categories", body).await.is(201).id("category_id");
    let under_itself = json!({"parent_id": mugs});
    let path = format!("POST /categories/{kitchen}/move");
    let refused = shop.ask("admin", &path, under_itself).await.is(409);
    assert_eq!(refused.body["code"], "category_cycle");
    let (product, sku) = shop.stocked().await;
    let path = format!("PATCH /products/{product}");
    let changed =
        shop.ask("admin", &path, json!({"category_id": mugs, "tags": ["red"]})).await.is(200);
    let seen = || vec![("tillroll-min-position", changed.header("tillroll-position"))];
    let path = format!("GET /products?category={kitchen}&tags=red&in_stock=true");
    let found = shop.ask_with("", &path, Value::Null, seen()).await.is(200);
    assert_eq!(found.body["total"], 1, "{}", found.text);
    let path = format!("GET /products/{product}");
    let shown = shop.ask_with("", &path, Value::Null, seen()).await.is(200);
    assert_eq!(shown.body["skus"][0]["sku_id"], sku);
    assert_eq!(shown.body["skus"][0]["prices"][0]["minor"], 1999);
    assert_eq!(shown.body["skus"][0]["available"], 10);
    let path = format!("GET /categories/{kitchen}");
    let below = shop.ask_with("", &path, Value::Null, seen()).await.is(200);
    assert_eq!(below.body["below"][0]["name"], "Mugs");
    let path = format!("PUT /products/{product}/skus/{sku}/prices");
    let book = json!({"prices": {"own": {"GBP": 1500}, "wholesale": {"GBP": 900}}});
    let priced = shop.ask("admin", &path, book).await.is(200);
    let seen = vec![("tillroll-min-position", priced.header("tillroll-position"))];
    let path = format!("GET /products/{product}");
    let shown = shop.ask_with("", &path, Value::Null, seen).await.is(200);
    assert_eq!(shown.body["skus"][0]["prices"][0]["minor"], 1500);
    assert!(!shown.text.contains("900"), "wholesale prices are not for everybody: {}", shown.text);
    let path = format!("GET /products/{product}/frequently-bought-together");
    shop.ask("", &path, Value::Null).await.is(200);
}

#[actix_web::test]
async fn a_seller_keeps_their_own_products_and_stock() {
    let shop = Shop::open().await;
    let seller_id = shop.seller_id;
    let contact = Sealed::from_ciphertext(String::new());
    let details = SellerDetails { name: "ours".to_owned(), contact, webhook: None };
    let command = SellerCommand::Register { seller_id, details };
    let bus = shop.services.engine.bus();
    bus.execute::<Seller>(&commands::Caller::system(), seller_id, command).await.unwrap();
    let warehouse = shop.ask("admin", "POST /warehouses", json!({"name": "north"})).await;
    let warehouse = warehouse.is(201).id("warehouse_id");
    let body = json!({"name": "mug", "base_prices": {"GBP": 500}});
    let product = shop.ask("seller", "POST /products", body).await.is(201).id("product_id");
    let path = format!("POST /products/{product}/skus");
    let sku = shop.ask("seller", &path, json!({"weight_g": 300})).await.is(201).id("sku_id");
    let path = format!("POST /inventory/{sku}/receipts");
    let body = json!({"warehouse_id": warehouse, "quantity": 4, "reference": "note 1"});
    for _ in 0..2 {
        let stock = shop.ask("seller", &path, body.clone()).await.is(200);
        assert_eq!(stock.body["available"], 4);
    }
    let (_, token, order) = shop.customer("tok_ok").await;
    let line = json!({"sku_id": sku, "quantity": 1});
    shop.ask(&token, "POST /cart/items", line).await.is(201);
    let placed = shop.ask(&token, "POST /orders", order).await.is(201);
    let order = placed.id("order_id");
    let seen = vec![("tillroll-min-position", placed.header("tillroll-position"))];
    let path = format!("GET /orders/{order}");
    let read = shop.ask_with("seller", &path, Value::Null, seen).await.is(200);
    assert_eq!((&read.body["totals"], &read.body["payment"]), (&Value::Null, &Value::Null));
    let shipped = shop.ask("seller", &format!("POST /orders/{order}/shipments"), json!({})).await;
    assert_eq!(shipped.is(201).body["order"]["status"], "shipped");
    let other = json!({"seller_id": uuid::Uuid::now_v7(), "name": "theirs"});
    shop.ask("seller", "POST /products", other).await.is(403);
}

#[actix_web::test]
async fn a_customer_registers_under_the_id_they_sign_in_with() {
    let shop = Shop::open().await;
    let id = domain::CustomerId::new(uuid::Uuid::now_v7());
    let token = Shop::customer_token(id);
    let body = json!({"name": "Ada", "email": "ada@example.com"});
    let key = || vec![("idempotency-key", "once".to_owned())];
    let path = "POST /customers";
    let registered = shop.ask_with(&token, path, body.clone(), key()).await.is(201);
    assert_eq!(registered.id("customer_id"), id.to_string());
    let again = shop.ask_with(&token, path, body.clone(), key()).await.is(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    let twice = shop.ask(&token, path, body.clone()).await.is(409);
    assert_eq!(twice.body["code"], "customer_exists");
    let with_id =
        |id: String| json!({"customer_id": id, "name": "Eve", "email": "eve@example.com"});
    let somebody = with_id(uuid::Uuid::now_v7().to_string());
    shop.ask(&token, path, somebody.clone()).await.is(403);
    shop.ask("storefront", path, somebody).await.is(201);
    // What is sealed for a seller must not go when a customer is erased.
    shop.sellers_own().await;
    let sellers = shop.ask("storefront", path, with_id(shop.seller_id.to_string())).await.is(422);
    assert_eq!(sellers.body["errors"][0]["field"], "customer_id");
    shop.ask(&token, &format!("DELETE /customers/{id}"), Value::Null).await.is(200);
    let gone = shop.ask(&token, path, body).await.is(409);
    assert_eq!(gone.body["code"], "person_erased");
}
