// For programs in Node: `import "edgewise/node"` computes with the platform's cryptography, about five times as fast as the portable one;
// and files of its file system can be sent and downloaded into.

import { useBackend } from "#crypto";
// oxlint-disable-next-line no-restricted-imports -- whoever imports this chooses the backend
import { nodeBackend } from "#crypto/node";

export { fileAt, fileSink } from "./node-files.ts";

useBackend(nodeBackend);
