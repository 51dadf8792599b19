-- Taking orders in inside the database: one call an order, and the batch looped without any client.
-- Both write the rows of the book and take from its own levels; neither chooses a warehouse by a policy.
CREATE SCHEMA inside;
CREATE SEQUENCE inside.number CACHE 1000;

CREATE FUNCTION inside.decided(lines int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT '{"policy": "priority", "version": 1, "shares": [' || repeat('[123456, 1, 1], ', lines) || '], "considered": ['
    || repeat('[1, [[1234, 1000000], [5678, 1000000]]], ', 5) || ']}'
$$;

CREATE FUNCTION inside.asked(lines int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT '{"to": ["US", "627"], "lines": [' || repeat('["gid://shopify/LineItem/1234567", 1, [[1234, 1]]], ', lines)
    || '], "warehouses": {"1": "w1", "2": "w2", "3": "w3", "4": "w4", "5": "w5"}}'
$$;

CREATE FUNCTION inside.take_order(key text, skus bigint[], quantities int[], placed bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  the_order bigint;
  the_line bigint;
  at record;
  wanted int;
  units int;
BEGIN
  INSERT INTO sales_order (account_id, channel_order_id, name, state, way, digest, currency, country, postcode_prefix,
    applications, version_at, placed_at, first_applied_at)
  VALUES (1, key, '#' || key, 'open', 'webhook', '0123456789abcdef', 'USD', 'US', '627', 1, placed, placed, placed)
  ON CONFLICT (account_id, channel_order_id) DO NOTHING RETURNING id INTO the_order;
  IF the_order IS NULL THEN RETURN NULL; END IF;
  INSERT INTO recipient (order_id, name, street, city, province, postcode, country)
  VALUES (the_order, 'Jane Example', '1 Main Street', 'Springfield', 'IL', '62701', 'US');
  FOR n IN 1 .. cardinality(skus) LOOP
    INSERT INTO order_line (order_id, channel_line_id, line_key, code, listing_id, quantity, taken_min, taken_max,
      currency, placed_at)
    VALUES (the_order, 'gid://shopify/LineItem/' || key || '-' || n, 'gid://shopify/ProductVariant/' || skus[n],
      'SKU-' || skus[n], skus[n], quantities[n], quantities[n], quantities[n], 'USD', placed)
    RETURNING id INTO the_line;
    INSERT INTO line_component (order_line_id, sku_id, units) VALUES (the_line, skus[n], 1);
    wanted := quantities[n];
    FOR at IN SELECT warehouse_id, on_hand - unavailable - reserved AS available, seq FROM level
      WHERE sku_id = skus[n] ORDER BY warehouse_id FOR UPDATE
    LOOP
      units := least(wanted, at.available);
      IF units > 0 THEN
        UPDATE level SET reserved = reserved + units, seq = seq + 1
        WHERE sku_id = skus[n] AND warehouse_id = at.warehouse_id;
        INSERT INTO reservation (order_line_id, sku_id, warehouse_id, stage, quantity)
        VALUES (the_line, skus[n], at.warehouse_id, 'held', units);
        INSERT INTO movement (sku_id, warehouse_id, seq, kind, d_reserved, cause_key, actor, at)
        VALUES (skus[n], at.warehouse_id, at.seq + 1, 'reservation', units,
          'line/' || the_line || '/reservation/' || skus[n] || '/' || at.warehouse_id || '/1', 'intake', placed);
        wanted := wanted - units;
      END IF;
      EXIT WHEN wanted = 0;
    END LOOP;
    IF wanted > 0 THEN RAISE EXCEPTION 'not enough of %', skus[n]; END IF;
    UPDATE cell SET sold_hi = sold_hi + quantities[n], sold_lo = sold_lo + quantities[n]
    WHERE listing_id = skus[n] AND anchor_hi_at < placed;
    INSERT INTO dirty_listing (listing_id, account_id, since_at, urgency, due_at)
    VALUES (skus[n], 1, placed, 0, placed)
    ON CONFLICT (listing_id) DO UPDATE SET version = dirty_listing.version + 1,
      urgency = least(dirty_listing.urgency, excluded.urgency),
      since_at = least(dirty_listing.since_at, excluded.since_at),
      due_at = least(dirty_listing.due_at, excluded.due_at);
  END LOOP;
  INSERT INTO decision (kind, order_id, policy, policy_version, inputs, outcome, decided_at)
  VALUES ('allocation', the_order, 'priority', 1, inside.asked(cardinality(skus)), inside.decided(cardinality(skus)),
    placed);
  RETURN the_order;
END
$$;

-- For so many seconds: transactions of `size` orders each, everything from the first warehouse.
CREATE PROCEDURE inside.take_batches(seconds float, size int, skus int, hot boolean, placed bigint)
LANGUAGE plpgsql AS $$
DECLARE
  until timestamptz := clock_timestamp() + seconds * interval '1 second';
  orders bigint[];
  lines bigint[];
  wanted bigint[];
  quantities int[];
BEGIN
  WHILE clock_timestamp() < until LOOP
    WITH told AS (
      INSERT INTO sales_order (account_id, channel_order_id, name, state, way, digest, currency, country,
        postcode_prefix, applications, version_at, placed_at, first_applied_at)
      SELECT 1, key, '#' || key, 'open', 'webhook', '0123456789abcdef', 'USD', 'US', '627', 1, placed, placed, placed
      FROM (SELECT 'inside-' || nextval('inside.number') AS key FROM generate_series(1, size)) k
      ON CONFLICT (account_id, channel_order_id) DO NOTHING RETURNING id
    ) SELECT array_agg(id) INTO orders FROM told;
    INSERT INTO recipient (order_id, name, street, city, province, postcode, country)
    SELECT id, 'Jane Example', '1 Main Street', 'Springfield', 'IL', '62701', 'US' FROM unnest(orders) AS o (id);
    WITH picked AS (
      SELECT o.id, n, CASE WHEN hot THEN 7 ELSE (n * skus / 3) + 1 + floor(random() * (skus / 3))::int END AS sku_id,
        CASE WHEN hot THEN 1 ELSE 1 + (random() < 0.5)::int END AS quantity
      FROM unnest(orders) AS o (id), generate_series(0, CASE WHEN hot THEN 0 ELSE 1 + (o.id % 2)::int END) AS n
    ), made AS (
      INSERT INTO order_line (order_id, channel_line_id, line_key, code, listing_id, quantity, taken_min, taken_max,
        currency, placed_at)
      SELECT id, 'gid://shopify/LineItem/inside-' || id || '-' || n, 'gid://shopify/ProductVariant/' || sku_id,
        'SKU-' || sku_id, sku_id, quantity, quantity, quantity, 'USD', placed FROM picked
      RETURNING id, listing_id, quantity
    ) SELECT array_agg(id), array_agg(listing_id), array_agg(quantity) INTO lines, wanted, quantities FROM made;
    PERFORM 1 FROM level WHERE sku_id = ANY(wanted) ORDER BY sku_id, warehouse_id FOR UPDATE;
    WITH taken AS (
      SELECT line_id, t.sku_id, t.quantity,
        l.seq + (row_number() OVER (PARTITION BY t.sku_id ORDER BY line_id))::int AS seq
      FROM unnest(lines, wanted, quantities) AS t (line_id, sku_id, quantity)
      JOIN level l ON l.sku_id = t.sku_id AND l.warehouse_id = 1
    ), by_sku AS (
      SELECT sku_id, sum(quantity)::int AS quantity, count(*)::int AS steps FROM taken GROUP BY 1
    ), levelled AS (
      UPDATE level SET reserved = reserved + by_sku.quantity, seq = seq + by_sku.steps
      FROM by_sku WHERE level.sku_id = by_sku.sku_id AND level.warehouse_id = 1
    ), made AS (
      INSERT INTO line_component (order_line_id, sku_id, units) SELECT line_id, sku_id, 1 FROM taken
    ), held AS (
      INSERT INTO reservation (order_line_id, sku_id, warehouse_id, stage, quantity)
      SELECT line_id, sku_id, 1, 'held', quantity FROM taken
    ), moved AS (
      INSERT INTO movement (sku_id, warehouse_id, seq, kind, d_reserved, cause_key, actor, at)
      SELECT sku_id, 1, seq, 'reservation', quantity, 'line/' || line_id || '/reservation/' || sku_id || '/1/1',
        'intake', placed FROM taken
    ), lowered AS (
      UPDATE cell SET sold_hi = sold_hi + by_sku.quantity, sold_lo = sold_lo + by_sku.quantity
      FROM by_sku WHERE cell.listing_id = by_sku.sku_id AND cell.anchor_hi_at < placed
    ), decided AS (
      INSERT INTO decision (kind, order_id, policy, policy_version, inputs, outcome, decided_at)
      SELECT 'allocation', id, 'priority', 1, inside.asked(CASE WHEN hot THEN 1 ELSE 2 + (id % 2)::int END),
        inside.decided(CASE WHEN hot THEN 1 ELSE 2 + (id % 2)::int END), placed FROM unnest(orders) AS o (id)
    )
    INSERT INTO dirty_listing (listing_id, account_id, since_at, urgency, due_at)
    SELECT sku_id, 1, placed, 0, placed FROM by_sku ORDER BY sku_id
    ON CONFLICT (listing_id) DO UPDATE SET version = dirty_listing.version + 1,
      urgency = least(dirty_listing.urgency, excluded.urgency),
      since_at = least(dirty_listing.since_at, excluded.since_at),
      due_at = least(dirty_listing.due_at, excluded.due_at);
    COMMIT;
  END LOOP;
END
$$;
