-- The database that conformance.yaml speaks of.
CREATE TABLE orders (
  id bigint PRIMARY KEY, customer text, total numeric(12,2), updated_at timestamptz NOT NULL
);
-- Three rows each share the moment of their last change.
INSERT INTO orders
  SELECT n, 'Customer ' || n % 25, n * 1.25, '2024-01-01 00:00:00+00'::timestamptz + (n - n % 3) * interval '1 minute'
  FROM generate_series(0, 2999) AS n;

CREATE TABLE wide (a integer, b text, c integer NOT NULL, note text, PRIMARY KEY (c, a));
INSERT INTO wide SELECT n % 100, 'b' || n, n, repeat('x', 200) FROM generate_series(1, 20000) AS n;

CREATE TABLE nothing (id bigint PRIMARY KEY, note text, updated_at timestamptz NOT NULL);

CREATE TABLE extremes (
  flag boolean, small smallint, medium integer, big bigint, single real, double double precision, exact numeric(38,9),
  endless numeric, words text, raw bytea, day date, wall timestamp, moment timestamptz, clock time, id uuid, tree jsonb
);
INSERT INTO extremes VALUES
  (false, -32768, -2147483648, -9223372036854775808, '-3.4028235e38', '-1.7976931348623157e308',
   -99999999999999999999999999999.999999999, -1e100, '', '\x', '0001-01-01', '0001-01-01', '0001-01-01 00:00:00+00', '00:00',
   '00000000-0000-0000-0000-000000000000', '{}'),
  (true, 32767, 2147483647, 9223372036854775807, '1.4e-45', '5e-324', 0.000000001, 0.0000000000000000000000000000001,
   E'grüße 🚰\n', '\x00ff', '9999-12-31', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00', '23:59:59.999999',
   'ffffffff-ffff-ffff-ffff-ffffffffffff', '{"a": [null, 1e2]}'),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE little AS SELECT n AS id, repeat(md5(n::text), 4) AS pad FROM generate_series(1, 20000) AS n;
CREATE TABLE much AS SELECT n AS id, repeat(md5(n::text), 4) AS pad FROM generate_series(1, 200000) AS n;

CREATE VIEW slow AS SELECT n AS id, pg_sleep(60)::text AS slept FROM generate_series(1, 10) AS n;
ANALYZE;
