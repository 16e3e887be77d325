CREATE ROLE reader LOGIN PASSWORD 'hunter2-reader';
CREATE ROLE writer LOGIN PASSWORD 'hunter2-writer';
CREATE ROLE boss LOGIN SUPERUSER PASSWORD 'hunter2-boss';
CREATE ROLE member LOGIN PASSWORD 'hunter2-member';
GRANT boss TO member;
CREATE ROLE filer LOGIN PASSWORD 'hunter2-filer';
GRANT pg_read_server_files TO filer;

SET ROLE admin;
CREATE SCHEMA sales;
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE DOMAIN cents AS bigint;
CREATE DOMAIN percent AS int CHECK (VALUE < 100);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, mood mood);
COMMENT ON TABLE customers IS 'Who buys';
COMMENT ON COLUMN customers.name IS 'The full name';
INSERT INTO customers SELECT i, 'Customer ' || i, 'glad' FROM generate_series(1, 120) i;
ANALYZE customers;
CREATE TABLE sales.orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, total cents);
INSERT INTO sales.orders VALUES (1, 1, 500);
CREATE TABLE secret (id int PRIMARY KEY, hunter2 text);
INSERT INTO secret VALUES (1, 'hunter2');
CREATE TABLE partly (id int PRIMARY KEY, open text, hidden text, secret_id int REFERENCES secret);
CREATE VIEW names AS SELECT name FROM customers;
CREATE TABLE "Odd ""name" (id int);
CREATE SEQUENCE numbers;

CREATE FUNCTION overwrite() RETURNS int VOLATILE LANGUAGE sql
    AS 'UPDATE customers SET name = ''overwritten'' RETURNING 1';
CREATE FUNCTION overwrite_as_owner() RETURNS int VOLATILE SECURITY DEFINER LANGUAGE sql
    AS 'UPDATE customers SET name = ''overwritten'' RETURNING 1';
CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'hunter2' USING DETAIL = 'hunter2', HINT = 'hunter2'; END $$;
CREATE FUNCTION fails_otherwise() RETURNS int LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'hunter2' USING ERRCODE = '22023'; END $$;

GRANT USAGE ON SCHEMA sales TO reader, writer;
GRANT SELECT ON customers, sales.orders, names, "Odd ""name" TO reader;
GRANT SELECT (id, open, secret_id) ON partly TO reader;
GRANT ALL ON ALL TABLES IN SCHEMA public, sales TO writer;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO writer;
GRANT ALL ON SCHEMA public TO writer;
