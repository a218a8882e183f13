CREATE OR REPLACE VIEW {views}.products AS
SELECT p.product_id, p.number, p.seller_id, p.category_id,
    c.content #>> '{product,details,name}' AS name,
    c.content #>> '{product,details,description}' AS description,
    p.brand AS brand,
    (ARRAY['active', 'inactive', 'deleted'])[p.status::int + 1] AS status,
    timestamptz 'epoch' + p.created_us * interval '1 microsecond' AS created_at,
    p.in_stock <> 0 AS in_stock,
    p.stars_count AS ratings,
    CASE WHEN p.stars_count > 0 THEN round(p.stars_sum::numeric / p.stars_count, 2) END
        AS mean_stars,
    (c.content ->> 'version')::bigint AS version
FROM {rows}.product AS p JOIN {rows}.product_content AS t USING (number),
    LATERAL (SELECT t.content::json AS content) AS c;

CREATE OR REPLACE VIEW {views}.skus AS
SELECT s.sku_id, p.product_id, s.withdrawn <> 0 AS withdrawn,
    t.content::json -> 'product' -> 'skus' -> s.sku_id::text -> 'details' -> 'attributes'
        AS attributes
FROM {rows}.sku AS s JOIN {rows}.product AS p USING (number)
    JOIN {rows}.product_content AS t USING (number);

CREATE OR REPLACE VIEW {views}.lowest_prices AS
SELECT p.product_id, r.currency AS currency, r.minor,
    CASE WHEN r.from_ns > -9223372036854775808
        THEN timestamptz 'epoch' + r.from_ns / 1000 * interval '1 microsecond' END AS valid_from,
    CASE WHEN r.until_ns < 9223372036854775807
        THEN timestamptz 'epoch' + r.until_ns / 1000 * interval '1 microsecond' END AS valid_until
FROM {rows}.price AS r JOIN {rows}.product AS p USING (number);

CREATE OR REPLACE VIEW {views}.product_tags AS
SELECT p.product_id, t.tag AS tag
FROM {rows}.tag AS t JOIN {rows}.product AS p USING (number);

CREATE OR REPLACE VIEW {views}.categories AS
SELECT c.category_id, c.parent_id, c.name AS name,
    c.slug AS slug, c.path AS path, c.depth,
    c.lft, c.rgt
FROM {rows}.category AS c;
