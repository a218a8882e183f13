-- The journal's tables: those of postgres-es, with columns that give every event one place in one
-- order. Run in one transaction, under an advisory lock, with search_path set to the one schema.

-- As postgres-es has them. A database which has them already keeps its events.
CREATE TABLE IF NOT EXISTS events (
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    sequence bigint CHECK (sequence >= 0) NOT NULL,
    event_type text NOT NULL,
    event_version text NOT NULL,
    payload json NOT NULL,
    metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
);
CREATE TABLE IF NOT EXISTS snapshots (
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    last_sequence bigint CHECK (last_sequence >= 0) NOT NULL,
    current_snapshot bigint CHECK (current_snapshot >= 0) NOT NULL,
    payload json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, last_sequence)
);

-- `position` is empty only inside a transaction that has not committed: see tillroll_assign.
ALTER TABLE events
    ADD COLUMN position bigint CHECK (position > 0),
    ADD COLUMN event_id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN occurred_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- Events from before: in the order in which they lie in the table, which is about that of their
-- commits, but never out of order within a stream.
UPDATE events SET position = placed.place
FROM (
    SELECT aggregate_type, aggregate_id, sequence,
        row_number() OVER (ORDER BY reached, aggregate_type, aggregate_id, sequence) AS place
    FROM (
        SELECT aggregate_type, aggregate_id, sequence,
            max(ctid) OVER (PARTITION BY aggregate_type, aggregate_id ORDER BY sequence) AS reached
        FROM events
    ) AS lying
) AS placed
WHERE events.aggregate_type = placed.aggregate_type
    AND events.aggregate_id = placed.aggregate_id
    AND events.sequence = placed.sequence;

CREATE UNIQUE INDEX events_position ON events (position);

