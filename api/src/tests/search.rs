//! Finding products: by words, by likeness, by what they are, and at whose prices.

use serde_json::{Value, json};

use super::shop::{Response, Shop};

/// Twelve mugs and three teapots in two categories below one, of three brands.
pub(super) struct Window {
    pub(super) shop: Shop,
    pub(super) kitchen: String,
    pub(super) products: Vec<(String, String)>,
}

impl Window {
    pub(super) async fn open() -> Self {
        let shop = Shop::open().await;
        let (_, sku) = shop.stocked().await;
        let found = shop.ask("admin", &format!("GET /inventory/{sku}"), Value::Null).await.is(200);
        let warehouse = found.body["warehouses"][0]["warehouse_id"].as_str().unwrap().to_owned();
        let seller = json!({"name": "kitchens", "email": "us@example.com"});
        let seller = shop.ask("admin", "POST /sellers", seller).await.is(201).id("seller_id");
        let category = async |name: &str, parent: Option<&str>| {
            let body = json!({"name": name, "slug": name.to_lowercase(), "parent_id": parent});
            shop.ask("admin", "POST /categories", body).await.is(201).id("category_id")
        };
        let kitchen = category("Kitchen", None).await;
        let mugs = category("Mugs", Some(&kitchen)).await;
        let pots = category("Teapots", Some(&kitchen)).await;
        let mut products = Vec::new();
        for number in 1..=15_i64 {
            let is_pot = number > 12;
            let (kind, own) = if is_pot { ("teapot", &pots) } else { ("beaker", &mugs) };
            let brand = ["Ash", "Birch", "Cedar, Ltd"][number as usize % 3];
            let colour = if number % 2 == 0 { "red" } else { "blue" };
            let body = json!({
                "seller_id": seller, "name": format!("{colour} {kind} no{number}"),
                "description": "for tea at four", "category_id": own, "brand": brand,
                "tags": ["crockery", colour], "base_prices": {"GBP": number * 100},
            });
            let product = shop.ask("admin", "POST /products", body).await.is(201).id("product_id");
            let body = json!({
                "attributes": {"colour": colour, "size": if is_pot { "l" } else { "s" }},
                "prices": {"wholesale": {"GBP": number * 50}},
            });
            let path = format!("POST /products/{product}/skus");
            let sku = shop.ask("admin", &path, body).await.is(201).id("sku_id");
            let body = json!({"warehouse_id": warehouse, "quantity": 10});
            let path = format!("POST /inventory/{sku}/receipts");
            shop.ask("admin", &path, body).await.is(200);
            products.push((product, sku));
        }
        Self { shop, kitchen, products }
    }

    pub(super) async fn find(&self, query: &str) -> Response {
        self.find_as("", query).await
    }

    pub(super) async fn find_as(&self, role: &str, query: &str) -> Response {
        self.shop.ask(role, &format!("GET /products?{query}"), Value::Null).await.is(200)
    }
}

