import { libsignal075 } from "./library.ts";
import { describeSessions, FEWER_SEEDS } from "./sessions.ts";

describeSessions(libsignal075, FEWER_SEEDS);
