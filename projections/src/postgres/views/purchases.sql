CREATE OR REPLACE VIEW {views}.customer_purchases AS
SELECT b.customer_id, b.product_id, b.orders, b.units,
    timestamptz 'epoch' + b.last_us * interval '1 microsecond' AS last_placed_at
FROM {rows}.bought AS b;

CREATE OR REPLACE VIEW {views}.product_sales AS
SELECT s.product_id,
    timestamptz 'epoch' + s.period * interval '30 days' AS period_from,
    s.orders
FROM {rows}.sold AS s;
