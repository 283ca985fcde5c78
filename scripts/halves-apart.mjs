// The order in which files of tests are taken. Most of them wait for servers and programs half of their time; the two halves of the
// simulator's seeds do nothing but compute, for minutes. So one of them runs beside everything else, and the other when that is through:
// at the end both would keep everybody waiting, and beside each other they would slow down whatever has little patience.

import { BaseSequencer } from "vitest/node";

const FIRST = "/test/simulator/first-half.test.ts";
const SECOND = "/test/simulator/second-half.test.ts";
/** How much of the rest is taken before the second, so that it begins about when the first ends. */
const BEFORE_SECOND = 0.4;

export class HalvesApart extends BaseSequencer {
  /**
   * @override
   * @param {import("vitest/node").TestSpecification[]} files
   * @returns {Promise<import("vitest/node").TestSpecification[]>}
   */
  async sort(files) {
    const usual = await super.sort(files);
    const only = (/** @type {string} */ path) => usual.filter(({ moduleId }) => moduleId.endsWith(path));
    const rest = usual.filter(({ moduleId }) => !moduleId.endsWith(FIRST) && !moduleId.endsWith(SECOND));
    const at = Math.floor(rest.length * BEFORE_SECOND);
    return [...only(FIRST), ...rest.slice(0, at), ...only(SECOND), ...rest.slice(at)];
  }
}
