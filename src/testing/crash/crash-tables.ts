/** The tables of a crash run: one for each thing that capture can get wrong. */
export const crashTables = `
  CREATE TABLE audit (tx bigint PRIMARY KEY, xid text NOT NULL, changes integer);
  CREATE TABLE plain (id integer PRIMARY KEY, n numeric, t text);
  CREATE TABLE toasty (id integer PRIMARY KEY, n integer, long text);
  ALTER TABLE toasty ALTER long SET STORAGE EXTERNAL;
  CREATE TABLE whole_rows (id integer, v text, long text);
  ALTER TABLE whole_rows REPLICA IDENTITY FULL;
  ALTER TABLE whole_rows ALTER long SET STORAGE EXTERNAL;
  CREATE TABLE by_index (a integer NOT NULL, b text NOT NULL, c integer);
  CREATE UNIQUE INDEX by_index_key ON by_index (a, b);
  ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_key;
  CREATE TABLE nothing_said (id integer PRIMARY KEY, v integer);
  ALTER TABLE nothing_said REPLICA IDENTITY NOTHING;
  CREATE TABLE keyless (v integer, w text);
  CREATE TABLE parts (id integer, region integer, v text, PRIMARY KEY (id, region))
    PARTITION BY LIST (region);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
  CREATE TABLE parts_2 (v text, region integer NOT NULL, id integer NOT NULL);
  ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
  CREATE TABLE parts_3 PARTITION OF parts DEFAULT;
  CREATE TABLE owners (id integer PRIMARY KEY, v integer);
  CREATE TABLE owned (id integer PRIMARY KEY,
    owner integer REFERENCES owners DEFERRABLE INITIALLY DEFERRED);
  CREATE TABLE places (id integer PRIMARY KEY,
    place integer NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED);
  INSERT INTO places SELECT n, n FROM generate_series(1, 20) AS n`;
