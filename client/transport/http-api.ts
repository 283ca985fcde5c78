// The server's operations over HTTP. Answers are parsed strictly: what is not what it must be is `server-failed`.

import { parsePublicKey } from "#crypto";
import {
  decodeAccountKeys,
  decodeAccountLog,
  decodeGroupEntries,
  type DeviceId,
  encodeAppendLog,
  encodeCreateAccount,
  encodeGroupAppend,
  encodeLinkRequest,
  encodePreKeyUpload,
  encodeSendRequest,
  GROUP_SCHEME,
  LOG_ENTRIES_FOR_RECOVERY,
  MAX_LOG_ENTRIES,
  MAX_LOG_PAGE_ENTRIES,
  parseDeviceId,
  parseUserId,
  ProtocolError,
  RECOVERY_SCHEME,
  type Bytes,
  WireError,
} from "#wire";
import { ClientError, type ErrorCode } from "../errors.ts";
import type { ManyResult, ServerApi } from "../server-api.ts";
import { fromBase64Url, toBase64Url } from "./base64.ts";
import { answerToDevice } from "./as-device.ts";
import { type Asked, errorOf, type Exchange, parseJson, Refusal } from "./exchange.ts";
import type { Tokens } from "./tokens.ts";

type Specific = Parameters<typeof errorOf>[1];
const MISSING_USER: Specific = { "not-found": "unknown-user" };
/** Also with a proof that is not good: the server does not say which. */
const MISSING_GROUP: Specific = { "not-found": "unknown-group", unauthorized: "unknown-group", "group-full": "group-full" };
/** Also for an account that is not there, or has no such key: the server does not say which. */
const WRONG_RECOVERY_KEY: Specific = { "not-found": "wrong-recovery-key" };

export function httpApi(exchange: Exchange, tokens: Tokens): ServerApi {
  async function ask<T>(asked: Asked, parse: (body: Bytes) => T, specific?: Specific): Promise<T> {
    try {
      return parsed(parse, await exchange.ask(asked));
    } catch (error) {
      throw error instanceof Refusal ? errorOf(error, specific) : error;
    }
  }
  async function asDevice(asked: Asked): Promise<Bytes> {
    return (await answerToDevice(exchange, tokens, asked)).body;
  }
  async function askAsDevice<T>(asked: Asked, parse: (body: Bytes) => T, specific?: Specific): Promise<T> {
    try {
      return parsed(parse, await asDevice(asked));
    } catch (error) {
      throw error instanceof Refusal ? errorOf(error, specific) : error;
    }
  }
  return {
    getConfig: (signal) =>
      ask({ operation: "getConfig", signal }, (body) => {
        const { registration, trustRoots } = parseJson(body);
        if (!Array.isArray(trustRoots) || trustRoots.length === 0) throw new WireError("missing-field");
        const roots = trustRoots.map((root: unknown) => parsePublicKey(fromBase64Url(String(root))));
        return { registration: registration === "invite" ? "invite" : "open", trustRoots: roots };
      }),
    createAccount: (account, signal) =>
      ask({ operation: "createAccount", body: encodeCreateAccount(account), signal }, nothing, {
        "not-admitted": "invite-required",
        "username-taken": "username-taken",
      }),
    requestLink: (userId, request, signal) =>
      ask({ operation: "requestLink", parameters: { userId }, body: encodeLinkRequest(request), signal }, nothing),
    async putLinkBlob(rendezvousId, blob, content, signal) {
      try {
        await exchange.ask({ operation: "putLinkBlob", parameters: { rendezvousId, blob: String(blob) }, body: content, signal });
        return "stored";
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.code === "gone") return "gone";
        throw errorOf(error);
      }
    },
    async takeLinkBlob(rendezvousId, blob, signal) {
      try {
        return await exchange.ask({ operation: "takeLinkBlob", parameters: { rendezvousId, blob: String(blob) }, signal });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.code === "not-found") return "empty";
        if (error.code === "gone") return "gone";
        throw errorOf(error);
      }
    },
    getRecoveryLog: (userId, proof, signal) =>
      allPages(0, (query) =>
        ask(
          { operation: "getRecoveryLog", parameters: { userId }, query, proof: recoveryProof(proof), signal },
          entriesIn,
          WRONG_RECOVERY_KEY,
        ),
      ),
    async recoverAccount(userId, proof, entry, signal) {
      const body = encodeAppendLog(entry);
      try {
        await exchange.ask({ operation: "recoverAccount", parameters: { userId }, proof: recoveryProof(proof), body, signal });
        return "appended";
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.code === "log-conflict") return "conflict";
        throw errorOf(error, WRONG_RECOVERY_KEY);
      }
    },
    getCertificate: (signal) => askAsDevice({ operation: "getCertificate", signal }, (body) => body),
    putKeys: (upload, signal) => askAsDevice({ operation: "putKeys", body: encodePreKeyUpload(upload), signal }, nothing),
    getKeyCounts: (signal) =>
      askAsDevice({ operation: "getKeyCounts", signal }, (body) => {
        const { ec, kem } = parseJson(body);
        return { ec: countOf(ec), kem: countOf(kem) };
      }),
    getKeys: (userId, after, signal) =>
      askAsDevice({ operation: "getKeys", parameters: { userId }, query: `?after=${after}`, signal }, decodeAccountKeys, MISSING_USER),
    getLog: (userId, after, signal) =>
      allPages(after, (query) => askAsDevice({ operation: "getLog", parameters: { userId }, query, signal }, entriesIn, MISSING_USER)),
    async appendLog(userId, entry, signal) {
      try {
        await asDevice({ operation: "appendLog", parameters: { userId }, body: encodeAppendLog(entry), signal });
        return "appended";
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.code === "log-conflict") return "conflict";
        throw errorOf(error);
      }
    },
    getUsername: (name, signal) =>
      askAsDevice(
        { operation: "getUsername", parameters: { name }, signal },
        (body) => parseUserId(parseJson(body)["userId"]),
        MISSING_USER,
      ),
    async sendMessages(userId, request, signal) {
      try {
        await asDevice({ operation: "sendMessages", parameters: { userId }, body: encodeSendRequest(request), signal });
        return { kind: "accepted" };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        // The log has to say so: it is fetched, as when devices have changed.
        if (error.code === "account-deleted") return { kind: "devices-changed", missing: [], extra: [], stale: [] };
        if (error.code !== "devices-changed") throw errorOf(error, MISSING_USER);
        const { missing, extra, stale } = error.members;
        return { kind: "devices-changed", missing: devicesOf(missing), extra: devicesOf(extra), stale: devicesOf(stale) };
      }
    },
    sendToMany: (messageId, message, signal) =>
      askAsDevice({ operation: "sendToMany", body: message, idempotencyKey: messageId, signal }, (body) =>
        textOf(parseJson(body)["handle"]),
      ),
    getSendResult: (handle, signal) =>
      askAsDevice({ operation: "getSendResult", parameters: { handle }, signal }, resultOf, { "not-found": "unknown-message" }),
    readGroup: (groupId, proof, after, signal) =>
      ask(
        {
          operation: "getGroup",
          parameters: { groupId },
          query: `?after=${after}`,
          proof: `${GROUP_SCHEME} ${toBase64Url(proof)}`,
          signal,
        },
        decodeGroupEntries,
        MISSING_GROUP,
      ),
    async appendGroup(groupId, append, signal) {
      try {
        await exchange.ask({ operation: "appendGroup", parameters: { groupId }, body: encodeGroupAppend(append), signal });
        return "appended";
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.code === "version-conflict") return "conflict";
        throw errorOf(error, MISSING_GROUP);
      }
    },
  };
}

