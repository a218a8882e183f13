//! The story of an order, read as customer service reads it; states then; the log as lines.

use std::ops::ControlFlow;

use domain::OrderId;
use journal::{Journal, Position, StreamId};
use serde_json::Value;
use uuid::Uuid;

use super::{
    AsOf, LogFilter, LogOptions, Moment, ReplayError, Reveal, Story, Telling, export, log, order,
    state,
};
use crate::verify::history::{Shop, at, now};

fn order_id(number: u128) -> OrderId {
    OrderId::new(Uuid::from_u128(number))
}

fn told(shop: &Shop, number: u128, as_of: &AsOf) -> Result<Story, ReplayError> {
    now(order(shop.journal.as_ref(), order_id(number), as_of, Reveal::No, &[]))
}

fn texts(story: &Story) -> Vec<&str> {
    story.entries.iter().map(|entry| entry.text.as_str()).collect()
}

#[test]
fn an_order_tells_its_whole_story() {
    let story = told(&Shop::good_history(), 102, &AsOf::now()).unwrap();
    let text = story.to_text(Telling::Summed).replace("00000000-0000-0000-0000-0000000000", "…");
    assert_eq!(
        text,
        "\
Order …66

line  goods       price  ordered  shipped  delivered  returned
   1  Kettle  19.99 GBP        1        0          0         0

2026-03-01T09:13:00Z  @47  into the cart: 1 × Kettle at 19.99 GBP  [customer:…15]
2026-03-01T09:14:00Z  @48  stock held: 1 × Kettle  [customer:…15]
2026-03-01T09:14:00Z  @49  the cart is locked for the order  [customer:…15]
2026-03-01T09:14:00Z  @50  order placed: 1 × Kettle at 19.99 GBP, shipping 3.50 GBP; total 23.49 GBP  [customer:…15]
2026-03-01T09:14:00Z  @51  payment of 23.49 GBP through sandbox begun  [customer:…15]
2026-03-01T09:14:00Z  @52  provider asked to reserve 23.49 GBP  [customer:…15]
2026-03-01T09:14:00Z  @53  checkout begun; stock is held until 09:29:00  [customer:…15]
2026-03-01T09:14:00Z  @54  request key-102 of shop was answered; a repeat gets the same answer  [customer:…15]
2026-03-01T09:15:00Z  @55  23.49 GBP reserved  [system]
2026-03-01T09:15:00Z  @56  provider asked to take 23.49 GBP  [system]
2026-03-01T09:16:00Z  @57  23.49 GBP taken  [system]
2026-03-01T09:16:00Z  @58  order confirmed  [system]
2026-03-01T09:16:00Z  @59  the ordered lines left the cart  [system]
2026-03-01T09:16:00Z  @60  checkout ended: confirmed  [system]
2026-03-01T09:17:00Z  @61  order cancelled: on request (changed)  [support:9]
2026-03-01T09:17:00Z  @62  stock back for sale: 1 × Kettle  [support:9]
2026-03-01T09:17:00Z  @63  provider asked to give back 23.49 GBP (changed)  [support:9]
2026-03-01T09:18:00Z  @64  23.49 GBP given back  [system]

status    cancelled, on request (changed)
customer  …15
ship to   GB, (sealed)
total     23.49 GBP
paid      23.49 GBP
refunded  23.49 GBP
"
    );
}

#[test]
fn goods_that_go_out_and_come_back_are_part_of_it() {
    let story = told(&Shop::good_history(), 101, &AsOf::now()).unwrap();
    assert_eq!(
        texts(&story)[16..],
        [
            "somebody began to put the order together",
            "shipped: 2 × Kettle, 1 × Mug",
            "everything is shipped",
            "stock left the house: 2 × Kettle",
            "stock left the house: 1 × Mug",
            "parcel left with ups: 2 × Kettle, 1 × Mug, tracking 1Z999",
            "delivered: 2 × Kettle, 1 × Mug",
            "everything is delivered",
            "parcel arrived",
            "return RMA-00000000-00012D asked for: 1 × Kettle (changed mind: too loud)",
            "return received: 1 unit, 1 fit for sale, 19.99 GBP owed",
            "came back: 1 × Kettle",
            "back in the house: Kettle, 1 for sale, 0 scrapped",
            "provider asked to give back 19.99 GBP (return RMA-00000000-00012D)",
            "19.99 GBP given back",
        ]
    );
    let json = serde_json::to_value(&story).unwrap();
    assert_eq!(json["summary"]["refunded_minor"], 1_999);
    assert_eq!(json["entries"][5]["type"], "order.placed");
    assert_eq!(json["entries"][5]["event"]["shipping_address"]["details"], "(sealed)");
    assert_eq!(json["entries"][6]["event"]["token"], "(sealed)");
}

