import { useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { strictVerifierConformance } from "../conformance/strict-verifier.ts";

useBackend(nodeBackend);
strictVerifierConformance(5);
