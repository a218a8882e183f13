//! One message of each kind with every field set, and one with only what must be there. Ids and
//! times are fixed: the files made of these never change.

use std::collections::{BTreeMap, BTreeSet};

use domain::Currency;
use domain::order::{LineUnits, OrderStatus, OrderTotals};
use domain::pricing::{PriceRule, SalePrice};
use domain::product::ProductStatus;
use domain::product_return::{ReceivedUnits, ReturnReason};
use schemas::public::goods::*;
use schemas::public::money::*;
use schemas::public::orders::*;
use schemas::public::parcels::*;
use schemas::public::{PublicData, PublicMessage};

use crate::samples::{
    CATEGORY, CUSTOMER, ORDER, PAYMENT, PRODUCT, REFUND, RETURN, SELLER, SHIPMENT, SKU, WAREHOUSE,
    at, id, units,
};

const EVENT: u8 = 0x21;
const JOURNAL: u8 = 0x22;
const REQUEST: u8 = 0x23;

/// `full` or `minimal`, and the message.
pub(super) fn samples() -> Vec<(&'static str, PublicMessage)> {
    let pairs = [orders(), money(), parcels(), goods(), stock()];
    let messages = pairs.into_iter().flatten().flat_map(|(full, minimal)| {
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
        let all = PublicMessage {
            correlation_id: Some(id(REQUEST)),
            traceparent: Some(traceparent),
            ..message(full)
        };
        [("full", all), ("minimal", message(minimal))]
    });
    messages.collect()
}

fn message(data: PublicData) -> PublicMessage {
    let subject: uuid::Uuid = id(ORDER);
    PublicMessage {
        id: id(EVENT),
        journal: id(JOURNAL),
        position: 4_711,
        stream: format!("order-{subject}"),
        stream_version: 3,
        subject: subject.to_string(),
        time: at("03:04:05"),
        correlation_id: None,
        traceparent: None,
        data,
    }
}

type Pair = (PublicData, PublicData);

fn whole(data: PublicData) -> Pair {
    (data.clone(), data)
}

fn lines() -> Vec<LineUnits> {
    vec![LineUnits { line: 1, quantity: units(2) }]
}

fn orders() -> Vec<Pair> {
    let full = OrderPlaced {
        order_id: id(ORDER),
        customer_id: Some(id(CUSTOMER)),
        currency: Currency::GBP,
        lines: vec![PlacedLine {
            line: 1,
            sku_id: id(SKU),
            product_id: id(PRODUCT),
            seller_id: id(SELLER),
            name: "Kettle".into(),
            quantity: units(2),
            unit_minor: 1_499,
            price_rule: PriceRule::Sale,
        }],
        totals: OrderTotals {
            lines_minor: 2_998,
            tax_minor: 600,
            shipping_minor: 399,
            discount_minor: 100,
            total_minor: 3_897,
        },
        payment_id: Some(id(PAYMENT)),
        reference: Some("WEB-1001".into()),
        country: Some("GB".into()),
        placed_at: at("03:04:05"),
        by: "customer".into(),
    };
    let minimal = OrderPlaced {
        customer_id: None,
        payment_id: None,
        reference: None,
        country: None,
        ..full.clone()
    };
    let moved = |previous_state, new_state| OrderMoved {
        order_id: id(ORDER),
        previous_state,
        new_state,
        timestamp: at("03:04:05"),
        by: "system".into(),
    };
    let ended = |new_state, code, provider_code: Option<&str>| OrderEnded {
        order_id: id(ORDER),
        previous_state: OrderStatus::Pending,
        new_state,
        timestamp: at("03:04:05"),
        by: "system".into(),
        reason: EndReason { code, provider_code: provider_code.map(str::to_owned) },
    };
    let parcel =
        || OrderLinesMoved { order_id: id(ORDER), shipment_id: id(SHIPMENT), lines: lines() };
    use OrderStatus::{
        Cancelled, Confirmed, Delivered, Failed, Pending, Processing, Returned, Shipped,
    };
    vec![
        (PublicData::OrderPlaced(full), PublicData::OrderPlaced(minimal)),
        whole(PublicData::OrderConfirmed(moved(Pending, Confirmed))),
        whole(PublicData::OrderProcessing(moved(Confirmed, Processing))),
        whole(PublicData::OrderLinesShipped(parcel())),
        whole(PublicData::OrderShipped(moved(Processing, Shipped))),
        whole(PublicData::OrderLinesDelivered(parcel())),
        whole(PublicData::OrderDelivered(moved(Shipped, Delivered))),
        whole(PublicData::OrderLinesReturned(OrderLinesReturned {
            order_id: id(ORDER),
            return_id: id(RETURN),
            lines: lines(),
        })),
        whole(PublicData::OrderReturned(moved(Delivered, Returned))),
        (
            PublicData::OrderCancelled(ended(
                Cancelled,
                EndCode::PaymentDeclined,
                Some("lost_card"),
            )),
            PublicData::OrderCancelled(ended(Cancelled, EndCode::Requested, None)),
        ),
        (
            PublicData::OrderFailed(ended(Failed, EndCode::CaptureFailed, Some("expired_card"))),
            PublicData::OrderFailed(ended(Failed, EndCode::OutOfStock, None)),
        ),
    ]
}

