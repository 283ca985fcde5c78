import { libsignal0103 } from "./library.ts";
import { describeSessions } from "./sessions.ts";

describeSessions(libsignal0103);
