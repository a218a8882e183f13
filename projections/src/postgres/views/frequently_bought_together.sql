CREATE OR REPLACE VIEW {views}.bought_together AS
SELECT t.product_id, encode(substring(b.bytes FROM 1 FOR 16), 'hex')::uuid AS partner_id,
    (get_byte(b.bytes, 16)::bigint << 24) + (get_byte(b.bytes, 17) << 16)
        + (get_byte(b.bytes, 18) << 8) + get_byte(b.bytes, 19) AS orders_together,
    t.orders AS orders,
    (get_byte(b.bytes, 20)::bigint << 24) + (get_byte(b.bytes, 21) << 16)
        + (get_byte(b.bytes, 22) << 8) + get_byte(b.bytes, 23) AS partner_orders
FROM {rows}.top AS t, LATERAL generate_series(0, length(t.partners) / 24 - 1) AS n (n),
    LATERAL (SELECT substring(t.partners FROM n.n * 24 + 1 FOR 24) AS bytes) AS b;