fn names(answer: &Response) -> Vec<String> {
    let products = answer.body["products"].as_array().unwrap();
    products.iter().map(|product| product["name"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn words_find_products_and_misspelt_ones_are_put_right() {
    let window = Window::open().await;
    let found = window.find("q=teapot&mode=text").await;
    let mut found_names = names(&found);
    found_names.sort();
    assert_eq!(found_names, ["blue teapot no13", "blue teapot no15", "red teapot no14"]);
    let typo = window.find("q=taepot&mode=text").await;
    assert_eq!(
        (typo.body["total"].clone(), typo.body["corrected"].clone()),
        (3.into(), "teapot".into())
    );
    let red = window.find("q=red%20teapot&mode=text&limit=1").await;
    assert_eq!(names(&red), ["red teapot no14"]);
    let nothing = window.find("q=zzzzzz&mode=text").await;
    assert_eq!((&nothing.body["total"], &nothing.body["products"]), (&json!(0), &json!([])));
}

#[actix_web::test]
async fn a_new_word_is_found_by_who_wrote_it() {
    let window = Window::open().await;
    let (product, _) = &window.products[0];
    let path = format!("PATCH /products/{product}");
    window.shop.ask("admin", &path, json!({"name": "samovar"})).await.is(200);
    let found = window.find("q=samovar&mode=text").await;
    assert_eq!(names(&found), ["samovar"]);
    let path = format!("POST /products/{product}/status");
    window.shop.ask("admin", &path, json!({"status": "inactive"})).await.is(200);
    assert_eq!(window.find("q=samovar&mode=text").await.body["total"], 0);
}

#[actix_web::test]
async fn filters_narrow_and_facets_tell_what_else_there_is() {
    let window = Window::open().await;
    let all = window.find(&format!("category={}&currency=GBP", window.kitchen)).await;
    assert_eq!(all.body["total"], 15);
    let facets = &all.body["facets"];
    let chosen = |name: &str| {
        let all = facets["category"].as_array().unwrap();
        let of = all.iter().find(|of| of["name"] == name).unwrap();
        (of["count"].as_u64().unwrap(), of["chosen"].as_bool().unwrap(), of["path"].clone())
    };
    assert_eq!(chosen("Kitchen"), (15, true, "kitchen".into()));
    assert_eq!(chosen("Mugs"), (12, false, "kitchen/mugs".into()));
    assert_eq!(facets["tags"], Value::Null);
    let buckets = all.body["prices"]["buckets"].as_array().unwrap();
    assert_eq!(all.body["prices"]["currency"], "GBP");
    assert_eq!(buckets.iter().map(|of| of["count"].as_u64().unwrap()).sum::<u64>(), 15);

    for (query, total) in [
        ("brand=Ash", 5),
        ("brand=Ash,Birch", 10),
        ("brand=Ash&brand=Birch", 10),
        (r"brand=Cedar\, Ltd", 5),
        ("tags=crockery,red", 7),
        ("attributes.colour=red", 7),
        ("attributes.colour=red,blue&attributes.size=l", 3),
        ("attributes.colour=mauve", 0),
        ("price_min=300&price_max=500&currency=GBP", 3),
        ("price_min=300&currency=USD", 0),
        ("brand=Ash&in_stock=false", 0),
        ("brand=Ash&in_stock=true", 5),
    ] {
        let path = query.replace(' ', "%20").replace('\\', "%5C");
        assert_eq!(window.find(&path).await.body["total"], total, "{query}");
    }

    let query = "brand=Ash&facets=brand,tags,attributes,price&currency=GBP&price_bounds=500,1000";
    let ash = window.find(query).await;
    let facets = &ash.body["facets"];
    let counts = |facet: &Value| -> Vec<(String, u64)> {
        let count =
            |of: &Value| (of["value"].as_str().unwrap().to_owned(), of["count"].as_u64().unwrap());
        facet.as_array().unwrap().iter().map(count).collect()
    };
    let brands = counts(&facets["brand"]);
    assert_eq!(brands.iter().map(|(_, count)| count).sum::<u64>(), 15, "{brands:?}");
    assert_eq!(facets["brand"][0], json!({"value": "Ash", "count": 5, "chosen": true}));
    assert_eq!(counts(&facets["attributes"]["size"]), [("s".into(), 4), ("l".into(), 1)]);
    let bucket = |from: Value, to: Value, count| json!({"from": from, "to": to, "count": count});
    let expected = [
        bucket(Value::Null, 500.into(), 1),
        bucket(500.into(), 1000.into(), 2),
        bucket(1000.into(), Value::Null, 2),
    ];
    assert_eq!(ash.body["prices"]["buckets"], json!(expected));
    let one = window.find("facets=attributes.size&facet_values=1").await;
    assert_eq!(one.body["facets"]["attributes"]["size"].as_array().unwrap().len(), 1);
    assert_eq!((&one.body["facets"]["brand"], &one.body["prices"]), (&Value::Null, &Value::Null));
    let none = window.find("facets=none").await;
    assert!(none.body["facets"].as_object().unwrap().values().all(Value::is_null));
}

#[actix_web::test]
async fn products_come_in_the_order_that_was_asked_for() {
    let window = Window::open().await;
    let newest = names(&window.find("limit=2").await);
    assert_eq!(newest, ["blue teapot no15", "red teapot no14"]);
    let query =
        |sort: &str| format!("sort={sort}&currency=GBP&limit=2&category={}", window.kitchen);
    assert_eq!(names(&window.find(&query("price")).await)[0], "blue beaker no1");
    assert_eq!(names(&window.find(&query("-price")).await)[0], "blue teapot no15");
    assert_eq!(names(&window.find(&query("name")).await)[0], "blue beaker no1");
    window.find(&query("rating")).await;
}

#[actix_web::test]
async fn pages_follow_each_other_with_the_same_numbers() {
    let window = Window::open().await;
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    let first = window.find("q=tea&limit=4").await;
    for page in 1.. {
        let answer = window.find(&format!("q=tea&limit=4{cursor}")).await;
        let by_number = window.find(&format!("q=tea&limit=4&page={page}")).await;
        assert_eq!(answer.body["products"], by_number.body["products"]);
        assert_eq!(answer.body["total"], first.body["total"]);
        assert_eq!(answer.body["facets"], first.body["facets"]);
        seen.extend(names(&answer));
        match answer.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len() as u64, first.body["total"].as_u64().unwrap());
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len() as u64, first.body["total"].as_u64().unwrap());
    let past = window.find("q=tea&limit=4&page=100").await;
    assert_eq!((&past.body["products"], &past.body["total"]), (&json!([]), &first.body["total"]));
    assert_eq!(past.body["next"], Value::Null);
}

#[actix_web::test]
async fn everybody_sees_their_own_prices_and_nobody_elses() {
    let window = Window::open().await;
    let shop = &window.shop;
    let (customer, token, _) = shop.customer("tok_ok").await;
    let path = format!("PATCH /customers/{customer}");
    shop.ask("admin", &path, json!({"tier": "wholesale"})).await.is(200);
    let query = "currency=GBP&sort=-price&limit=1&price_max=700";
    let price = |answer: &Response| answer.body["products"][0]["price"].clone();
    let guest = window.find(query).await;
    let own = window.find_as(&token, query).await;
    assert_eq!((price(&guest), price(&own)), (700.into(), 700.into()));
    assert_eq!(names(&guest), ["blue beaker no7"]);
    assert_eq!(names(&own), ["red teapot no14"]);
    assert_eq!(own.body["products"][0]["lowest_prices"], json!({"GBP": 700}));
    for answer in [&guest, &own] {
        assert_eq!(answer.header("cache-control"), "private, no-cache");
        assert_eq!(answer.header("vary"), "Authorization, Tillroll-Customer");
    }
    let on_behalf = vec![("tillroll-customer", customer.to_string())];
    let path = format!("GET /products?{query}");
    let asked = shop.ask_with("storefront", &path, Value::Null, on_behalf.clone()).await.is(200);
    assert_eq!(asked.body, own.body);
    // Others cannot speak for a customer.
    let asked = shop.ask_with("seller", &path, Value::Null, on_behalf.clone()).await.is(200);
    assert_eq!(asked.body, guest.body);
    let asked = shop.ask_with("", &path, Value::Null, on_behalf).await.is(200);
    assert_eq!(asked.body, guest.body);
    let bad = shop.ask("tk_storefront_0123456789abcdef_no", &path, Value::Null).await.is(401);
    assert!(bad.header("www-authenticate").starts_with("Bearer"));
    shop.ask("a.b.c", &path, Value::Null).await.is(401);
    let nobody = Shop::customer_token(domain::CustomerId::new(uuid::Uuid::now_v7()));
    assert_eq!(window.find_as(&nobody, query).await.body, guest.body);
}

#[actix_web::test]
async fn what_a_customer_buys_moves_up_for_them_alone() {
    let window = Window::open().await;
    let shop = &window.shop;
    let (_, token, order) = shop.customer("tok_ok").await;
    let line = json!({"sku_id": window.products[13].1, "quantity": 1});
    shop.ask(&token, "POST /cart/items", line).await.is(201);
    shop.ask(&token, "POST /orders", order).await.is(201);
    let query = "q=tea&mode=text&explain=true&limit=15";
    let guest = window.find(query).await;
    let own = window.find_as(&token, query).await;
    let personal = |answer: &Response, at: usize| {
        answer.body["products"][at]["explanation"]["personal"].clone()
    };
    assert!((0..15).all(|at| personal(&guest, at).is_null()));
    let mut moved = 0;
    for (at, name) in names(&own).iter().enumerate() {
        let why = personal(&own, at);
        let affinity = why["affinity"].as_f64().unwrap();
        assert_eq!(affinity == 1.0, name.contains("teapot"), "{name}: {why}");
        moved += why["moved"].as_i64().unwrap().abs();
    }
    assert_eq!(moved > 0, names(&guest) != names(&own));
    assert_eq!(window.find(query).await.body, guest.body);
}

#[actix_web::test]
async fn likeness_finds_what_words_do_not() {
    let window = Window::open().await;
    let near = window.find("q=samovar%20at%20four%20tea&mode=semantic&explain=true").await;
    assert!(near.body["total"].as_u64().unwrap() > 0, "{}", near.text);
    let why = &near.body["products"][0]["explanation"];
    assert_eq!((&why["semantic"]["rank"], &why["text"]), (&json!(1), &Value::Null));
    let words = window.find("q=teapot&mode=text&explain=true").await;
    let why = &words.body["products"][0]["explanation"];
    assert_eq!((&why["text"]["rank"], &why["semantic"]), (&json!(1), &Value::Null));
    assert_eq!(window.find("q=teapot").await.body["products"][0]["explanation"], Value::Null);
    let text = window.shop.ask("admin", "GET /metrics", Value::Null).await.is(200).text;
    for (mode, count) in [("browse", 0), ("text", 1), ("semantic", 1), ("hybrid", 1)] {
        let line = format!("tillroll_search_requests_total{{mode=\"{mode}\"}} {count}");
        assert!(text.contains(&line), "{line} in\n{text}");
    }
}
