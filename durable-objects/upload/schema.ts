// The tables of an upload. Made by its creation and nowhere else: an object without them is no upload, and answers without
// writing. No name, type, owner or address is in them.

/**
 * `upload`: one row. `multipart` is what the bucket calls the parts together, once there is one; `state` is `open`, `whole`
 * when the file is in the bucket, or `gone`.
 * `parts`: what the bucket has, each written when the bucket has answered.
 * `tail`: what came behind the parts and is too little for one, by its place in the file.
 */
export const SCHEMA = `
CREATE TABLE IF NOT EXISTS upload (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  length INTEGER NOT NULL,
  access_hash TEXT NOT NULL,
  expires INTEGER NOT NULL,
  multipart TEXT,
  state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS parts (
  number INTEGER PRIMARY KEY,
  bytes INTEGER NOT NULL,
  etag TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tail (
  place INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
);
`;
