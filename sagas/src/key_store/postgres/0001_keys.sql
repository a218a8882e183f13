-- The key store, in a schema of its own. Run in one transaction, under an advisory lock. All names
-- are qualified, so that no search_path leads elsewhere.
CREATE SCHEMA tillroll_keys;

CREATE TABLE tillroll_keys.about (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    format int NOT NULL,
    -- Fingerprint of the master key that wraps every key; empty until a node has brought one.
    master_key text,
    -- How many persons were erased. Nodes compare it with what they have heard of.
    erasures bigint NOT NULL DEFAULT 0
);

-- A person is in one row for good, so that making a key and erasing it meet at the primary key. What
-- an erasure leaves behind in the table's pages is cleared away soon.
CREATE TABLE tillroll_keys.data_keys (
    person uuid PRIMARY KEY,
    wrapped bytea,
    -- The number of the erasure.
    erasure bigint UNIQUE,
    CHECK ((wrapped IS NULL) = (erasure IS NOT NULL))
) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);

CREATE FUNCTION tillroll_keys.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the erasure of % is final', OLD.person;
END
$$;
CREATE TRIGGER erasure_is_final BEFORE UPDATE OR DELETE ON tillroll_keys.data_keys
    FOR EACH ROW WHEN (OLD.wrapped IS NULL) EXECUTE FUNCTION tillroll_keys.refuse();

-- Held while the master key changes; shared by those who make keys.
CREATE FUNCTION tillroll_keys.master_lock() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (1953066092::bigint << 32) | 'tillroll_keys.data_keys'::regclass::oid::bigint
$$;

-- One row for each person on record, or one without a person.
CREATE FUNCTION tillroll_keys.find(persons uuid[])
RETURNS TABLE (master_key text, erasures bigint, person uuid, wrapped bytea)
LANGUAGE sql STABLE AS $$
    SELECT a.master_key, a.erasures, d.person, d.wrapped
    FROM tillroll_keys.about a LEFT JOIN tillroll_keys.data_keys d ON d.person = ANY (persons)
$$;

-- Puts in the keys of those who have none, if `under` is the master key in force; finds them all.
CREATE FUNCTION tillroll_keys.make(persons uuid[], keys bytea[], under text)
RETURNS TABLE (master_key text, erasures bigint, person uuid, wrapped bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM pg_advisory_xact_lock_shared(tillroll_keys.master_lock());
    -- In one order, so that two nodes never wait for each other.
    INSERT INTO tillroll_keys.data_keys (person, wrapped)
        SELECT given.person, given.wrapped FROM unnest(persons, keys) AS given (person, wrapped)
        WHERE (SELECT a.master_key FROM tillroll_keys.about a) = under
        ORDER BY given.person
        ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT * FROM tillroll_keys.find(persons);
END
$$;

CREATE FUNCTION tillroll_keys.erase(who uuid)
RETURNS TABLE (master_key text, erasures bigint, person uuid, wrapped bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    nth bigint;
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM tillroll_keys.data_keys d WHERE d.person = who AND d.wrapped IS NULL
    ) THEN
        -- The row's lock makes erasures visible in the order of their numbers.
        UPDATE tillroll_keys.about a SET erasures = a.erasures + 1 RETURNING a.erasures INTO nth;
        INSERT INTO tillroll_keys.data_keys AS d (person, erasure) VALUES (who, nth)
            ON CONFLICT (person) DO UPDATE SET wrapped = NULL, erasure = excluded.erasure
            WHERE d.wrapped IS NOT NULL;
        PERFORM pg_notify('tillroll_keys', '');
    END IF;
    RETURN QUERY SELECT * FROM tillroll_keys.find(ARRAY[who]);
END
$$;
