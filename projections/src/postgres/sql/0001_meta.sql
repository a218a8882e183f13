-- What is about generations, and what is read by people. The rows of each generation are in a
-- schema of their own, made when it begins.

CREATE SCHEMA {meta};
COMMENT ON SCHEMA {meta} IS 'Tillroll: which generation of each read model serves. Not for reading.';

CREATE TABLE {meta}.format (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    format integer NOT NULL
);
INSERT INTO {meta}.format (format) VALUES (0);

-- Who writes. The epoch is the key, so that it can be held (FOR KEY SHARE) while the lease is
-- renewed, and nobody can take the lease while a batch is committed under it.
CREATE TABLE {meta}.lease (
    epoch bigint PRIMARY KEY,
    owner uuid,
    until timestamptz NOT NULL
);
INSERT INTO {meta}.lease VALUES (1, NULL, '-infinity');

CREATE FUNCTION {meta}.fence(mine bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM {meta}.lease WHERE epoch = mine FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another node writes the read models' USING ERRCODE = 'TR001';
    END IF;
END $$;

CREATE TABLE {meta}.model (
    name text PRIMARY KEY,
    serving bigint NOT NULL
);

CREATE TABLE {meta}.generation (
    model text NOT NULL,
    generation bigint NOT NULL,
    -- A rebuild is finished and waits to be taken over.
    ready boolean NOT NULL DEFAULT false,
    -- Put aside then; gone some seconds later, when no reader can be on its way to it.
    retired timestamptz,
    PRIMARY KEY (model, generation)
);

-- Parked events of these models are to be tried again.
CREATE TABLE {meta}.retry (model text PRIMARY KEY);

CREATE SCHEMA {views};
COMMENT ON SCHEMA {views} IS 'Tillroll: read models as views, see docs/read-models.md';

CREATE VIEW {views}.progress AS
    SELECT ''::text AS model, 0::bigint AS generation, 0::bigint AS position,
           0::bigint AS model_version, '00000000-0000-0000-0000-000000000000'::uuid AS journal_id
    WHERE false;

CREATE VIEW {views}.parked AS
    SELECT ''::text AS model, 0::bigint AS position, ''::text COLLATE "C" AS stream,
           ''::text COLLATE "C" AS error
    WHERE false;
