import { globSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compileInMiniature, compileInPlace, exportOf, readJson, ROOT } from "./probes.ts";

/** The picture of the house: which folders a folder may import. */
const MAY_IMPORT: ReadonlyMap<string, readonly string[]> = new Map([
  ["wire", []],
  ["crypto", ["wire"]],
  ["identity", ["wire", "crypto"]],
  ["protocol", ["wire", "crypto", "identity"]],
  ["client", ["wire", "crypto", "identity", "protocol"]],
  ["durable-objects", ["wire", "crypto", "identity"]],
  ["workers", ["wire", "crypto", "identity", "durable-objects"]],
]);
const FOLDERS = [...MAY_IMPORT.keys()];
const PURE = ["wire", "identity", "protocol"];
const PLATFORM = ["document", "window", "process", "Buffer", "crypto", "fetch", "console", "setTimeout", "queueMicrotask", "TextEncoder"];

/** TS6307: the file is neither the project's own nor part of a project that it references. */
const BEYOND_THE_WALL = /error TS6307/;
const NO_SUCH_NAME = /error TS(2304|2580|2584|2591)/;
const NO_SUCH_MODULE = /error TS(2307|2591)/;

describe("imports run downwards", () => {
  const pairs = FOLDERS.flatMap((from) => FOLDERS.filter((to) => to !== from).map((to) => ({ from, to })));
  const forms: readonly ((to: string) => string)[] = [
    (to) => `import { ${exportOf(to)} } from "#${to}";\nexport const probe: number = ${exportOf(to)};\n`,
    (to) => `import { ${exportOf(to)} } from "../${to}/index.ts";\nexport const probe: number = ${exportOf(to)};\n`,
    (to) => `export type Probe = typeof import("#${to}");\n`,
    (to) => `export async function probe(): Promise<unknown> {\n  return await import("#${to}");\n}\n`,
  ];
  const errors = compileInMiniature(
    FOLDERS,
    pairs.flatMap(({ from, to }) => forms.map((form) => ({ folder: from, code: form(to) }))),
  );
  const cases = pairs.map(({ from, to }, at) => ({ from, to, errors: errors.slice(at * forms.length, (at + 1) * forms.length) }));
  const isAllowed = ({ from, to }: { readonly from: string; readonly to: string }) => MAY_IMPORT.get(from)?.includes(to) === true;

  test.each(cases.filter(isAllowed))("$from/ may import $to/", ({ errors: found }) => {
    expect(found).toEqual(forms.map(() => []));
  });

  test.each(cases.filter((pair) => !isAllowed(pair)))("$from/ importing $to/ does not compile, whatever the form", ({ errors: found }) => {
    expect(found).toEqual(forms.map(() => [expect.stringMatching(BEYOND_THE_WALL)]));
  });
});

describe("the pure folders see no platform, with the real sources below them", () => {
  const snippets = [
    ...PLATFORM.map((name) => ({ what: `naming ${name}`, code: `export const probe: unknown = ${name};\n`, verdict: [NO_SUCH_NAME] })),
    {
      what: "importing node:fs",
      code: `import { readFileSync } from "node:fs";\nexport const probe: unknown = readFileSync;\n`,
      verdict: [NO_SUCH_MODULE],
    },
    {
      what: "naming what JavaScript has everywhere",
      code: `export const probe: number = Math.max(1, new Uint8Array(2).length);\n`,
      verdict: [],
    },
  ];
  const probes = PURE.flatMap((folder) => snippets.map((snippet) => ({ folder, ...snippet })));
  const errors = compileInPlace(probes);

  test.each(probes.map((probe, at) => ({ ...probe, errors: errors[at] })))("$folder/ $what", ({ verdict, errors: found }) => {
    expect(found).toEqual(verdict.map((complaint) => expect.stringMatching(complaint)));
  });
});

test("every folder with code is part of the build that the checks run", () => {
  const built = readJson(join(ROOT, "tsconfig.json")).references?.map(({ path }) => path);
  const withCode = [...FOLDERS, "test", "bench"].filter((folder) => globSync("**/*.ts", { cwd: join(ROOT, folder) }).length > 0);
  expect(built).toEqual(expect.arrayContaining(withCode));
});
