export { countKeys } from "./count-keys.ts";
export type { KeysEnv } from "./env.ts";
export { putKeys } from "./put-keys.ts";
export { readLog } from "./read-log.ts";
export { findRecoveryKey } from "./recovery-key.ts";
export type { LowKeys } from "./take-keys.ts";
export { takeKeys } from "./take-keys.ts";
export { claimUsername, confirmUsername, findUsername, releaseUsername } from "./usernames.ts";