CREATE TABLE tillroll_meta (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    format int NOT NULL,
    journal_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Whoever gives out positions holds this lock until the commit is visible. So what is visible is
-- always 1, 2, 3 ... without a gap, and what is rolled back gives its positions back.
CREATE FUNCTION tillroll_order_lock() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(
        (1953066092::bigint << 32) | 'events'::regclass::oid::bigint);
END
$$;

-- Who leads which work, until when by this clock. `epoch` counts the owners.
CREATE TABLE tillroll_leases (
    name text PRIMARY KEY,
    owner uuid NOT NULL,
    epoch bigint NOT NULL CHECK (epoch > 0),
    expires_at timestamptz NOT NULL
);

-- Takes or renews a lease; NULL while another owner holds it. A new epoch begins under the lock of
-- the order: whatever was let through by the last one is visible by then, and nothing follows.
CREATE FUNCTION tillroll_hold(lease text, by_owner uuid, ttl_seconds double precision)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    until timestamptz := clock_timestamp() + make_interval(secs => ttl_seconds);
    held bigint;
BEGIN
    -- A renewal that a crash takes back only ends the lease earlier.
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE tillroll_leases SET expires_at = until WHERE name = lease AND owner = by_owner
        RETURNING epoch INTO held;
    IF held IS NOT NULL OR EXISTS (
        SELECT FROM tillroll_leases WHERE name = lease AND expires_at > clock_timestamp()
    ) THEN
        RETURN held;
    END IF;
    PERFORM set_config('synchronous_commit', 'on', true);
    PERFORM tillroll_order_lock();
    INSERT INTO tillroll_leases AS known VALUES (lease, by_owner, 1, until)
        ON CONFLICT (name) DO UPDATE
        SET owner = excluded.owner, epoch = known.epoch + 1, expires_at = excluded.expires_at
        WHERE known.expires_at <= clock_timestamp()
        RETURNING epoch INTO held;
    RETURN held;
END
$$;

-- Appends units; `firsts` has the first position of each that was committed, else `refused` has the
-- group that was at `actual` instead of what it expected, or `fenced` the epoch of its lease. A group
-- without events is a stream that was only read.
--
-- Looking up versions is most of the work besides inserting. So a stream that is expected to be new
-- is first taken to be new: if it is not, the primary key says so and all is done again with every
-- version looked up. The same if anything is refused, since a refusal tells a version.
CREATE FUNCTION tillroll_append(
    stream_types text[], stream_keys text[], stream_expected bigint[],
    unit_groups int[], unit_metadata text[],
    group_streams int[], group_expected bigint[], group_events int[],
    event_streams int[], event_units int[], event_ids uuid[], event_types text[],
    event_versions text[], payloads text[], occurred timestamptz[],
    unit_leases text[], unit_epochs bigint[], unit_recorded timestamptz[],
    OUT firsts bigint[], OUT refused int[], OUT actual bigint[], OUT fenced bigint[],
    OUT recorded timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    units int := cardinality(unit_groups);
    events_given int := cardinality(event_ids);
    sure boolean := NOT 0 = ANY (stream_expected);
    versions bigint[];
    positions bigint[];
    sequences bigint[];
    start bigint;
    head bigint;
    g int;
    e int;
    until_group int;
    wrong int;
    version bigint;
    epochs bigint[];
BEGIN
    PERFORM tillroll_order_lock();
    -- Another program may hold a row of this batch while it waits for the lock held here.
    PERFORM set_config('lock_timeout', '300ms', true);
    SELECT position INTO start FROM events
        WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1;
    start := coalesce(start, 0);
    IF EXISTS (SELECT FROM unnest(unit_leases) AS lease WHERE lease IS NOT NULL) THEN
        SELECT array_agg(coalesce(
                (SELECT epoch FROM tillroll_leases WHERE name = unit_leases[n]), 0) ORDER BY n)
            INTO epochs
            FROM generate_series(1, units) AS n;
    END IF;
    <<attempt>>
    LOOP
        SELECT array_agg(CASE WHEN stream_expected[n] = 0 AND NOT sure THEN 0 ELSE coalesce((
                SELECT sequence FROM events
                WHERE aggregate_type = stream_types[n] AND aggregate_id = stream_keys[n]
                ORDER BY sequence DESC LIMIT 1
            ), 0) END ORDER BY n)
            INTO versions
            FROM generate_series(1, cardinality(stream_keys)) AS n;
        firsts := array_fill(NULL::bigint, ARRAY[units]);
        refused := array_fill(NULL::int, ARRAY[units]);
        actual := array_fill(NULL::bigint, ARRAY[units]);
        fenced := array_fill(NULL::bigint, ARRAY[units]);
        positions := array_fill(NULL::bigint, ARRAY[events_given]);
        sequences := array_fill(NULL::bigint, ARRAY[events_given]);
        head := start;
        g := 1;
        e := 1;
        FOR u IN 1 .. units LOOP
            until_group := g + unit_groups[u] - 1;
            wrong := 0;
            IF unit_leases[u] IS NOT NULL AND unit_epochs[u] <> epochs[u] THEN
                fenced[u] := epochs[u];
                FOR i IN g .. until_group LOOP
                    e := e + group_events[i];
                END LOOP;
                g := until_group + 1;
                CONTINUE;
            END IF;
            FOR i IN g .. until_group LOOP
                IF versions[group_streams[i]] <> group_expected[i] THEN
                    wrong := i;
                    EXIT;
                END IF;
            END LOOP;
            IF wrong > 0 THEN
                IF NOT sure THEN
                    sure := true;
                    CONTINUE attempt;
                END IF;
                refused[u] := wrong;
                actual[u] := versions[group_streams[wrong]];
                FOR i IN g .. until_group LOOP
                    e := e + group_events[i];
                END LOOP;
            ELSE
                firsts[u] := head + 1;
                FOR i IN g .. until_group LOOP
                    version := group_expected[i];
                    FOR k IN 1 .. group_events[i] LOOP
                        head := head + 1;
                        version := version + 1;
                        positions[e] := head;
                        sequences[e] := version;
                        e := e + 1;
                    END LOOP;
                    versions[group_streams[i]] := version;
                END LOOP;
            END IF;
            g := until_group + 1;
        END LOOP;
        recorded := clock_timestamp();
        EXIT WHEN head = start;
        BEGIN
            INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type,
                    event_version, payload, metadata, position, event_id, occurred_at, recorded_at)
                SELECT stream_types[event_streams[n]], stream_keys[event_streams[n]], sequences[n],
                    event_types[n], event_versions[n], payloads[n]::json,
                    unit_metadata[event_units[n]]::json, positions[n], event_ids[n], occurred[n],
                    coalesce(unit_recorded[event_units[n]], recorded)
                FROM generate_series(1, events_given) AS n
                WHERE positions[n] IS NOT NULL;
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            IF sure THEN
                RAISE;
            END IF;
            sure := true;
        END;
    END LOOP;
END
$$;

-- Rows from programs that know nothing of positions get theirs when they commit, so that a
-- transaction left open by such a program holds up nobody else.
CREATE FUNCTION tillroll_assign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tillroll_order_lock();
    IF NEW.sequence < 1 OR (NEW.sequence > 1 AND NOT EXISTS (
        SELECT FROM events
        WHERE aggregate_type = NEW.aggregate_type AND aggregate_id = NEW.aggregate_id
            AND sequence = NEW.sequence - 1 AND position IS NOT NULL
    )) THEN
        RAISE EXCEPTION 'event % of % % does not follow the last one: sequences run 1, 2, 3 ...',
            NEW.sequence, NEW.aggregate_type, NEW.aggregate_id USING ERRCODE = 'check_violation';
    END IF;
    UPDATE events SET position = 1 + coalesce((
            SELECT position FROM events WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1
        ), 0)
        WHERE aggregate_type = NEW.aggregate_type AND aggregate_id = NEW.aggregate_id
            AND sequence = NEW.sequence AND position IS NULL;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER tillroll_assign AFTER INSERT ON events
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.position IS NULL) EXECUTE FUNCTION tillroll_assign();

