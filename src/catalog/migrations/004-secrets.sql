-- What nodes prove to each other that they belong to the same database (reading a change log from
-- the node that has it). UNLOGGED: a secret is in no WAL, and so in no base backup, standby or
-- other publication. It is made when a node that has a log registers, and made anew when a crash of
-- the server has emptied the table.

CREATE UNLOGGED TABLE heliosdb.secrets (
  name text PRIMARY KEY,
  value bytea NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now()
);

-- For the role the nodes connect as, which owns it, and for nobody else.
REVOKE ALL ON heliosdb.secrets FROM PUBLIC;
