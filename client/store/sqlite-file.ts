// The file of a store: how it is made, and what it takes to believe one. A file that is there is a store or is refused, and
// stays as it is; for that a store comes into its place complete, in one step. Knows no transaction and no key.

import { closeSync, constants, existsSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemRandom } from "#crypto";
import { toHex } from "#wire";
import { ClientError } from "../errors.ts";
import { damaged, hasCode } from "./sqlite-errors.ts";

/** "EdgW", where SQLite keeps whose file it is. */
const APPLICATION_ID = 0x45646757;
const FORMAT = 1;
const PAGE_BYTES = 4096;
/** Reading the whole structure of a file of this size costs less than a tenth of a second; larger ones are not read on opening. */
const MAX_CHECKED_BYTES = 64 * 1024 * 1024;

const TABLES = `
CREATE TABLE records (key TEXT PRIMARY KEY, value BLOB NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE keyring (id INTEGER PRIMARY KEY CHECK (id = 1), wrapped BLOB NOT NULL, sum INTEGER NOT NULL) STRICT;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${FORMAT};
`;

/**
 * FULL: what was committed survives the machine's power. What is deleted is overwritten, because a key that should be
 * forgotten is among it.
 */
const SETTINGS = `
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA trusted_schema = OFF;
PRAGMA cache_size = -16000;
PRAGMA journal_size_limit = 16777216;
`;

/** Throws what SQLite and the file system throw, ClientError `storage-corrupt`, or `upgrade-required`. */
export function openFile(path: string, maximumBytes: number | undefined): DatabaseSync {
  // Asked before the file itself: a log that is there was beside a file that was there.
  const hasLog = existsSync(`${path}-wal`);
  if (!existsSync(path)) {
    if (hasLog) throw damaged("the file is gone and its log is not");
    createFile(path);
  }
  requireContent(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    requireOurs(database);
    database.exec(SETTINGS);
    if (maximumBytes !== undefined) database.exec(`PRAGMA max_page_count = ${Math.ceil(maximumBytes / PAGE_BYTES)}`);
    requireFormat(database);
    if (statSync(path).size <= MAX_CHECKED_BYTES) requireStructure(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Two programs may do this at once: both make a file, one of the two gets the name. */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${toHex(systemRandom(8))}.new`;
  closeSync(openSync(draft, "wx", 0o600));
  try {
    const database = new DatabaseSync(draft);
    try {
      database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN; ${TABLES} COMMIT;`);
    } finally {
      database.close();
    }
    linkSync(draft, path);
    syncFolder(dirname(path));
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** So that a name in it survives the machine's power. */
export function syncFolder(path: string): void {
  // Windows has no such call, and does not need it.
  if (process.platform === "win32") return;
  const folder = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Before SQLite sees it, which takes an empty file for a new database and throws its log away. The file is not opened for
 * this: to close it again would take from this program the locks that another connection of it holds (sqlite.org/howtocorrupt.html,
 * section 2.2).
 */
function requireContent(path: string): void {
  if (statSync(path).size < PAGE_BYTES) throw damaged("the file was cut");
}

/** First of all: nothing is done to a stranger's database. */
function requireOurs(database: DatabaseSync): void {
  const owner = database.prepare("PRAGMA application_id").get()?.["application_id"];
  if (owner !== APPLICATION_ID) throw damaged("the file is no store");
}

function requireFormat(database: DatabaseSync): void {
  const format = database.prepare("PRAGMA user_version").get()?.["user_version"];
  if (typeof format === "number" && format > FORMAT) throw new ClientError("upgrade-required");
  const mode = database.prepare("PRAGMA journal_mode").get()?.["journal_mode"];
  if (format !== FORMAT || mode !== "wal") throw damaged("the head of the file is damaged");
}

/** A page that nothing leads to any more would be missing in silence. */
function requireStructure(database: DatabaseSync): void {
  const verdict = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (verdict !== "ok") throw damaged("the structure of the file is damaged");
}
