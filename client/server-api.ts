// What the client asks of a server, as one interface: every operation that a device may call, with what comes back.
// Whether an answer may be believed is for whoever asked.

import type { PublicKey } from "#crypto";
import type {
  AccountKeys,
  AppendLog,
  Bytes,
  CreateAccount,
  DeviceId,
  GroupAppend,
  GroupEntries,
  GroupId,
  LinkRequest,
  MessageId,
  PreKeyUpload,
  RendezvousId,
  SendRequest,
  UserId,
  Username,
} from "#wire";

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

/** How a message to many went: for each person whose mailbox did not take it, the place among those it was for. */
export type ManyResult = { readonly kind: "pending" } | { readonly kind: "done"; readonly refused: readonly number[] };

/** The blobs of a rendezvous, in the order in which they are written. */
export type LinkBlob = 1 | 2 | 3 | 4;

export interface KeyCounts {
  readonly ec: number;
  readonly kem: number;
}

/** Every call rejects with a ClientError: `offline`, `server-failed`, `rate-limited`, `refused`, and what is named beside it. */
export interface ServerApi {
  getConfig(signal?: AbortSignal): Promise<ServerConfig>;
  /** Also: `username-taken`, `invite-required`. A repeat of the same request is answered the same. */
  createAccount(account: CreateAccount, signal?: AbortSignal): Promise<void>;
  /** Tells the devices of an account that a new one asks to be linked. Answers the same for an account that is not there. */
  requestLink(userId: UserId, request: LinkRequest, signal?: AbortSignal): Promise<void>;
  /** `gone`: the time is over, or something else stands there. A repeat is answered the same. */
  putLinkBlob(rendezvousId: RendezvousId, blob: LinkBlob, content: Bytes, signal?: AbortSignal): Promise<"stored" | "gone">;
  /** Once. `empty`: not there yet. `gone`: the time is over, or somebody has taken it. */
  takeLinkBlob(rendezvousId: RendezvousId, blob: LinkBlob, signal?: AbortSignal): Promise<Bytes | "empty" | "gone">;
  // By proof of an account's recovery key. Also: `wrong-recovery-key`, whatever is wrong with the proof.
  /** The whole log. */
  getRecoveryLog(userId: UserId, proof: Bytes, signal?: AbortSignal): Promise<readonly Bytes[]>;
  /** Says when somebody was faster. A repeat is answered the same. */
  recoverAccount(userId: UserId, proof: Bytes, entry: AppendLog, signal?: AbortSignal): Promise<"appended" | "conflict">;
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
  /** A multi-recipient message. Resolves to a handle once the server has it for good; a repeat of the same id to the same one. */
  sendToMany(messageId: MessageId, message: Bytes, signal?: AbortSignal): Promise<string>;
  /** Also: `unknown-message`, a day after it was done. */
  getSendResult(handle: string, signal?: AbortSignal): Promise<ManyResult>;
  // From here on by proof of a group's keys, and not as anybody. Also: `unknown-group`, whatever is wrong with the proof.
  /** Entries behind the first `after`, a page of them, and the last one that the key may read. */
  readGroup(groupId: GroupId, proof: Bytes, after: number, signal?: AbortSignal): Promise<GroupEntries>;
  /** Says when somebody was faster. Also: `group-full`. A repeat is answered the same. */
  appendGroup(groupId: GroupId, append: GroupAppend, signal?: AbortSignal): Promise<"appended" | "conflict">;
}
