// The tables of a mailbox. Made at registration and nowhere else: an object without them is nobody's mailbox, and
// answers without writing.

/**
 * `messages`: written by `accept`, deleted by acknowledgement, expiry and revocation. One row each way: the key is the
 * order of delivery, there is no second index and no AUTOINCREMENT. The newest row of a device is emptied instead of deleted. The body is the message id (16 bytes) and the
 * encoded envelope.
 * `devices`: the active devices, written when the account log has changed. `seen_day` is coarse on purpose; a device that
 * was `dropped` is not written to until it shows itself again.
 * `intents`: an append to the account log that may not have reached it yet; at most one row.
 * `attempts`: written when a socket opens on a queue that is not empty, so that no message is in the way for ever.
 * `spent`: what was taken from a budget in a window of time.
 * `facts`: single values: the owner, the head of the account log, whether the account is deleted, who asks to be linked.
 */
export const SCHEMA = `
CREATE TABLE IF NOT EXISTS messages (
  device INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (device, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS devices (
  device INTEGER PRIMARY KEY,
  registration INTEGER NOT NULL,
  identity_key BLOB NOT NULL,
  seen_day INTEGER NOT NULL,
  dropped INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS intents (
  sequence INTEGER PRIMARY KEY,
  entry BLOB NOT NULL,
  upload BLOB,
  failures INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS attempts (
  device INTEGER PRIMARY KEY,
  oldest INTEGER NOT NULL,
  count INTEGER NOT NULL,
  parked TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS spent (
  budget TEXT NOT NULL,
  window INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (budget)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** What a deleted account leaves behind is `facts` alone. Dropping a table writes no row, however full it is. */
export const REMOVE = `
DROP TABLE IF EXISTS messages;
DROP TABLE IF EXISTS devices;
DROP TABLE IF EXISTS intents;
DROP TABLE IF EXISTS attempts;
DROP TABLE IF EXISTS spent;
`;
