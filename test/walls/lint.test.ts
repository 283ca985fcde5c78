import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "./probes.ts";

/** What the compiler cannot refuse: folder, source text, and the rule that refuses it (none: it is fine there). */
const CASES: readonly (readonly [folder: string, code: string, rule: string])[] = [
  ["protocol", `export { toHex } from "../wire/bytes.ts";`, "no-restricted-imports"],
  ["workers/keys", `export { toHex } from "../../wire/bytes.ts";`, "no-restricted-imports"],
  ["protocol", `export { toHex } from "#wire/bytes.ts";`, "no-restricted-imports"],
  ["protocol", `export { toHex } from "#wire";`, ""],
  ["protocol", `export { chain } from "./chain.ts";`, ""],
  ["protocol", `export { sha256 } from "@noble/hashes/sha2.js";`, "no-restricted-imports"],
  ["test/crypto", `export { sha256 } from "@noble/hashes/sha2.js";`, "no-restricted-imports"],
  ["crypto", `export { sha256 } from "@noble/hashes/sha2.js";`, ""],
  ["protocol", `export { nodeBackend } from "#crypto/node";`, "no-restricted-imports"],
  ["bench/protocol", `export { nodeBackend } from "#crypto/node";`, ""],
  ["bench/protocol", `export { seal } from "../../protocol/index.ts";`, ""],
  ["protocol", `export const now: number = Date.now();`, "no-restricted-globals"],
  ["identity", `export const luck: number = Math.random();`, "no-restricted-properties"],
  ["wire", `export async function later(): Promise<void> {}`, "no-async-await"],
  ["wire", `export const later: unknown = Promise.resolve();`, "no-restricted-globals"],
  ["client", `export async function later(): Promise<number> { return Date.now(); }`, ""],
  ["wire", `export default 1;`, "no-default-export"],
  ["wire", `export const loose: any = 1;`, "no-explicit-any"],
  ["wire", `export function last(items: string[]): string { return items.at(-1)!; }`, "no-non-null-assertion"],
  ["wire", `// @ts-ignore\nexport const one: string = 1;`, "ban-ts-comment"],
  ["client", `export function log(): void { console.log(1); }`, "no-console"],
  ["cli", `export function log(): void { console.log(1); }`, ""],
  ["test/wire", `import { expect, test } from "vitest"; test.only("one", () => expect(1).toBe(1));`, "no-focused-tests"],
  ["test/wire", `import { expect, test } from "vitest"; test.skip("one", () => expect(1).toBe(1));`, "no-disabled-tests"],
  ["test/wire", `import { test } from "vitest"; test("one", () => {});`, "expect-expect"],
  ["test/wire", `import { test } from "vitest"; import { expectOne } from "./x.ts"; test("one", () => expectOne(1));`, ""],
];

const refused = lint();

test.each(CASES.map(([folder, code, rule], at) => ({ folder, code, rules: rule === "" ? [] : [rule], at })))(
  "$folder/ $code → $rules",
  ({ rules, at }) => {
    expect(new Set(refused[at])).toEqual(new Set(rules));
  },
);

/** The rules that each case breaks, with the real configuration in a folder of its own. */
function lint(): readonly (readonly string[])[] {
  // Outside the repository: its ignore file would hide the cases.
  const house = mkdtempSync(join(tmpdir(), "edgewise-lint-"));
  try {
    cpSync(join(ROOT, ".oxlintrc.json"), join(house, ".oxlintrc.json"));
    CASES.forEach(([folder, code], at) => {
      mkdirSync(join(house, folder), { recursive: true });
      writeFileSync(join(house, folder, `case-${at}.ts`), `${code}\n`);
    });
    const oxlint = join(ROOT, "node_modules", "oxlint", "bin", "oxlint");
    const { stdout } = spawnSync(process.execPath, [oxlint, "--format=unix"], { cwd: house, encoding: "utf8" });
    const lines = stdout.split("\n");
    return CASES.map((_, at) =>
      lines.filter((line) => line.includes(`case-${at}.ts:`)).map((line) => /\/[\w-]*\(([\w-]+)\)/.exec(line)?.[1] ?? line),
    );
  } finally {
    rmSync(house, { recursive: true });
  }
}
