export { putFile } from "./put.ts";
export type { FileAnswer } from "./read.ts";
export { mediaUrl, readFile } from "./read.ts";
export { removeFile } from "./remove.ts";
export { MediaServices } from "./services.ts";
export { sweepMedia } from "./sweep.ts";
export { append, createUpload, progressOf } from "./upload.ts";
