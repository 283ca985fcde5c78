// The tables of schema.sql in every database of the test.

import schema from "../../../schema.sql?raw";

export async function makeTables(databases: readonly D1Database[]): Promise<void> {
  const statements = schema
    .replaceAll(/--.*$/gm, "")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
  await Promise.all(databases.map((database) => database.batch(statements.map((statement) => database.prepare(statement)))));
}
