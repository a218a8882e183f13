CREATE OR REPLACE VIEW {views}.stock AS
SELECT l.sku AS sku_id, l.warehouse AS warehouse_id, s.product AS product_id, l.on_hand,
    l.reserved - l.committed AS held, l.committed, l.unavailable,
    l.on_hand - l.reserved - l.unavailable AS available,
    l.received, l.returned, l.shipped, l.written_off
FROM {rows}.levels AS l LEFT JOIN {rows}.skus AS s USING (sku);

CREATE OR REPLACE VIEW {views}.stock_holds AS
SELECT h.order_id, h.sku AS sku_id, h.warehouse AS warehouse_id, h.units,
    f.order_id IS NOT NULL AS firm
FROM {rows}.holds AS h LEFT JOIN {rows}.firm_orders AS f USING (order_id);

CREATE OR REPLACE VIEW {views}.stock_soft_holds AS
SELECT s.sku AS sku_id, s.cart AS cart_id, s.units,
    timestamptz 'epoch' + s.expires_us * interval '1 microsecond' AS expires_at
FROM {rows}.soft_holds AS s;