fn money() -> Vec<Pair> {
    let moved = |reference: Option<&str>| PaymentMoved {
        payment_id: id(PAYMENT),
        order_id: id(ORDER),
        provider: "sandbox".into(),
        currency: Currency::GBP,
        amount_minor: 3_897,
        provider_reference: reference.map(str::to_owned),
    };
    let failed = || PaymentFailed {
        payment_id: id(PAYMENT),
        order_id: id(ORDER),
        provider: "sandbox".into(),
        provider_code: "insufficient_funds".into(),
    };
    let full = || moved(Some("ch_1"));
    vec![
        (PublicData::PaymentAuthorized(full()), PublicData::PaymentAuthorized(moved(None))),
        whole(PublicData::PaymentDeclined(failed())),
        whole(PublicData::PaymentExpired(PaymentExpired {
            payment_id: id(PAYMENT),
            order_id: id(ORDER),
            provider: "sandbox".into(),
        })),
        (PublicData::PaymentCaptured(full()), PublicData::PaymentCaptured(moved(None))),
        whole(PublicData::PaymentCaptureFailed(failed())),
        (PublicData::PaymentVoided(full()), PublicData::PaymentVoided(moved(None))),
        whole(PublicData::PaymentRefunded(PaymentRefunded {
            payment_id: id(PAYMENT),
            order_id: id(ORDER),
            refund_id: id(REFUND),
            provider: "sandbox".into(),
            currency: Currency::GBP,
            amount_minor: 1_499,
            provider_reference: "re_1".into(),
            made_at_provider: false,
        })),
        whole(PublicData::PaymentRefundFailed(RefundFailed {
            payment_id: id(PAYMENT),
            order_id: id(ORDER),
            refund_id: id(REFUND),
            provider: "sandbox".into(),
            provider_code: "charge_disputed".into(),
        })),
    ]
}

