CREATE OR REPLACE VIEW {views}.orders AS
SELECT o.id AS order_id, o.number,
    (ARRAY['pending', 'confirmed', 'processing', 'shipped', 'delivered', 'returned', 'cancelled',
        'failed'])[o.status::int + 1] AS status,
    o.customer AS customer_id, o.reference AS reference,
    timestamptz 'epoch' + o.placed_us * interval '1 microsecond' AS placed_at,
    (s.state ->> 'updated_at')::timestamptz AS updated_at,
    s.state ->> 'currency' AS currency,
    (s.state #>> '{totals,lines_minor}')::bigint AS lines_minor,
    (s.state #>> '{totals,tax_minor}')::bigint AS tax_minor,
    (s.state #>> '{totals,shipping_minor}')::bigint AS shipping_minor,
    (s.state #>> '{totals,discount_minor}')::bigint AS discount_minor,
    (s.state #>> '{totals,total_minor}')::bigint AS total_minor,
    (s.state ->> 'line_count')::int AS line_count,
    (s.state ->> 'payment_id')::uuid AS payment_id,
    s.state -> 'end_reason' ->> 'code' AS end_reason,
    (s.state ->> 'version')::bigint AS version,
    (s.state ->> 'revision')::bigint AS revision
FROM {rows}.orders AS o, LATERAL (SELECT o.state::json AS state) AS s;

CREATE OR REPLACE VIEW {views}.order_lines AS
SELECT o.id AS order_id, (l.line ->> 'line')::int AS line,
    (l.line ->> 'sku_id')::uuid AS sku_id, (l.line ->> 'product_id')::uuid AS product_id,
    (l.line ->> 'seller_id')::uuid AS seller_id, l.line ->> 'name' AS name,
    (l.line ->> 'unit_minor')::bigint AS unit_minor, l.line ->> 'price_rule' AS price_rule,
    (l.line ->> 'quantity')::int AS ordered,
    coalesce((u.units ->> 'shipped')::int, 0) AS shipped,
    coalesce((u.units ->> 'delivered')::int, 0) AS delivered,
    coalesce((u.units ->> 'returned')::int, 0) AS returned
FROM {rows}.orders AS o JOIN {rows}.placed AS p USING (number),
    LATERAL json_array_elements(p.facts::json -> 'lines') AS l (line),
    LATERAL (SELECT o.state::json -> 'units' -> (l.line ->> 'line') AS units) AS u;

CREATE OR REPLACE VIEW {views}.order_sellers AS
SELECT s.id AS order_id, s.seller AS seller_id,
    timestamptz 'epoch' + s.placed_us * interval '1 microsecond' AS placed_at
FROM {rows}.order_sellers AS s;

CREATE OR REPLACE VIEW {views}.payments AS
SELECT p.id AS payment_id, (s.state ->> 'order_id')::uuid AS order_id,
    s.state ->> 'provider' AS provider, s.state ->> 'currency' AS currency,
    s.state ->> 'status' AS status, (s.state ->> 'amount_minor')::bigint AS amount_minor,
    (s.state ->> 'authorized_minor')::bigint AS authorized_minor,
    (s.state ->> 'captured_minor')::bigint AS captured_minor,
    (s.state ->> 'voided_minor')::bigint AS voided_minor,
    (s.state ->> 'refunded_minor')::bigint AS refunded_minor,
    s.state ->> 'decline_code' AS decline_code,
    (s.state ->> 'revision')::bigint AS revision
FROM {rows}.payments AS p, LATERAL (SELECT p.state::json AS state) AS s;

CREATE OR REPLACE VIEW {views}.shipments AS
SELECT s.key::uuid AS shipment_id, o.id AS order_id, s.value ->> 'carrier' AS carrier,
    s.value ->> 'tracking_number' AS tracking_number,
    (s.value ->> 'dispatched_at')::timestamptz AS dispatched_at,
    (s.value ->> 'delivered_at')::timestamptz AS delivered_at
FROM {rows}.orders AS o, LATERAL json_each(o.state::json -> 'shipments') AS s;

CREATE OR REPLACE VIEW {views}.returns AS
SELECT r.key::uuid AS return_id, o.id AS order_id, r.value ->> 'rma_number' AS rma_number,
    r.value ->> 'status' AS status, r.value ->> 'reason' AS reason,
    (r.value ->> 'refund_minor')::bigint AS refund_minor,
    (r.value ->> 'requested_at')::timestamptz AS requested_at,
    (r.value ->> 'updated_at')::timestamptz AS updated_at
FROM {rows}.orders AS o, LATERAL json_each(o.state::json -> 'returns') AS r;
