-- The database that conformance.yaml speaks of.
CREATE TABLE digits (d int NOT NULL PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE VIEW numbers AS
  SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n
  FROM digits a, digits b, digits c, digits e, digits f;

CREATE TABLE orders (
  id bigint PRIMARY KEY, customer varchar(100), total decimal(12,2), updated_at datetime(6) NOT NULL
);
-- Three rows each share the moment of their last change.
INSERT INTO orders
  SELECT n, CONCAT('Customer ', n % 25), n * 1.25, '2024-01-01' + INTERVAL (n - n % 3) MINUTE FROM numbers WHERE n < 3000;

CREATE TABLE wide (c int NOT NULL, a int NOT NULL, b varchar(100), note varchar(200), PRIMARY KEY (c, a));
INSERT INTO wide SELECT n, n % 100, CONCAT('b', n), REPEAT('x', 200) FROM numbers WHERE n < 20000;

CREATE TABLE nothing (id bigint PRIMARY KEY, note text, updated_at datetime(6) NOT NULL);

CREATE TABLE extremes (
  small smallint, medium int, big bigint, ubig bigint unsigned, single float, `double` double, exact decimal(38,9), words text,
  raw varbinary(10), day date, wall datetime(6), tree json
);
INSERT INTO extremes VALUES
  (-32768, -2147483648, -9223372036854775808, 0, -3.40282e38, -1.7976931348623157e308,
   -99999999999999999999999999999.999999999, '', '', '1000-01-01', '1000-01-01', '{}'),
  (32767, 2147483647, 9223372036854775807, 18446744073709551615, 1.5, 2.2250738585072014e-308, 0.000000001,
   'grüße 🚰\n', X'00ff', '9999-12-31', '9999-12-31 23:59:59.999999', '{"a": [null, 1]}'),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE little (id int PRIMARY KEY, pad varchar(200));
INSERT INTO little SELECT n, REPEAT(SHA2(n, 224), 3) FROM numbers WHERE n < 10000;
CREATE TABLE much (id int PRIMARY KEY, pad varchar(200));
INSERT INTO much SELECT n, REPEAT(SHA2(n, 224), 3) FROM numbers;

CREATE VIEW slow AS SELECT d AS id, SLEEP(2) AS slept FROM digits;
