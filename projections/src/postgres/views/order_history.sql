CREATE OR REPLACE VIEW {views}.order_history AS
SELECT e.subject AS order_id, e.position, e.type AS event_type,
    timestamptz 'epoch' + e.occurred_us * interval '1 microsecond' AS occurred_at,
    e.actor AS actor, e.summary AS summary
FROM {rows}.entries AS e
WHERE e.type NOT LIKE 'payment.%'
UNION ALL
SELECT l.subject, e.position, e.type,
    timestamptz 'epoch' + e.occurred_us * interval '1 microsecond',
    e.actor, e.summary
FROM (SELECT DISTINCT subject, payment FROM {rows}.entries WHERE payment IS NOT NULL) AS l
    JOIN {rows}.entries AS e ON e.subject = l.payment;
