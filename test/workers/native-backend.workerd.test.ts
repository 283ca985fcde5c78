import { workerdBackend } from "#crypto/workerd";
import { backendConformance } from "../conformance/backend.ts";

backendConformance("workerd", workerdBackend);
