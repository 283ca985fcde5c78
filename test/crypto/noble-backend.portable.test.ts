import { nobleBackend } from "#crypto";
import { backendConformance } from "../conformance/backend.ts";

backendConformance("noble", nobleBackend);
