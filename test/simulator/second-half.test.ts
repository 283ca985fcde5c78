// Real clients, the real server, and everything that can go wrong between them: the second half of the seeds.

import { test } from "vitest";
import { expectHalf } from "./half.ts";

test("nothing is lost, doubled, reordered or shown that was not sent, whatever breaks: second half", { timeout: 1_800_000 }, async () => {
  await expectHalf("second");
});