-- Nobody sets positions by hand that do not follow on; and who waits for events is told.
CREATE FUNCTION tillroll_appended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    given bigint;
    lowest bigint;
    highest bigint;
BEGIN
    SELECT count(position), min(position), max(position) INTO given, lowest, highest FROM fresh;
    IF given > 0 THEN
        PERFORM tillroll_order_lock();
        IF highest - lowest + 1 <> given
            OR (lowest > 1 AND NOT EXISTS (SELECT FROM events WHERE position = lowest - 1)) THEN
            RAISE EXCEPTION 'positions % to % do not follow the last one: leave the column out',
                lowest, highest USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    -- A reader may act on an event at once, so none may be lost in a crash after it was seen.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    PERFORM pg_notify('tillroll_journal', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER tillroll_appended AFTER INSERT ON events
    REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION tillroll_appended();

-- What is on record stays as it is.
CREATE FUNCTION tillroll_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are on record: they are neither changed nor removed'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER tillroll_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW WHEN (OLD.position IS NOT NULL) EXECUTE FUNCTION tillroll_append_only();
CREATE TRIGGER tillroll_no_truncate BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION tillroll_append_only();

-- Names mean this schema, whatever the caller's search_path; and no plan made while the table was
-- small may read all of it once it is large.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tillroll_append', 'tillroll_assign', 'tillroll_appended',
        'tillroll_order_lock', 'tillroll_hold']
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
    FOREACH name IN ARRAY ARRAY['tillroll_append', 'tillroll_assign', 'tillroll_appended'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET enable_seqscan = off', name);
        EXECUTE format('ALTER FUNCTION %s SET enable_bitmapscan = off', name);
        EXECUTE format('ALTER FUNCTION %s SET plan_cache_mode = force_generic_plan', name);
    END LOOP;
    -- A program that may insert events needs no right to give them positions.
    FOREACH name IN ARRAY ARRAY['tillroll_assign', 'tillroll_appended'] LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER', name);
    END LOOP;
END
$$;
