//! All routes: path, method, handler. What a handler needs of its caller is in its signature.

pub(crate) mod acting;
pub(crate) mod browsing;
pub(crate) mod cart;
pub(crate) mod categories;
pub(crate) mod customers;
pub(crate) mod home;
pub(crate) mod inventory;
pub(crate) mod operators;
pub(crate) mod orders;
pub(crate) mod page;
pub(crate) mod products;
pub(crate) mod public;
pub(crate) mod returns;
pub(crate) mod sellers;
pub(crate) mod shipments;
pub(crate) mod warehouses;

use actix_web::http::Method;
use actix_web::http::header::ALLOW;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Route, guard};

use crate::auth::access_of;
use crate::auth::roles::RouteEntry;
use crate::problem::{Problem, catalogue};
use crate::reply::Answer;

macro_rules! routes {
    ($($path:literal { $($method:ident => $($segment:ident)::+;)+ })+) => {
        /// Registers every route; the busiest come first, since paths are tried in order.
        pub(crate) fn register(config: &mut ServiceConfig) {
            $(config.service(
                web::resource($path)
                    $(.route(on(stringify!($method)).to($($segment)::+)))+
                    .default_service(web::to(method_not_allowed)),
            );)+
        }

        /// Every route and who may call it.
        pub(crate) fn table() -> Vec<RouteEntry> {
            vec![$($(RouteEntry {
                method: method(stringify!($method)),
                path: $path,
                access: access_of(&$($segment)::+),
            }),+),+]
        }

        /// Every route as its handler describes it.
        #[derive(utoipa::OpenApi)]
        #[openapi(
            paths($($($($segment)::+,)+)+),
            components(schemas(crate::problem::ProblemShape))
        )]
        pub(crate) struct Described;
    };
}

