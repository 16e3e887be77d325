-- The sample database: a small shop.
CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    email TEXT,
    since DATE NOT NULL
);
CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    price_cents INTEGER NOT NULL
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    ordered_on DATE NOT NULL,
    status TEXT NOT NULL
);
CREATE TABLE order_items (
    order_id INTEGER NOT NULL REFERENCES orders (id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL,
    PRIMARY KEY (order_id, product_id)
) WITHOUT ROWID;
CREATE INDEX orders_by_customer ON orders (customer_id);
CREATE VIEW order_totals AS
    SELECT o.id AS order_id, o.customer_id, o.ordered_on,
           sum(i.quantity * p.price_cents) AS total_cents
    FROM orders o
    JOIN order_items i ON i.order_id = o.id
    JOIN products p ON p.id = i.product_id
    GROUP BY o.id;

INSERT INTO customers (id, name, country, email, since) VALUES
    (1, 'Ada Okafor', 'NG', 'ada@example.com', '2023-02-11'),
    (2, 'Benedikt Lang', 'AT', 'b.lang@example.com', '2023-04-30'),
    (3, 'Carmen Ruiz', 'ES', NULL, '2023-07-19'),
    (4, 'Dmitri Ivanov', 'EE', 'dmitri@example.org', '2024-01-08'),
    (5, 'Elif Kaya', 'TR', 'elif@example.net', '2024-03-22'),
    (6, 'Fumiko Abe', 'JP', 'abe@example.com', '2024-09-02'),
    (7, 'Grace Murphy', 'IE', NULL, '2025-01-15'),
    (8, 'Hugo Silva', 'BR', 'hugo@example.org', '2025-06-27');
INSERT INTO products (id, name, category, price_cents) VALUES
    (1, 'Espresso beans, 1 kg', 'coffee', 2190),
    (2, 'Filter coffee, 500 g', 'coffee', 1150),
    (3, 'Green tea, 100 g', 'tea', 890),
    (4, 'Earl Grey, 100 g', 'tea', 790),
    (5, 'Hand grinder', 'equipment', 5400),
    (6, 'Glass teapot', 'equipment', 3250);
-- 120 orders in 2025, spread over customers, days and products.
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO orders (id, customer_id, ordered_on, status)
SELECT i, 1 + i * 5 % 8, date('2025-01-01', (i * 3) || ' days'),
       CASE i % 10 WHEN 0 THEN 'returned' WHEN 7 THEN 'open' ELSE 'delivered' END
FROM n;
INSERT INTO order_items (order_id, product_id, quantity)
SELECT o.id, p.id, 1 + (o.id + p.id) % 3
FROM orders o JOIN products p ON (o.id + p.id * 7) % 4 = 0;
ANALYZE;
