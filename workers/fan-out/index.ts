export { consume } from "./consume.ts";
export type { DeadLetter } from "./services.ts";
export { FanOutServices } from "./services.ts";
export { decodeToMany, submit } from "./submit.ts";
