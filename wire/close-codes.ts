// Why a socket was closed (RFC 6455 section 7.4): the server says it, and a client acts by it.

export const CLOSE = {
  /** Not one of the frames that a client may send. */
  badFrame: { code: 1007, reason: "bad frame" },
  tooLarge: { code: 1009, reason: "frame too large" },
  /** The device is not active any more: authenticate again, or find out why not. */
  unauthorized: { code: 4401, reason: "not authorized" },
  /** No ping for too long. A client that is there after all opens another. */
  stale: { code: 4408, reason: "no ping" },
  /** The device has opened a newer socket. */
  replaced: { code: 4409, reason: "replaced" },
  /** The account was deleted: there is nothing to come back to. */
  deleted: { code: 4410, reason: "account deleted" },
  /** Too many frames that brought nothing on. */
  flooding: { code: 4429, reason: "too many frames" },
} as const;

export type CloseReason = (typeof CLOSE)[keyof typeof CLOSE];
