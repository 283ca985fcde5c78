import { libsignal075 } from "./library.ts";
import { describeSessions } from "./sessions.ts";

describeSessions(libsignal075);
