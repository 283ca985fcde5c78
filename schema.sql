-- What strangers read about accounts: logs, prekeys, usernames. The same schema in KEYS_DB and every KEYS_DB_n; rows are
-- placed by keyed slots (durable-objects/databases.ts). Safe to run again. No row names a mailbox.

-- Written by the owner's mailbox, one entry at a time, compared with the one before; read by whoever may write to the owner.
CREATE TABLE IF NOT EXISTS account_log (
  user BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL,
  entry BLOB NOT NULL,
  PRIMARY KEY (user, sequence)
) WITHOUT ROWID;

-- Accounts whose log has ended. Written with its last entry; whatever is still on its way for such an account is not stored.
CREATE TABLE IF NOT EXISTS deleted_accounts (user BLOB PRIMARY KEY) WITHOUT ROWID;
-- The recovery key of an account: one row tells whoever has it from everybody else, and nobody makes the server read a log without it.
-- Written by the owner's mailbox together with the entry that changes it; `sequence` is that entry's.
CREATE TABLE IF NOT EXISTS recovery_keys (
  user BLOB PRIMARY KEY,
  sequence INTEGER NOT NULL,
  in_force BLOB,
  waiting BLOB,
  -- From this second on the one that waits is in force.
  settled INTEGER
) WITHOUT ROWID;

-- Written by an upload of the device (workers/keys) or together with the entry that adds it (mailbox).
CREATE TABLE IF NOT EXISTS device_prekeys (
  user BLOB NOT NULL,
  device INTEGER NOT NULL,
  created INTEGER NOT NULL,
  record BLOB NOT NULL,
  signed_prekey BLOB NOT NULL,
  last_resort BLOB NOT NULL,
  -- The highest id that a one-time EC key of this device ever had: later ones are above it, so no key comes back.
  highest_ec INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user, device)
) WITHOUT ROWID;

-- Written by uploads, deleted by the one statement that hands a key out.
CREATE TABLE IF NOT EXISTS one_time_ec (
  user BLOB NOT NULL,
  device INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  prekey BLOB NOT NULL,
  PRIMARY KEY (user, device, key_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS one_time_kem (
  user BLOB NOT NULL,
  device INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  prekey BLOB NOT NULL,
  PRIMARY KEY (user, device, key_id)
) WITHOUT ROWID;

-- Written by registration and by whoever takes or gives up a name; placed by the tag. Released names are held for a while.
CREATE TABLE IF NOT EXISTS usernames (
  tag BLOB PRIMARY KEY,
  user BLOB NOT NULL,
  released INTEGER
) WITHOUT ROWID;
-- For the end of an account, which gives up its names wherever they are.
CREATE INDEX IF NOT EXISTS usernames_user ON usernames (user);
