// The tables of a group's object. Made by the append that begins the group and nowhere else: an object without them is no
// group, and answers without writing. There is no member, title, time or sender in them.

/**
 * `entries`: one row for each entry, in the order of the log, written once and never changed. `by_member` marks those that
 * no admin key has signed.
 * `epochs`: the public keys that the entry numbered `since` brought. They are retired by the next row's entry.
 */
export const SCHEMA = `
CREATE TABLE IF NOT EXISTS entries (
  version INTEGER PRIMARY KEY,
  by_member INTEGER NOT NULL,
  entry BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS epochs (
  since INTEGER PRIMARY KEY,
  member_key BLOB NOT NULL,
  admin_key BLOB NOT NULL
);
`;
