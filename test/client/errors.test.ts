import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ClientError, ERROR_CODES } from "#client";

const DOCS = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");

test("every code has its section in the documentation, and every section its code", () => {
  const sections = [...DOCS.matchAll(/^## (.+)$/gm)].map(([, name]) => name);
  expect(sections).toEqual(ERROR_CODES);
});

test("an error says what happened, what to do, and where it is explained", () => {
  for (const code of ERROR_CODES) {
    const error = new ClientError(code);
    expect(error.docs).toBe(`docs/errors.md#${code}`);
    expect(DOCS).toContain(error.message);
    expect(DOCS).toContain(error.hint);
  }
});
