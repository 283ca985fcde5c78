// Who takes part, by the name in the results. Each is loaded only in its own process.

import type { Subject } from "./works.ts";

export const REFERENCE = "libsignal-client 0.103.0";

export const SUBJECTS: Readonly<Record<string, () => Promise<Subject>>> = {
  [REFERENCE]: async () => (await import("./libsignal-client.ts")).libsignalClient,
  "edgewise (node)": async () => (await import("./edgewise.ts")).edgewise("node"),
  "edgewise (noble)": async () => (await import("./edgewise.ts")).edgewise("noble"),
  "Olm, Megolm 3.2.15": async () => (await import("./olm.ts")).olm(),
  "libsignal 6.0.0 (JS)": async () => (await import("./libsignal-js.ts")).libsignalJs(),
  "privacyresearch 0.0.16": async () => (await import("./privacyresearch.ts")).privacyresearch(),
};
