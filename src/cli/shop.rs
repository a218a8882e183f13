//! `tillroll demo`: a generated shop, traffic on it, and what to look at next.

use std::net::{SocketAddr, TcpListener};
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
    // Looked at first: no shop is made ready for nobody.
    if let Err(error) = TcpListener::bind(args.serve.listen) {
        let listen = args.serve.listen;
        return Err(format!("cannot listen on {listen}: {error}; choose another address with --listen, such as --listen 127.0.0.1:0 for any free port").into());
    }
    let node = Node::open(&serve::node_options(global, &args.serve)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(demo::find(node.journal.as_ref()))?;
    let again = found.is_some();
    if !again && node.journal.head().0 > 0 {
        let data = global.data.display();
        return Err(format!("{data} holds a shop that is no demo's: choose an empty directory with --data, or start it with `serve`").into());
    }
    let (mut shop, first) = runtime.block_on(async {
        let shop = match found {
            Some(shop) => shop,
            None => demo::set_up(&node.engine).await?,
        };
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
        let opening = Opening { shop: &shop, first: &first, again };
        tell(global, address, &opening, &storefront, &admin)?;
        if rate > 0.0 {
            if !global.json {
                terminal::say(MORE)?;
            }
            // Nobody else fills or pays the cart of whoever looks on.
            shop.customers.remove(VISITOR);
            actix_web::rt::spawn(demo::keep_shopping(node.engine.clone(), shop, rate));
        }
        Ok(())
    })
}

/// The customer as whom whoever looks on buys.
const VISITOR: usize = 1;

const MORE: &str = "More orders come in now, some with a card that is declined. Stop with Ctrl-C.";

struct Opening<'a> {
    shop: &'a Shop,
    first: &'a FirstOrder,
    /// An earlier demo set the shop up.
    again: bool,
}

/// This program as it was started, for a shell.
fn program() -> String {
    let path = std::env::args_os().next().unwrap_or_else(|| "tillroll".into());
    quoted(&path.to_string_lossy())
}

/// The text as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=~".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Names the journal again without telling what may be in its URL.
fn journal_words(global: &Global) -> &'static str {
    if global.journal.is_some() { " --journal \"$TILLROLL_JOURNAL\"" } else { "" }
}

fn tell(
    global: &Global,
    address: SocketAddr,
    opening: &Opening<'_>,
    storefront: &str,
    admin: &str,
) -> Result<(), Failure> {
    let Opening { shop, first, again } = *opening;
    if global.json {
        return Ok(terminal::say_json(&serde_json::json!({
            "order_id": first.order_id, "status": first.settled.status.to_string(),
            "storefront_key": storefront, "admin_key": admin,
        }))?);
    }
    let program = program();
    let data = quoted(&global.data.to_string_lossy()) + journal_words(global);
    let order = first.order_id;
    let DemoCustomer { customer_id, address_id, payment_method_id } = shop.customers[VISITOR];
    let (sku_id, product_id) = (shop.skus[3], shop.products[3]);
    let took = first.took.as_secs_f64() * 1e3;
    let how = if again {
        "is open again. An order went through just now"
    } else {
        "is open. Its first order went through"
    };
    terminal::say(&format!(
        "
A shop with {products} products and {customers} customers {how}:

  order {order}
  {lines} lines, {total}: stock held, payment authorized and captured, {status}
  in {took:.1} ms, from the first article in the cart to the confirmation.

Look at it:
  {program} --data {data} replay order {order}
  curl -s -H 'Authorization: Bearer {admin}' http://{address}/orders/{order}

Buy something yourself, as customer {customer_id}:
  KEY='{storefront}'
  curl -s -X POST http://{address}/cart/items -H \"Authorization: Bearer $KEY\" \\
    -H 'Tillroll-Customer: {customer_id}' -H 'Content-Type: application/json' \\
    -d '{{\"sku_id\": \"{sku_id}\", \"quantity\": 1}}'
  curl -s -X POST http://{address}/orders -H \"Authorization: Bearer $KEY\" \\
    -H 'Tillroll-Customer: {customer_id}' -H 'Content-Type: application/json' \\
    -H 'Idempotency-Key: after-{order}' \\
    -d '{{\"shipping_address_id\": \"{address_id}\", \"payment_method_id\": \"{payment_method_id}\"}}'

Find something:
  curl -s 'http://{address}/products?q=wodden+trian&currency=GBP&facets=category,brand,price'
  curl -s http://{address}/products/{product_id}/similar
  curl -s http://{address}/home -H \"Authorization: Bearer $KEY\" \\
    -H 'Tillroll-Customer: {customer_id}'

Then:
  http://{address}/products            what is for sale
  http://{address}/openapi.json        every route
  {program} --data {data} replay log --follow
  {program} --data {data} rebuild --all --compare
  {program} --data {data} verify
",
        products = shop.products.len(),
        customers = shop.customers.len(),
        lines = first.lines,
        total = first.total,
        status = first.settled.status,
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("target/release/tillroll"), "target/release/tillroll");
        assert_eq!(quoted("my shop"), "'my shop'");
        assert_eq!(quoted("Ada's"), r"'Ada'\''s'");
    }
}
