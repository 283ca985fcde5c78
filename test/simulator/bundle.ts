// Makes one program of the simulator and the product, in a file that Node can load: with the platform's modules in the place
// of Cloudflare's, with what is sealed being noted, and with as many mistakes planted as are asked for.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type * as Subject from "./subject.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SUBJECT = fileURLToPath(new URL("subject.ts", import.meta.url));
const CLOUDFLARE = fileURLToPath(new URL("../support/cloudflare-workers.ts", import.meta.url));
const WATCH = fileURLToPath(new URL("wire-watch.ts", import.meta.url));
const PROTOCOL = join(ROOT, "protocol", "index.ts");

/** A mistake: in `file`, `find` (which is there once) becomes `replace`. */
export interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** @throws Error when a change fits nowhere, or in more than one place */
export async function loadSubject(changes: readonly Change[] = []): Promise<typeof Subject> {
  const folder = mkdtempSync(join(tmpdir(), "edgewise-simulator-"));
  const file = join(folder, "subject.mjs");
  try {
    const applied = new Set<Change>();
    await build({
      entryPoints: [SUBJECT],
      outfile: file,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node24",
      sourcemap: "inline",
      logLevel: "silent",
      alias: { "cloudflare:workers": CLOUDFLARE },
      plugins: [planted(changes, applied), observed],
    });
    const missing = changes.find((change) => !applied.has(change));
    if (missing !== undefined) throw new Error(`${missing.file} is not part of the program`);
    return (await import(pathToFileURL(file).href)) as typeof Subject; // made from it a moment ago
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function planted(changes: readonly Change[], applied: Set<Change>): Plugin {
  return {
    name: "planted",
    setup(bundler) {
      bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const name = relative(ROOT, path).replaceAll("\\", "/");
        const here = changes.filter(({ file }) => file === name);
        if (here.length === 0) return undefined;
        let contents = readFileSync(path, "utf8");
        for (const change of here) {
          if (contents.split(change.find).length !== 2) throw new Error(`${name} does not have exactly once: ${change.find}`);
          contents = contents.replace(change.find, () => change.replace);
          applied.add(change);
        }
        return { contents, loader: "ts" };
      });
    },
  };
}

/** The client's way to the protocol leads past whoever watches. */
const observed: Plugin = {
  name: "observed",
  setup(bundler) {
    bundler.onResolve({ filter: /^#protocol$/ }, ({ importer }) =>
      relative(ROOT, importer).startsWith("client") ? { path: "protocol", namespace: "observed" } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: "observed" }, () => ({ contents: OBSERVED, loader: "ts", resolveDir: ROOT }));
  },
};

const OBSERVED = `
export * from ${JSON.stringify(PROTOCOL)};
import { sealForOne as seal } from ${JSON.stringify(PROTOCOL)};
import { noteSealed } from ${JSON.stringify(WATCH)};
export function sealForOne(input, random) {
  const sealed = seal(input, random);
  noteSealed(sealed, input);
  return sealed;
}
`;
