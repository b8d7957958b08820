"""Traces, partitioned by the UTC day in which a request started (gateway.md "Traces").

There is no foreign key: organizations are never deleted, each further index and check is paid for by every request of
every application, and a trace may name a release of somebody else's registry. `xact` is the transaction that wrote the
row (trace_models.Trace). Indexes leave the organization out where a value of another one is a coincidence, as each
byte of them counts at ingest; what is read by route or release is read of a span of time, for which the index by time
will do. Ids are compared byte by byte (COLLATE "C"), whatever the language of the database; bodies are not compressed,
as encrypted bytes do not shrink.

rc_app may not make tables, but the ticker acts as rc_app. Two functions of the owner do just that and nothing else.
Whoever makes a day's partition moves the rows that lie in the default one first, and holds up new rows meanwhile: one
that was sent to the default partition before would be refused by it after. Both give up on a lock after 0.8 seconds:
every trace waits behind a waiting exclusive lock, the ticker comes again, and PostgreSQL looks for deadlocks, to end one
of the two, only after a second.
"""

from typing import ClassVar

from django.db import migrations

TABLE = """
CREATE TABLE releases_trace (
    organization_id varchar(40) COLLATE "C" NOT NULL,
    trace_id varchar(32) COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    xact bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    request_id varchar(100) COLLATE "C" NOT NULL,
    release varchar(64),
    route_id varchar(40),
    rollout_id varchar(40) COLLATE "C",
    arm varchar(10) CHECK (arm IN ('stable', 'candidate', 'shadow')),
    generation bigint CHECK (generation >= 0),
    subject bytea NOT NULL CHECK (octet_length(subject) = 16),
    slice varchar(63),
    status smallint CHECK (status >= 0),
    error varchar(40),
    ttft_ms double precision,
    latency_ms double precision,
    input_tokens integer CHECK (input_tokens >= 0),
    output_tokens integer CHECK (output_tokens >= 0),
    fingerprint varchar(64),
    model varchar(300),
    replica varchar(100),
    body bytea,
    PRIMARY KEY (organization_id, trace_id, started_at)
) PARTITION BY RANGE (started_at);
ALTER TABLE releases_trace ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE releases_trace_default PARTITION OF releases_trace DEFAULT;
CREATE INDEX releases_trace_newest ON releases_trace (organization_id, started_at);
CREATE INDEX releases_trace_release ON releases_trace (release, started_at) WHERE release IS NOT NULL;
CREATE INDEX releases_trace_request ON releases_trace (request_id);
CREATE INDEX releases_trace_subject ON releases_trace (subject);
CREATE INDEX releases_trace_rollout ON releases_trace (rollout_id, xact) WHERE rollout_id IS NOT NULL;
"""
PARTITIONS = """
CREATE FUNCTION relcontrol_make_trace_partitions(first date, days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '800ms' AS $$
DECLARE
    day date;
    name text;
    low timestamptz;
    high timestamptz;
    made integer := 0;
BEGIN
    IF days NOT BETWEEN 1 AND 400 THEN
        RAISE EXCEPTION 'days must be from 1 to 400, not %', days USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('relcontrol_trace_partitions'));
    FOR day IN SELECT first + number FROM generate_series(0, days - 1) AS number LOOP
        name := 'releases_trace_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        low := day::timestamp AT TIME ZONE 'UTC';
        high := (day + 1)::timestamp AT TIME ZONE 'UTC';
        EXECUTE format('CREATE TABLE public.%I (LIKE public.releases_trace INCLUDING ALL)', name);
        LOCK TABLE public.releases_trace IN SHARE ROW EXCLUSIVE MODE;
        LOCK TABLE public.releases_trace_default IN ACCESS EXCLUSIVE MODE;
        EXECUTE format(
            'WITH moved AS (DELETE FROM public.releases_trace_default'
            ' WHERE started_at >= %L AND started_at < %L RETURNING *)'
            ' INSERT INTO public.%I SELECT * FROM moved', low, high, name);
        EXECUTE format(
            'ALTER TABLE public.releases_trace ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            name, low, high);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;
CREATE FUNCTION relcontrol_drop_trace_partitions(before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '800ms' AS $$
DECLARE
    name text;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('relcontrol_trace_partitions'));
    FOR name IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'public.releases_trace'::regclass AND relname ~ '^releases_trace_[0-9]{8}$'
            AND right(relname, 8) < to_char(before, 'YYYYMMDD')
        ORDER BY relname
    LOOP
        EXECUTE format('DROP TABLE public.%I', name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION relcontrol_make_trace_partitions(date, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION relcontrol_drop_trace_partitions(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION relcontrol_make_trace_partitions(date, integer) TO rc_app;
GRANT EXECUTE ON FUNCTION relcontrol_drop_trace_partitions(date) TO rc_app;
"""
GONE = """
DROP FUNCTION relcontrol_drop_trace_partitions(date);
DROP FUNCTION relcontrol_make_trace_partitions(date, integer);
DROP TABLE releases_trace;
"""


class Migration(migrations.Migration):
    """The partitioned table, and the functions that make and drop its partitions."""

    dependencies: ClassVar = [("releases", "0002_rollouts")]
    operations: ClassVar = [migrations.RunSQL(TABLE + PARTITIONS, GONE)]
