// What the client asks of a server, as one interface: every operation that a device may call, with what comes back.
// Whether an answer may be believed is for whoever asked.

import type { PublicKey } from "#crypto";
import type { AccountKeys, AppendLog, Bytes, CreateAccount, DeviceId, PreKeyUpload, SendRequest, UserId, Username } from "#wire";

export interface ServerConfig {
  readonly registration: "open" | "invite";
  /** Whom sender certificates must lead to. */
  readonly trustRoots: readonly PublicKey[];
}

export type SendAnswer =
  | { readonly kind: "accepted" }
  /** Nothing was stored: these devices are missing, too many, or known by an older registration. */
  | {
      readonly kind: "devices-changed";
      readonly missing: readonly DeviceId[];
      readonly extra: readonly DeviceId[];
      readonly stale: readonly DeviceId[];
    };

export interface KeyCounts {
  readonly ec: number;
  readonly kem: number;
}

/** Every call rejects with a ClientError: `offline`, `server-failed`, `rate-limited`, `refused`, and what is named beside it. */
export interface ServerApi {
  getConfig(signal?: AbortSignal): Promise<ServerConfig>;
  /** Also: `username-taken`, `invite-required`. A repeat of the same request is answered the same. */
  createAccount(account: CreateAccount, signal?: AbortSignal): Promise<void>;
  // From here on as a device, with a token that is fetched when it is needed. Also: `device-removed`.
  getCertificate(signal?: AbortSignal): Promise<Bytes>;
  putKeys(upload: PreKeyUpload, signal?: AbortSignal): Promise<void>;
  getKeyCounts(signal?: AbortSignal): Promise<KeyCounts>;
  /** The log behind the first `after` entries, and keys of each device to begin a session with. Also: `unknown-user`. */
  getKeys(userId: UserId, after: number, signal?: AbortSignal): Promise<AccountKeys>;
  /** The entries behind the first `after`, all of them. Also: `unknown-user`. */
  getLog(userId: UserId, after: number, signal?: AbortSignal): Promise<readonly Bytes[]>;
  /** Resolves to the new head's place, or says that somebody was faster. */
  appendLog(userId: UserId, entry: AppendLog, signal?: AbortSignal): Promise<"appended" | "conflict">;
  /** Also: `unknown-user`. */
  getUsername(name: Username, signal?: AbortSignal): Promise<UserId>;
  /** Also: `unknown-user`, `mailbox-full`. May be repeated. */
  sendMessages(userId: UserId, request: SendRequest, signal?: AbortSignal): Promise<SendAnswer>;
}
