CREATE OR REPLACE VIEW {views}.customers AS
SELECT c.id AS customer_id, CASE c.wholesale WHEN 0 THEN 'retail' ELSE 'wholesale' END AS tier,
    c.erased <> 0 AS erased,
    (SELECT count(*) FROM json_object_keys(s.state -> 'addresses')) AS addresses,
    (SELECT count(*) FROM json_object_keys(s.state -> 'payment_methods')) AS payment_methods,
    (s.record ->> 'version')::bigint AS version
FROM {rows}.customer AS c,
    LATERAL (SELECT c.record::json AS record, c.record::json -> 'state' AS state) AS s;

CREATE OR REPLACE VIEW {views}.sellers AS
SELECT s.id AS seller_id, s.record::json #>> '{state,name}' AS name,
    (s.record::json ->> 'version')::bigint AS version
FROM {rows}.seller AS s;

CREATE OR REPLACE VIEW {views}.warehouses AS
SELECT w.id AS warehouse_id, w.record::json #>> '{state,details,name}' AS name, w.rank,
    (w.record::json #>> '{state,active}')::boolean AS active,
    (w.record::json ->> 'version')::bigint AS version
FROM {rows}.warehouse AS w;
