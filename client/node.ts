// For programs in Node: `import "edgewise/node"` computes with the platform's cryptography, about five times as fast as the portable one.

import { useBackend } from "#crypto";
// oxlint-disable-next-line no-restricted-imports -- whoever imports this chooses the backend
import { nodeBackend } from "#crypto/node";

useBackend(nodeBackend);
