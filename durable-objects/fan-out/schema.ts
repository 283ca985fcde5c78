// The tables of an object that has messages to many under way. There are 4,096 such objects, whatever is asked, so each
// makes them when it first wakes.

/**
 * `jobs`: written by `submit`, once for each chunk that comes to an end, and by the alarm; deleted when every recipient has an
 * outcome. Small, because it is rewritten. `due` is when the alarm looks after it, `failures` how often it did, `given_up` how
 * often the queue gave a chunk up.
 * `payloads`: the message and its recipients, written once and deleted with the job.
 * `results`: the outcomes of jobs that are done, for a day.
 */
export const SCHEMA = `
CREATE TABLE IF NOT EXISTS jobs (
  handle TEXT PRIMARY KEY,
  submitted INTEGER NOT NULL,
  due INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  given_up INTEGER NOT NULL DEFAULT 0,
  progress TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payloads (handle TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS results (
  handle TEXT PRIMARY KEY,
  expires INTEGER NOT NULL,
  progress TEXT NOT NULL
) WITHOUT ROWID;
`;
