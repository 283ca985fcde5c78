export type { Backend, MlKem } from "./backend.ts";
export { backend, useBackend } from "./backend.ts";
export { equal } from "./equal.ts";
export type { Random } from "./random.ts";
export { systemRandom } from "./random.ts";
export { Secret } from "./secret.ts";
