import { nodeBackend } from "#crypto/node";
import { backendConformance } from "../conformance/backend.ts";

backendConformance("Node", nodeBackend);
