// What the runtime below a process has used, by Linux's /proc. Knows nothing of what it is doing.

import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ, which is 100 on every Linux that we know. */
const TICKS_A_SECOND = 100;
const PAGE_BYTES = 4096;

interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** The sum over the runtime's processes (`workerd`) below `root`; the Node that started it serves nothing. */
export function runtimeUsage(root: number): Usage {
  const processes = readProcesses();
  const below = new Set([root]);
  // Parents can have larger numbers than their children once numbers wrap: repeat until nothing is added.
  for (let size = 0; size !== below.size;) {
    size = below.size;
    for (const { pid, parent } of processes) if (below.has(parent)) below.add(pid);
  }
  const runtime = processes.filter(({ pid, name }) => below.has(pid) && name === "workerd");
  if (runtime.length === 0) throw new Error("no runtime below the process");
  return {
    cpuSeconds: runtime.reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_A_SECOND,
    residentBytes: runtime.reduce((sum, { pages }) => sum + pages, 0) * PAGE_BYTES,
  };
}

function readProcesses() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const end = stat.lastIndexOf(")");
        // After the name: state, parent (field 4), …, utime (14), stime (15), …, resident pages (24); proc_pid_stat(5).
        const fields = stat.slice(end + 2).split(" ");
        const field = (number: number): number => Number(fields[number - 3]);
        const name = stat.slice(stat.indexOf("(") + 1, end);
        return [{ pid: Number(pid), name, parent: field(4), ticks: field(14) + field(15), pages: field(24) }];
      } catch {
        return []; // it has ended in between
      }
    });
}
