CREATE OR REPLACE VIEW {views}.checkouts_in_flight AS
SELECT c.order_id, (s.state ->> 'cart_id')::uuid AS cart_id,
    (s.state ->> 'payment_id')::uuid AS payment_id,
    timestamptz 'epoch' + c.started_us * interval '1 microsecond' AS started_at,
    (s.state ->> 'hold_expires_at')::timestamptz AS hold_expires_at,
    coalesce(json_array_length(u.keys::json), 0) AS unanswered_calls,
    (s.state -> 'compensating') IS NOT NULL
        AND json_typeof(s.state -> 'compensating') <> 'null' AS compensating
FROM {rows}.checkouts AS c JOIN LATERAL (SELECT c.checkout::json AS state) AS s ON true
    LEFT JOIN {rows}.unknown AS u ON u.payment_id = (s.state ->> 'payment_id')::uuid;