routes! {
    "/cart/items" { post => cart::add_item::add_item; }
    "/orders" { post => orders::place::place_order; get => orders::list::list_orders; }
    "/cart" { get => cart::show::show_cart; }
    "/cart/currency" { put => cart::change_currency::change_currency; }
    "/cart/merge" { post => cart::merge::merge_carts; }
    "/products" { get => products::list::list_products; post => products::create::create_product; }
    "/webhooks/payment" { post => public::webhook::receive_payment_webhook; }
    "/healthz" { get => public::health::healthz; }
    "/readyz" { get => public::health::readyz; }
    "/metrics" { get => operators::metrics::show_metrics; }
    "/orders/{order_id}" { get => orders::show::show_order; }
    "/cart/items/{sku_id}" {
        put => cart::set_quantity::set_quantity;
        delete => cart::remove_item::remove_item;
    }
    "/products/{product_id}" {
        get => products::show::show_product;
        patch => products::change::change_product;
    }
    "/products/{product_id}/views" { post => browsing::view::view_product; }
    "/impressions" { post => browsing::show::show_products; }
    "/clicks" { post => browsing::click::click_product; }
    "/products/{product_id}/frequently-bought-together" {
        get => products::bought_together::list_bought_together;
    }
    "/products/{product_id}/similar" { get => products::similar::list_similar; }
    "/home" { get => home::show::show_home; }
    "/products/{product_id}/status" { post => products::change_status::change_product_status; }
    "/products/{product_id}/prices" {
        get => products::show_prices::show_prices;
        put => products::reprice::reprice_product;
    }
    "/products/{product_id}/skus" { post => products::add_sku::add_sku; }
    "/products/{product_id}/skus/{sku_id}" {
        patch => products::change_sku::change_sku;
        delete => products::withdraw_sku::withdraw_sku;
    }
    "/products/{product_id}/skus/{sku_id}/prices" { put => products::reprice_sku::reprice_sku; }
    "/products/{product_id}/ratings" { post => products::rate::rate_product; }
    "/categories" {
        get => categories::list::list_categories;
        post => categories::add::add_category;
    }
    "/categories/{category_id}" {
        get => categories::show::show_category;
        patch => categories::rename::rename_category;
        delete => categories::remove::remove_category;
    }
    "/categories/{category_id}/move" { post => categories::move_to::move_category; }
    "/orders/{order_id}/history" { get => orders::history::show_order_history; }
    "/orders/{order_id}/cancel" { post => orders::cancel::cancel_order; }
    "/orders/{order_id}/process" { post => orders::process::process_order; }
    "/orders/{order_id}/shipments" { post => orders::ship::ship_order; }
    "/orders/{order_id}/refunds" {
        get => orders::list_refunds::list_refunds;
        post => orders::refund::refund_order;
    }
    "/orders/{order_id}/returns" { post => orders::request_return::request_return; }
    "/shipments/{shipment_id}" { get => shipments::show::show_shipment; }
    "/shipments/{shipment_id}/deliver" { post => shipments::deliver::deliver_shipment; }
    "/returns/{return_id}" { get => returns::show::show_return; }
    "/returns/{return_id}/receive" { post => returns::receive::receive_return; }
    "/returns/{return_id}/reject" { post => returns::reject::reject_return; }
    "/customers" {
        get => customers::list::list_customers;
        post => customers::register::register_customer;
    }
    "/customers/{customer_id}" {
        get => customers::show::show_customer;
        patch => customers::change::change_customer;
        delete => customers::erase::erase_customer;
    }
    "/customers/{customer_id}/addresses" { post => customers::add_address::add_address; }
    "/customers/{customer_id}/addresses/{address_id}" {
        delete => customers::remove_address::remove_address;
    }
    "/customers/{customer_id}/payment-methods" {
        post => customers::add_payment_method::add_payment_method;
    }
    "/customers/{customer_id}/payment-methods/{payment_method_id}" {
        delete => customers::remove_payment_method::remove_payment_method;
    }
    "/sellers" {
        get => sellers::list::list_sellers;
        post => sellers::register::register_seller;
    }
    "/sellers/{seller_id}" {
        get => sellers::show::show_seller;
        patch => sellers::change::change_seller;
    }
    "/sellers/{seller_id}/products" { get => sellers::products::list_sellers_products; }
    "/warehouses" {
        get => warehouses::list::list_warehouses;
        post => warehouses::open::open_warehouse;
    }
    "/warehouses/{warehouse_id}" {
        get => warehouses::show::show_warehouse;
        patch => warehouses::change::change_warehouse;
    }
    "/warehouses/{warehouse_id}/stock" { get => warehouses::stock::list_warehouse_stock; }
    "/warehouses/{warehouse_id}/activate" { post => warehouses::activate::activate_warehouse; }
    "/warehouses/{warehouse_id}/deactivate" {
        post => warehouses::activate::deactivate_warehouse;
    }
    "/inventory/{sku_id}" { get => inventory::show::show_stock; }
    "/inventory/{sku_id}/receipts" { post => inventory::receive::receive_stock; }
    "/inventory/{sku_id}/counts" { post => inventory::count::count_stock; }
    "/inventory/{sku_id}/write-offs" { post => inventory::write_off::write_off_stock; }
    "/inventory/{sku_id}/unavailable" { post => inventory::set_unavailable::set_unavailable; }
    "/inventory/{sku_id}/policy" { put => inventory::change_policy::change_stock_policy; }
    "/admin/checkouts" { get => operators::checkouts::list_checkouts; }
    "/admin/projections" { get => operators::projections::list_projections; }
    "/admin/shortages" { get => operators::shortages::list_shortages; }
    "/admin/webhooks/parked" { get => operators::parked_webhooks::list_parked_webhooks; }
    "/openapi.json" { get => public::description::show_openapi; }
    "/problems/{code}" { get => public::problems::show_problem; }
}

fn method(name: &str) -> Method {
    match name {
        "post" => Method::POST,
        "put" => Method::PUT,
        "patch" => Method::PATCH,
        "delete" => Method::DELETE,
        _ => Method::GET,
    }
}

/// Whoever may read a thing may also ask for its head only.
fn on(name: &str) -> Route {
    match method(name) {
        Method::GET => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
        method => web::method(method),
    }
}

/// Tells which methods there are, when that was the question and when it was not.
async fn method_not_allowed(request: HttpRequest) -> Answer {
    let pattern = request.match_pattern().unwrap_or_default();
    let known = table().into_iter().filter(|route| route.path == pattern);
    let mut methods: Vec<String> = known.map(|route| route.method.to_string()).collect();
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".to_owned());
    }
    methods.push("OPTIONS".to_owned());
    let methods = methods.join(", ");
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((ALLOW, methods)).finish());
    }
    let problem = Problem::new(catalogue::METHOD_NOT_ALLOWED, format!("this path knows {methods}"));
    Err(problem.text_header(ALLOW, &methods))
}

pub(crate) async fn no_such_path() -> Problem {
    Problem::not_found("path")
}

/// Runs what takes longer than a moment on a thread of its own.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    web::block(work).await.map_err(|_| {
        Problem::new(catalogue::OVERLOADED, "the engine is too busy to answer").retry_after(1)
    })
}

/// Refuses text of more than `max` characters, or with control characters.
pub(crate) fn bounded(field: &str, text: &str, max: usize) -> Result<(), Problem> {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.chars().count() > max || text.chars().any(control) {
        let message = format!("must be at most {max} characters, without control characters");
        return Err(Problem::field(field, "invalid", message));
    }
    Ok(())
}
