import { strictVerifierConformance } from "../conformance/strict-verifier.ts";

strictVerifierConformance(4);