#[test]
fn a_story_ends_at_the_moment_asked_for() {
    let shop = Shop::good_history();
    let status = |at: &str| told(&shop, 102, &AsOf::parse(Some(at), None).unwrap());
    let at_confirmed = status("2026-03-01T09:16:30Z").unwrap();
    assert_eq!(at_confirmed.summary.status.to_string(), "confirmed");
    assert_eq!(status("@57").unwrap().summary.status.to_string(), "pending");
    assert_eq!(status("2026-03-01").unwrap().summary.status.to_string(), "cancelled");
    assert!(matches!(status("2026-02-28"), Err(ReplayError::NotYet(_))));
    assert!(matches!(told(&shop, 9, &AsOf::now()), Err(ReplayError::UnknownOrder(_))));
    let waiting = told(&shop, 105, &AsOf::now()).unwrap();
    assert_eq!(waiting.summary.waiting_for, ["authorize"]);
}

#[test]
fn personal_fields_open_only_where_asked_for_and_tokens_never() {
    let shop = Shop::good_history();
    let reveal = Reveal::With(&shop.keys);
    let story =
        now(order(shop.journal.as_ref(), order_id(101), &AsOf::now(), reveal, &[])).unwrap();
    assert_eq!(story.summary.ship_to.as_deref(), Some(r#"GB, {"street":"1 Mill Lane"}"#));
    assert_eq!(story.entries[6].event["token"], "(sealed)");
    let customer = StreamId::of_uuid(journal::Category::new("customer"), shop.customer_id.uuid());
    let sealed = now(state(shop.journal.as_ref(), &customer, &AsOf::now(), Reveal::No)).unwrap();
    assert_eq!(sealed.state["contact"], "(sealed)");
    now(sagas::key_store::KeyStore::erase(&shop.keys, shop.customer_id.uuid())).unwrap();
    let erased = now(state(shop.journal.as_ref(), &customer, &AsOf::now(), reveal)).unwrap();
    assert_eq!(erased.state["contact"], "(erased)");
}

#[test]
fn a_return_that_nobody_has_received_is_found_by_its_position() {
    let mut shop = Shop::open();
    let id = shop.order(101, "tok_ok", [1, 0]);
    shop.ship(id, 201);
    shop.deliver(201);
    shop.ask_back(id, 301, 1);
    let position = shop.journal.head();
    let found = |also: &[Position]| {
        now(order(shop.journal.as_ref(), id, &AsOf::now(), Reveal::No, also)).unwrap().entries
    };
    let with = found(&[position]);
    assert_eq!(with.len(), found(&[]).len() + 1);
    assert_eq!(with.last().unwrap().event_type, "return.requested");
}

#[test]
fn any_stream_has_a_state_at_any_moment() {
    let shop = Shop::good_history();
    let stream: StreamId = "inventory-00000000-0000-0000-0000-00000000000b".parse().unwrap();
    let held = |at: &str| {
        let as_of = AsOf::parse(Some(at), None).unwrap();
        now(state(shop.journal.as_ref(), &stream, &as_of, Reveal::No)).map(|then| {
            let stock = then.state["warehouses"].as_object().unwrap().values().next().unwrap();
            (then.version, stock["held"].as_u64().unwrap(), stock["on_hand"].as_u64().unwrap())
        })
    };
    assert_eq!(held("2026-03-01T09:01:00Z").unwrap(), (2, 0, 10));
    assert_eq!(held("@17").unwrap(), (3, 2, 10));
    assert_eq!(held("2026-03-01T09:10:00Z").unwrap(), (5, 0, 9));
    assert!(matches!(held("2026-02-01"), Err(ReplayError::NotYet(_))));
    for (stream, wanted) in [
        ("order-00000000-0000-0000-0000-0000000000ff", "there is no stream order-"),
        ("parcel-1", "no aggregate is kept in streams of category `parcel`"),
    ] {
        let stream = stream.parse().unwrap();
        let error = now(state(shop.journal.as_ref(), &stream, &AsOf::now(), Reveal::No));
        assert!(error.unwrap_err().to_string().starts_with(wanted), "{stream}");
    }
}

#[test]
fn every_stream_of_a_good_history_can_be_folded() {
    let shop = Shop::good_history();
    for event in shop.events() {
        now(state(shop.journal.as_ref(), &event.stream, &AsOf::now(), Reveal::No)).unwrap();
    }
}

#[test]
fn the_log_is_told_in_lines_and_filtered() {
    let shop = Shop::good_history();
    let lines = |filter: &LogFilter, limit| {
        let mut out = Vec::new();
        let options = LogOptions { follow: false, limit };
        let journal = shop.journal.as_ref();
        let end = now(export(journal, filter, options, std::future::pending(), &mut out)).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(end.matched, lines.len() as u64);
        lines
    };
    let all = lines(&LogFilter::default(), None);
    assert_eq!(all.len() as u64, shop.journal.head().0);
    let placed = LogFilter { event_type: Some("order.placed".to_owned()), ..LogFilter::default() };
    assert_eq!(lines(&placed, None).len(), 5);
    assert_eq!(lines(&placed, Some(2)).len(), 2);
    assert_eq!(lines(&placed, Some(1))[0]["payload"]["totals"]["total_minor"], 4_798);
    let support = LogFilter { actor: Some("support".to_owned()), ..LogFilter::default() };
    let by_support = lines(&support, None);
    assert_eq!(by_support.len(), 3);
    assert_eq!(by_support[0]["metadata"]["actor"], "support:9");
    let of_order = LogFilter { order: Some(order_id(102)), ..LogFilter::default() };
    assert!(lines(&of_order, None).len() > 10);
    let window = LogFilter {
        from: Some(Moment::starting("@10").unwrap()),
        to: Some("@12".parse().unwrap()),
        ..LogFilter::default()
    };
    let positions: Vec<_> = lines(&window, None).iter().map(|l| l["position"].clone()).collect();
    assert_eq!(positions, [10, 11, 12]);
    let stream = Some("order-00000000-0000-0000-0000-000000000066".parse().unwrap());
    assert_eq!(lines(&LogFilter { stream, ..LogFilter::default() }, None).len(), 3);
}

#[tokio::test]
async fn a_follower_sees_what_comes_later() {
    let mut shop = Shop::open();
    let journal = std::sync::Arc::clone(&shop.journal);
    let head = journal.head();
    let follower = tokio::spawn(async move {
        let mut seen = Vec::new();
        let options = LogOptions { follow: true, limit: Some(head.0 + 1) };
        log(
            journal.as_ref(),
            &LogFilter::default(),
            options,
            std::future::pending(),
            &mut |event| {
                seen.push(event.position);
                ControlFlow::Continue(())
            },
        )
        .await
        .unwrap();
        seen
    });
    tokio::task::yield_now().await;
    shop.order(101, "tok_ok", [1, 0]);
    assert_eq!(follower.await.unwrap().last().unwrap().0, head.0 + 1);
}

#[test]
fn moments_are_read_as_people_write_them() {
    assert_eq!("@7".parse::<Moment>().unwrap(), Moment::Position(Position(7)));
    assert_eq!("2026-03-01T10:00:00+01:00".parse::<Moment>().unwrap(), Moment::Time(at(0)));
    let day = Moment::starting("2026-03-01").unwrap();
    assert_eq!(day, Moment::Time(at(-9 * 3_600)));
    assert_ne!("2026-03-01".parse::<Moment>().unwrap(), day);
    for text in ["", "@", "@x", "yesterday", "2026-13-01"] {
        assert!(matches!(text.parse::<Moment>(), Err(ReplayError::NotAMoment(_))), "{text}");
    }
}
