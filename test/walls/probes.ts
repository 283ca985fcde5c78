// Compiles snippets as if they stood in a folder of the repository, with the real compiler and the folder's own tsconfig.json.
// Does not know which snippets ought to compile.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Probe {
  readonly folder: string;
  readonly code: string;
}

/** The compiler's complaints about each probe, in the order of the probes; an empty list means that it compiles. */
export type Verdicts = readonly (readonly string[])[];

/**
 * A small house beside ours: the tsconfig.json of every folder and package.json are copies of the real ones, each folder holds
 * one exported constant. So folders that have no code yet are probed too, and an import is refused for the wall and for nothing else.
 */
export function compileInMiniature(folders: readonly string[], probes: readonly Probe[]): Verdicts {
  return inTemporaryFolder((house) => {
    cpSync(join(ROOT, "tsconfig.base.json"), join(house, "tsconfig.base.json"));
    for (const folder of folders) {
      mkdirSync(join(house, folder));
      cpSync(join(ROOT, folder, "tsconfig.json"), join(house, folder, "tsconfig.json"));
      writeFileSync(join(house, folder, "index.ts"), `export const ${exportOf(folder)} = 1;\n`);
    }
    const aliases = Object.fromEntries(folders.map((folder) => [`#${folder}`, `./${folder}/index.ts`]));
    const manifest = readJson(join(ROOT, "package.json"));
    writeJson(join(house, "package.json"), { ...manifest, imports: { ...aliases, ...manifest.imports } });
    return compile(house, house, probes);
  });
}

/** The same against the real sources: what leaks through the declarations that a folder sees shows only here. */
export function compileInPlace(probes: readonly Probe[]): Verdicts {
  return inTemporaryFolder((folder) => compile(ROOT, folder, probes));
}

export function exportOf(folder: string): string {
  return folder.replace(/-./, (text) => text.slice(1).toUpperCase());
}

interface Config {
  readonly references?: readonly { readonly path: string }[];
  readonly imports?: Readonly<Record<string, string>>;
}

export function readJson(path: string): Config {
  return JSON.parse(readFileSync(path, "utf8")) as Config;
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value));
}

/** All probes in one build. A probe project takes over the folder's settings and references, and its file list is the probe. */
function compile(house: string, work: string, probes: readonly Probe[]): Verdicts {
  const projects = probes.map(({ folder, code }, at) => {
    const project = join(work, `probe-${at}`);
    mkdirSync(project);
    writeFileSync(join(project, "probe.ts"), code);
    const config = join(house, folder, "tsconfig.json");
    const references = readJson(config).references ?? [];
    writeJson(join(project, "tsconfig.json"), {
      extends: relative(project, config),
      compilerOptions: { outDir: "out" },
      include: ["probe.ts"],
      references: references.map(({ path }) => ({ path: relative(project, join(house, folder, path)) })),
    });
    return project;
  });
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = spawnSync(process.execPath, [tsc, "-b", "--pretty", "false", ...projects], { cwd: work, encoding: "utf8" });
  const lines = stdout.split("\n").filter((line) => line !== "");
  const verdicts = projects.map((_, at) => lines.filter((line) => line.startsWith(`probe-${at}/`)));
  // A complaint about anything but a probe means that the house itself is broken and the verdicts say nothing.
  const others = lines.filter((line) => /^\S/.test(line) && !/^probe-\d+\//.test(line));
  if (others.length > 0) throw new Error(others.join("\n"));
  return verdicts;
}

function inTemporaryFolder<T>(work: (folder: string) => T): T {
  mkdirSync(join(ROOT, ".tsc"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, ".tsc", "walls-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
