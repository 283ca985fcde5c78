// The program as one file that Node starts quickly, and that no change of the sources reaches while it is being killed; with a
// mistake planted in the SDK when one is asked for.

import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PROGRAM = fileURLToPath(new URL("program.ts", import.meta.url));

/** In `file`, each `find` (which is there once) becomes its `replace`. */
export interface Mistake {
  readonly file: string;
  readonly changes: readonly { readonly find: string; readonly replace: string }[];
}

export async function bundleProgram(outfile: string, mistake?: Mistake): Promise<void> {
  await build({
    entryPoints: [PROGRAM],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    logLevel: "silent",
    plugins: mistake === undefined ? [] : [planted(mistake)],
  });
}

function planted({ file, changes }: Mistake): Plugin {
  return {
    name: "planted",
    setup(bundler) {
      let isThere = false;
      bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (relative(ROOT, path).replaceAll("\\", "/") !== file) return undefined;
        let contents = readFileSync(path, "utf8");
        for (const { find, replace } of changes) {
          if (contents.split(find).length !== 2) throw new Error(`${file} does not have exactly once: ${find}`);
          contents = contents.replace(find, () => replace);
        }
        isThere = true;
        return { contents, loader: "ts" };
      });
      bundler.onEnd(() => {
        if (!isThere) throw new Error(`${file} is not part of the program`);
      });
    },
  };
}