fn parcels() -> Vec<Pair> {
    let dispatched = |carrier: Option<&str>, number: Option<&str>| {
        PublicData::ShipmentDispatched(ShipmentDispatched {
            shipment_id: id(SHIPMENT),
            order_id: id(ORDER),
            lines: lines(),
            carrier: carrier.map(str::to_owned),
            tracking_number: number.map(str::to_owned),
        })
    };
    let received = |refund_id| {
        PublicData::ReturnReceived(ReturnReceived {
            return_id: id(RETURN),
            order_id: id(ORDER),
            lines: vec![ReceivedUnits { line: 1, quantity: units(2), resellable: 1 }],
            refund_id,
        })
    };
    vec![
        (dispatched(Some("Royal Mail"), Some("RM123456789GB")), dispatched(None, None)),
        whole(PublicData::ShipmentDelivered(ShipmentDelivered {
            shipment_id: id(SHIPMENT),
            order_id: id(ORDER),
            delivered_at: at("12:30:00"),
        })),
        whole(PublicData::ReturnRequested(ReturnRequested {
            return_id: id(RETURN),
            order_id: id(ORDER),
            rma_number: "RMA-1".into(),
            lines: lines(),
            reason: ReturnReason::Damaged,
        })),
        (received(Some(id(REFUND))), received(None)),
        whole(PublicData::ReturnRejected(ReturnRejected {
            return_id: id(RETURN),
            order_id: id(ORDER),
        })),
    ]
}

fn goods() -> Vec<Pair> {
    let full_text = || ProductText {
        name: "Kettle".into(),
        description: "Boils water.".into(),
        category_id: Some(id(CATEGORY)),
        brand: Some("Ferro".into()),
        tags: BTreeSet::from(["kitchen".into(), "steel".into()]),
    };
    let text = || ProductText {
        name: "Kettle".into(),
        description: String::new(),
        category_id: None,
        brand: None,
        tags: BTreeSet::new(),
    };
    let full_sku = || SkuText {
        attributes: BTreeMap::from([("colour".into(), "red".into())]),
        weight_g: Some(850),
        barcode: Some("5012345678900".into()),
    };
    let sku = || SkuText { attributes: BTreeMap::new(), weight_g: None, barcode: None };
    let full_prices = || SkuPrices {
        own: BTreeMap::from([(Currency::GBP, 1_899)]),
        sale: BTreeMap::from([(
            Currency::GBP,
            SalePrice { minor: 1_499, ends_at: Some(at("23:59:59")) },
        )]),
    };
    let prices = || SkuPrices { own: BTreeMap::new(), sale: BTreeMap::new() };
    let base_prices = || BTreeMap::from([(Currency::EUR, 2_299), (Currency::GBP, 1_999)]);
    let (product_id, sku_id) = (id(PRODUCT), id(SKU));
    let created = |details| {
        let base_prices = base_prices();
        let seller_id = id(SELLER);
        PublicData::ProductCreated(ProductCreated { product_id, seller_id, details, base_prices })
    };
    let changed = |details| PublicData::ProductChanged(ProductChanged { product_id, details });
    let added =
        |details, prices| PublicData::SkuAdded(SkuAdded { sku_id, product_id, details, prices });
    let sku_changed = |details| PublicData::SkuChanged(SkuChanged { sku_id, product_id, details });
    let repriced = |prices| PublicData::SkuRepriced(SkuRepriced { sku_id, product_id, prices });
    vec![
        (created(full_text()), created(text())),
        (changed(full_text()), changed(text())),
        whole(PublicData::ProductRepriced(ProductRepriced {
            product_id,
            base_prices: base_prices(),
        })),
        whole(PublicData::ProductStatusChanged(ProductStatusChanged {
            product_id,
            previous_status: ProductStatus::Active,
            new_status: ProductStatus::Inactive,
        })),
        (added(full_sku(), full_prices()), added(sku(), prices())),
        (sku_changed(full_sku()), sku_changed(sku())),
        (repriced(full_prices()), repriced(prices())),
        whole(PublicData::SkuWithdrawn(SkuWithdrawn { sku_id, product_id })),
    ]
}

fn stock() -> Vec<Pair> {
    let changed = |order_id, on_hand, held, unavailable| {
        PublicData::StockChanged(StockChanged {
            sku_id: id(SKU),
            cause: StockCause::Shipped,
            order_id,
            changes: vec![StockChange { warehouse_id: id(WAREHOUSE), on_hand, held, unavailable }],
        })
    };
    vec![(changed(Some(id(ORDER)), -2, -2, 1), changed(None, 0, 0, 0))]
}
