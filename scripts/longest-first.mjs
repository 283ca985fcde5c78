// The order in which files of tests are taken: those that take minutes before all others, or the last of them runs alone while
// every other core is idle. A fresh clone has no times of an earlier run to go by, and a short file may be a long test.

import { BaseSequencer } from "vitest/node";

/** Longest first. A file that is missing here, or here for nothing, costs time and nothing else. */
const LONG = [
  "test/simulator/first-half.test.ts",
  "test/simulator/second-half.test.ts",
  "test/durable-objects/sockets.workerd.test.ts",
  "test/cli/conversation.test.ts",
  "test/client/groups/killed.test.ts",
  "test/interop/sessions-0103.test.ts",
  "test/interop/sessions-075.test.ts",
  "test/cli/main-job.test.ts",
  "test/simulator/groups.test.ts",
  "test/simulator/planted-bugs.test.ts",
  "test/server/to-many.test.ts",
  "test/cli/devices-history.test.ts",
  "test/server/killed.test.ts",
  "test/cli/listen.test.ts",
  "test/cli/groups.test.ts",
  "test/workers/keys-once.workerd.test.ts",
  "test/workers/send-to-many.workerd.test.ts",
  "test/server/killed-groups.test.ts",
  "test/client/groups/scale.test.ts",
  "test/fuzz/messages.test.ts",
  "test/client/killed/killed.test.ts",
];

export class LongestFirst extends BaseSequencer {
  /**
   * @override
   * @param {import("vitest/node").TestSpecification[]} files
   * @returns {Promise<import("vitest/node").TestSpecification[]>}
   */
  async sort(files) {
    const usual = await super.sort(files);
    return usual.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

/** @param {import("vitest/node").TestSpecification} file */
function placeOf({ moduleId }) {
  const place = LONG.findIndex((path) => moduleId.endsWith(`/${path}`));
  return place === -1 ? LONG.length : place;
}