/** A log, page by page. */
async function allPages(after: number, page: (query: string) => Promise<readonly Bytes[]>): Promise<readonly Bytes[]> {
  const entries: Bytes[] = [];
  for (;;) {
    const added = await page(`?after=${after + entries.length}`);
    entries.push(...added);
    if (entries.length > MAX_LOG_ENTRIES + LOG_ENTRIES_FOR_RECOVERY) throw new ClientError("server-failed");
    if (added.length < MAX_LOG_PAGE_ENTRIES) return entries;
  }
}

function entriesIn(body: Bytes): readonly Bytes[] {
  return decodeAccountLog(body).entries;
}

function recoveryProof(proof: Bytes): string {
  return `${RECOVERY_SCHEME} ${toBase64Url(proof)}`;
}

function nothing(): void {
  // The status says it all.
}

function parsed<T>(parse: (body: Bytes) => T, body: Bytes): T {
  try {
    return parse(body);
  } catch (cause) {
    if (cause instanceof WireError || cause instanceof ProtocolError) throw new ClientError(FAILED, { cause });
    throw cause;
  }
}

const FAILED: ErrorCode = "server-failed";

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new WireError("bad-value");
  return value;
}

function resultOf(body: Bytes): ManyResult {
  const { state, refused } = parseJson(body);
  if (state === "pending") return { kind: "pending" };
  if (state !== "done" || !Array.isArray(refused)) throw new WireError("bad-value");
  return {
    kind: "done",
    refused: refused.map((one: unknown) => countOf(typeof one === "object" && one !== null && "index" in one ? one.index : undefined)),
  };
}

function countOf(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) throw new WireError("bad-value");
  return value;
}

function devicesOf(value: unknown): readonly DeviceId[] {
  try {
    return Array.isArray(value) ? value.map(parseDeviceId) : [];
  } catch (cause) {
    throw new ClientError(FAILED, { cause });
  }
}
