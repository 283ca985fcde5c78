// What every script needs before it can start: the packages of the lock file and Node 24.
// Runs on the machine's own Node (20 or newer) with nothing installed, so it imports Node's modules only.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { locked } from "./lock.mjs";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Where Node keeps compiled code of ours. Not in the system's folder for temporary files, where others of this machine could put
 * code for us.
 */
export const CODE_CACHE = join(root, "node_modules", ".cache", "edgewise");

/** Not in node_modules, which npm replaces. */
const LOCK = join(root, ".tsc", "installing");

/**
 * Installs what is missing, then makes sure that the calling script runs under Node 24: either this process does, or
 * the script is started again under the Node of the repository and this process ends with its exit code.
 * @param {string} script URL of the calling script
 * @param {"everything" | "what is served"} [wanted] only tests and benchmarks need the packages of their folders
 */
export function prepare(script, wanted = "everything") {
  installPackages(wanted);
  const node = nodeToUse();
  const path = [join(root, "node_modules", ".bin"), dirname(node), process.env["PATH"] ?? ""].join(delimiter);
  process.env["PATH"] = path;
  if (node === process.execPath) return;
  const { status } = spawnSync(node, [fileURLToPath(script), ...process.argv.slice(2)], { stdio: "inherit" });
  process.exit(status ?? 1);
}

/**
 * Installs what is missing.
 * @param {"everything" | "what is served"} wanted
 */
export function installPackages(wanted) {
  for (const folder of wanted === "everything" ? packages() : [root]) install(folder);
  linkProgram();
}

/**
 * Runs a program with our output as its output.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnSyncOptions} [options]
 * @returns {boolean} whether it ended with exit code 0
 */
export function run(program, args, options = {}) {
  return spawnSync(program, args, { cwd: root, stdio: "inherit", ...options }).status === 0;
}

/**
 * The Node of the lock file, so that everybody runs the same; where there is none for the platform (or it does not start:
 * another C library), this one, if it is new enough.
 * @returns {string}
 */
export function nodeToUse() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const binary = process.platform === "win32" ? "node.exe" : "node";
  const own = join(root, "node_modules", `node-${platform}-${process.arch}`, "bin", binary);
  // A process knows itself by its real path, and node_modules may be a link: started by another name it would start itself for ever.
  if (existsSync(own) && realpathSync(own) === realpathSync(process.execPath)) return process.execPath;
  if (existsSync(own) && spawnSync(own, ["--version"]).status === 0) return own;
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  console.error(`Node 24 or newer is needed: this is ${process.version}, and the lock file brings none for ${platform}-${process.arch}.`);
  return process.exit(1);
}

/** The repository, and the folders of tests and benchmarks whose peers nobody else should have to install. */
function packages() {
  const nested = ["test", "bench"].flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(root, folder, name)));
  return [root, ...nested.filter((folder) => existsSync(join(folder, "package-lock.json")))];
}

/** @param {string} folder */
function install(folder) {
  if (isInstalled(folder)) return;
  // Two commands may be a clone's first; whoever comes second finds what the first has installed.
  const installed = locked(LOCK, tellOfWaiting, () => isInstalled(folder) || runNpm(folder));
  if (!installed) process.exit(1);
}

/** @param {number} holder */
function tellOfWaiting(holder) {
  console.error(`Waiting for process ${holder}, which installs the packages. If it does something else, delete ${LOCK}`);
}

/**
 * @param {string} folder
 * @returns {boolean} whether it succeeded
 */
function runNpm(folder) {
  console.error(`Installing the packages of ${folder === root ? "the repository" : folder.slice(root.length + 1)}`);
  // npm's own Node, not ours: ours lies in the folder that npm is about to replace.
  const npm = process.env["npm_execpath"];
  const [program, first] = npm === undefined ? ["npm", []] : [process.env["npm_node_execpath"] ?? process.execPath, [npm]];
  const shell = npm === undefined && process.platform === "win32";
  const args = [...first, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  // Standard output is for what the script was asked.
  return run(program, args, { cwd: folder, shell, stdio: ["inherit", 2, "inherit"] });
}

/** npm links the programs of dependencies only, not the repository's own. Windows has no such links; npx does without. */
function linkProgram() {
  if (process.platform === "win32") return;
  try {
    symlinkSync(join("..", "..", "cli", "edgewise.mjs"), join(root, "node_modules", ".bin", "edgewise"));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

/**
 * Whether node_modules is what the lock file says. npm leaves its own record of what it installed; packages for other
 * platforms are in the lock file and not in the record.
 * @param {string} folder
 */
function isInstalled(folder) {
  const lock = readJson(join(folder, "package-lock.json"));
  const installed = readJson(join(folder, "node_modules", ".package-lock.json"))?.packages;
  if (lock === undefined || installed === undefined) return false;
  const wanted = lock.packages;
  const manifest = readJson(join(folder, "package.json"));
  const kinds = ["dependencies", "devDependencies", "optionalDependencies"];
  if (kinds.some((kind) => !isDeepStrictEqual(manifest[kind] ?? {}, wanted[""][kind] ?? {}))) return false;
  if (Object.keys(installed).some((path) => wanted[path] === undefined)) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const present = installed[path];
    if (present === undefined) return entry.optional === true;
    return present.version === entry.version && present.integrity === entry.integrity && existsSync(join(folder, path));
  });
}

/**
 * @param {string} path
 * @returns {any} undefined when there is no such file
 */
function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}
