CREATE OR REPLACE VIEW {views}.carts AS
SELECT c.id AS cart_id,
    CASE json_typeof(s.state #> '{cart,owner}') WHEN 'object'
        THEN (s.state #>> '{cart,owner,customer}')::uuid END AS customer_id,
    s.state #>> '{cart,currency}' AS currency,
    (s.state #>> '{cart,pending,order_id}')::uuid AS pending_order_id,
    (s.state #>> '{cart,expires_at}')::timestamptz AS expires_at,
    (s.state ->> 'updated_at')::timestamptz AS updated_at,
    (s.state ->> 'version')::bigint AS version
FROM {rows}.carts AS c, LATERAL (SELECT c.cart::json AS state) AS s;

CREATE OR REPLACE VIEW {views}.cart_lines AS
SELECT c.id AS cart_id, l.key::uuid AS sku_id, (l.value ->> 'product_id')::uuid AS product_id,
    (l.value ->> 'quantity')::int AS quantity, (l.value ->> 'unit_minor')::bigint AS unit_minor,
    l.value ->> 'price_rule' AS price_rule
FROM {rows}.carts AS c, LATERAL json_each(c.cart::json #> '{cart,lines}') AS l;
