//! `tillroll demo`: a generated shop, traffic on it, and what to look at next.

use std::net::SocketAddr;
use std::sync::Arc;

use api::{ApiKeyRole, ApiKeys, NewApiKey};
use clap::Args;
use commands::{Clock, SystemClock};
use sagas::key_store::OsEntropy;

use super::serve::{self, ServeArgs};
use super::{Exit, Failure, Global, terminal};
use crate::compose::{API_KEYS_FILE, Node};
use crate::demo::{self, DemoCustomer, FirstOrder, Shop};

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Orders a second that the demo's shoppers place; 0 for none.
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
}

pub(super) fn run(global: &Global, args: &DemoArgs) -> Result<Exit, Failure> {
    let node = Node::open(&serve::node_options(global, &args.serve))?;
    if journal::Journal::head(node.journal.as_ref()).0 > 0 {
        let data = global.data.display();
        return Err(format!("{data} holds a shop already: choose an empty directory with --data, or start it with `tillroll serve`").into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (shop, first) = runtime.block_on(async {
        let shop = demo::set_up(&node.engine).await?;
        let first = demo::first_order(&node.engine, &shop).await?;
        Ok::<_, Failure>((shop, first))
    })?;
    let keys = ApiKeys::open(&global.data.join(API_KEYS_FILE), Arc::new(OsEntropy))?;
    let make = |role| {
        let new = NewApiKey { role, seller_id: None, expires_at: None };
        keys.create(new, SystemClock.now()).map(|(key, _)| key)
    };
    let (storefront, admin) = (make(ApiKeyRole::Storefront)?, make(ApiKeyRole::Admin)?);
    let rate = args.rate;
    serve::serve(global, &args.serve, node, |node: &Node, address| {
        tell(global, address, &shop, &first, &storefront, &admin)?;
        if rate > 0.0 {
            actix_web::rt::spawn(demo::keep_shopping(node.engine.clone(), shop, rate));
        }
        Ok(())
    })
}

fn tell(
    global: &Global,
    address: SocketAddr,
    shop: &Shop,
    first: &FirstOrder,
    storefront: &str,
    admin: &str,
) -> Result<(), Failure> {
    let data = global.data.display();
    let order = first.order_id;
    let DemoCustomer { customer_id, address_id, payment_method_id } = shop.customers[1];
    let sku_id = shop.skus[3];
    let took = first.took.as_secs_f64() * 1e3;
    terminal::say(&format!(
        "
A shop with {products} products and {customers} customers is open. Its first order went through:

  order {order}
  {lines} lines, {total}: stock held, payment authorized and captured, {status:?}
  in {took:.1} ms, from the first article in the cart to the confirmation.

Look at it:
  tillroll --data {data} replay order {order}
  curl -s -H 'Authorization: Bearer {admin}' http://{address}/orders/{order}

Buy something yourself, as customer {customer_id}:
  KEY='{storefront}'
  curl -s -X POST http://{address}/cart/items -H \"Authorization: Bearer $KEY\" \\
    -H 'Tillroll-Customer: {customer_id}' -H 'Content-Type: application/json' \\
    -d '{{\"sku_id\": \"{sku_id}\", \"quantity\": 1}}'
  curl -s -X POST http://{address}/orders -H \"Authorization: Bearer $KEY\" \\
    -H 'Tillroll-Customer: {customer_id}' -H 'Content-Type: application/json' \\
    -H 'Idempotency-Key: my-first-order' \\
    -d '{{\"shipping_address_id\": \"{address_id}\", \"payment_method_id\": \"{payment_method_id}\"}}'

Then:
  http://{address}/products            what is for sale
  http://{address}/openapi.json        every route
  tillroll --data {data} replay log --follow
  tillroll --data {data} rebuild --all --compare
  tillroll --data {data} verify

More orders come in now, some with a card that is declined. Stop with Ctrl-C.",
        products = shop.products.len(),
        customers = shop.customers.len(),
        lines = first.lines,
        total = first.total,
        status = first.settled.status,
    ))?;
    Ok(())
}
