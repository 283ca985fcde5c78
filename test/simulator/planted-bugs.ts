// Mistakes that somebody could make, each as a change of the source that the simulator's program is made from. The product
// has no switch for any of them. The checks must find every one.

import type { Change } from "./bundle.ts";
import { FIRST_GROUP_SEED } from "./group-talk.ts";

export interface Bug {
  readonly name: string;
  /** One that finds it, to begin with. It may stop doing so with any change of the product; then the others are tried. */
  readonly seed?: number;
  readonly changes: readonly Change[];
}

const MAILBOX = "durable-objects/mailbox/index.ts";
const QUEUE = "durable-objects/mailbox/queue.ts";
const DELIVERY = "durable-objects/mailbox/sockets/delivery.ts";
const LEADER = "durable-objects/mailbox/log-append.ts";
const TAKE_KEYS = "workers/keys/take-keys.ts";
const USERNAMES = "workers/keys/usernames.ts";

const SERVER: readonly Bug[] = [
  {
    name: "the mailbox answers before it writes",
    seed: 2,
    changes: [
      {
        file: MAILBOX,
        find: "    this.#inOneStep(() => {\n      for (const { deviceId, envelope } of checked.copies) this.#queue.put(deviceId, request.messageId, envelope, now);\n    });\n",
        replace:
          "    setTimeout(() => {\n      try {\n        for (const { deviceId, envelope } of checked.copies) {\n" +
          "          this.#queue.put(deviceId, request.messageId, envelope, now);\n          this.#delivery.push(deviceId, now);\n        }\n" +
          "      } catch {}\n    }, 25);\n",
      },
    ],
  },
  {
    name: "a message is deleted when it is sent, not when it is acknowledged",
    changes: [{ file: DELIVERY, find: "      sent = seq;\n", replace: "      sent = seq;\n      this.#queue.remove(deviceId, [seq]);\n" }],
  },
  {
    name: "the cursor of a socket is a time, and two messages have one",
    seed: 25,
    changes: [
      {
        file: QUEUE,
        find: 'length(body) > 0 ORDER BY seq",\n      device,\n      seq,',
        replace: 'length(body) > 0 ORDER BY seq",\n      device,\n      Math.ceil((seq + 1) / 1000) * 1000 - 1,',
      },
    ],
  },
  {
    name: "a queue is called empty before it is sent",
    seed: 3,
    changes: [
      {
        file: DELIVERY,
        find: "sentParked: false });\n",
        replace: 'sentParked: false });\n    sendFrame(socket, { kind: "queue-empty" });\n',
      },
    ],
  },
  {
    name: "a one-time prekey is read, and deleted later",
    seed: 25,
    changes: [
      {
        file: TAKE_KEYS,
        find: "  return `DELETE FROM ${table} WHERE user = ?1 AND device = ?2\n    AND key_id = (SELECT key_id FROM ${table} WHERE user = ?1 AND device = ?2 ORDER BY key_id LIMIT 1) RETURNING prekey`;",
        replace: "  return `SELECT prekey FROM ${table} WHERE user = ?1 AND device = ?2 ORDER BY key_id LIMIT 1`;",
      },
      {
        file: TAKE_KEYS,
        find: "  const [log, sets, ...others] =",
        replace:
          "  if (places.length > 0) await batch(database, places.map(({ deviceId, keys }) => database.prepare(" +
          "`DELETE FROM one_time_${keys} WHERE user = ?1 AND device = ?2 AND key_id = (SELECT min(key_id) FROM one_time_${keys} WHERE user = ?1 AND device = ?2)`)" +
          ".bind(user, deviceId)));\n  const [log, sets, ...others] =",
      },
    ],
  },
  {
    name: "the intent to write a log is forgotten before the log is written",
    seed: 16,
    changes: [
      {
        file: LEADER,
        find: "    const store = this.#places.storeOf(userId);\n    const entries = await store.readLog();",
        replace:
          '    this.#sql.exec("DELETE FROM intents WHERE sequence = ?1", intent.sequence);\n' +
          "    const store = this.#places.storeOf(userId);\n    const entries = await store.readLog();",
      },
    ],
  },
  {
    name: "a new socket goes on behind what an earlier one was sent",
    seed: 2,
    changes: [
      { file: DELIVERY, find: "sent: 0, backlog,", replace: "sent: this.#attempts.read(deviceId).count > 1 ? backlog : 0, backlog," },
    ],
  },
  {
    name: "a mailbox that does not answer is taken for one that has",
    seed: 2,
    changes: [
      {
        file: "workers/gateway/operations/send-messages.ts",
        find: "  const result = await services.mailboxes.retried(userId, (mailbox) => mailbox.accept({ messageId, scope, ephemeral, devices: copies }));\n",
        replace:
          "  const call = services.mailboxes.once(userId, (mailbox) => mailbox.accept({ messageId, scope, ephemeral, devices: copies }));\n" +
          '  const result = await call.catch(() => ({ kind: "accepted" }) as const);\n',
      },
    ],
  },
  {
    name: "a username is confirmed to whoever asks last",
    changes: [
      {
        file: USERNAMES,
        find: "UPDATE usernames SET released = NULL WHERE tag = ?1 AND user = ?2",
        replace: "UPDATE usernames SET released = NULL WHERE tag = ?1 AND user <> ?2",
      },
    ],
  },
];

const SOCKET = "client/transport/reconnecting-socket.ts";
const INBOX = "client/receiving/inbox.ts";
const APPLY = "client/receiving/apply.ts";
const OUTBOX = "client/sending/outbox.ts";
const SEALING = "client/sending/sealing.ts";
const COMPOSE = "client/sending/compose.ts";
const EVENTS = "client/sdk/events.ts";
const REGISTRATION = "client/registration.ts";

const CLIENT: readonly Bug[] = [
  {
    name: "a delivery is acknowledged before it is kept",
    seed: 13,
    changes: [
      {
        file: SOCKET,
        find: "    const durable = await this.#parts.handler.deliver(deliveries);\n",
        replace:
          '    life.socket?.send(encodeClientFrame({ frame: { kind: "ack", guids: deliveries.map(({ guid }) => guid) } }));\n' +
          "    const durable = await this.#parts.handler.deliver(deliveries);\n",
      },
    ],
  },
  {
    name: "a session is kept, and what it opened a moment later",
    seed: 4,
    changes: [
      {
        file: INBOX,
        find: "    await this.#take(records, delivery, sender, outcome.output.plaintext);\n",
        replace:
          "    const { plaintext } = outcome.output;\n" +
          "    records.afterwards(() => void sending.clock.after(5, () => void sending.vault.write((later) => this.#take(later, delivery, sender, plaintext))));\n",
      },
    ],
  },
  {
    name: "a session that has opened a message is not kept",
    changes: [{ file: INBOX, find: "    records.put(SESSIONS, outcome.state, sender.userId, sender.deviceId);\n", replace: "" }],
  },
  {
    name: "a session that has sealed a message is kept when it is sent",
    changes: [
      {
        file: SEALING,
        find: "export async function sealFor(\n  { self, clock, random }: Sending,",
        replace: "export async function sealFor(\n  { self, clock, random, vault }: Sending,",
      },
      {
        file: SEALING,
        find: "  records.put(SESSIONS, outcome.state, remote.userId, remote.deviceId);\n",
        replace:
          "  records.afterwards(() => void clock.after(30, () => void vault.write(async (later) => later.put(SESSIONS, outcome.state, remote.userId, remote.deviceId))));\n",
      },
    ],
  },
  {
    name: "every try seals anew, and what was applied is not marked",
    changes: [
      { file: SEALING, find: "    const before = job.copies?.find(", replace: "    const before = [...(job.copies ?? [])].slice(9).find(" },
      { file: INBOX, find: "    if (await this.#isMarked(records, sender, content)) return;\n", replace: "" },
    ],
  },
  {
    name: "a job is deleted before the server has answered",
    changes: [
      {
        file: OUTBOX,
        find: "      const answer = await server.sendMessages(",
        replace:
          "      await this.#sending.vault.write((records) => removeJob(records, job));\n" +
          "      const answer = await server.sendMessages(",
      },
    ],
  },
  {
    name: "no answer is taken for a good one",
    changes: [
      {
        file: OUTBOX,
        find: '      if (error instanceof ClientError) return { kind: "failed", job, error };\n',
        replace:
          '      if (error instanceof ClientError && error.code === "offline") return { kind: "accepted", job };\n' +
          '      if (error instanceof ClientError) return { kind: "failed", job, error };\n',
      },
    ],
  },
  {
    name: "the place of a message in its sequence is not kept",
    changes: [
      {
        file: COMPOSE,
        find: "  records.put(CONVERSATIONS, { ...conversation, position: { counter, hash: sha256(bytes) } }, id);\n",
        replace: "  void sha256;\n",
      },
    ],
  },
  {
    name: "the place of a message is kept, and the message in another transaction",
    seed: 2,
    changes: [
      {
        file: COMPOSE,
        find: '  await enqueue(records, sending, { ...input, content, kind: "content" });\n',
        replace:
          "  records.afterwards(() => void sending.clock.after(5, () => void sending.vault.write((later) =>\n" +
          '    enqueue(later, sending, { ...input, content, kind: "content" }))));\n',
      },
    ],
  },
  {
    name: "what arrives is called read",
    changes: [
      {
        file: APPLY,
        find: '    await recordEvent(records, { type: "message", conversation: userId, ordinal: message.ordinal });\n    await owe(records, { conversation: userId, userId }, "delivered", [message.id]);\n  } else',
        replace:
          '    await recordEvent(records, { type: "message", conversation: userId, ordinal: message.ordinal });\n    await owe(records, { conversation: userId, userId }, "read", [message.id]);\n  } else',
      },
    ],
  },
  {
    name: "a message is shown in the conversation that it names",
    changes: [
      {
        file: APPLY,
        find: "  const message = await storeMessage(records, userId, {",
        replace:
          '  const named = content.conversation.kind === "direct" ? content.conversation.recipient : userId;\n' +
          "  const message = await storeMessage(records, named, {",
      },
    ],
  },
  {
    name: "a cursor stands before its event",
    seed: 2,
    changes: [
      {
        file: EVENTS,
        find: "eventOf(parts, records, value, String(ordinal))",
        replace: "eventOf(parts, records, value, String(ordinal - 1))",
      },
    ],
  },
  {
    name: "a cursor stands behind the next event",
    changes: [{ file: EVENTS, find: "  return Number(after);\n", replace: "  return Number(after) + 1;\n" }],
  },
  {
    name: "a registration that is repeated makes other keys",
    seed: 8,
    changes: [
      {
        file: REGISTRATION,
        find: "before ?? (await makeAccount(core, records, server))",
        replace: "await makeAccount(core, records, server)",
      },
    ],
  },
];

export const PLANTED_BUGS: readonly Bug[] = [...SERVER, ...CLIENT];

const FAN_OUT_SERVICES = "workers/fan-out/services.ts";
const SENDER_KEYS = "client/groups/sender-keys.ts";
const INCOMING = "client/groups/incoming.ts";

/** For the seeds in which there is a group. */
export const PLANTED_GROUP_BUGS: readonly Bug[] = [
  {
    name: "a mailbox that does not answer the consumer of the queue is taken for one that has",
    seed: FIRST_GROUP_SEED + 45,
    changes: [
      {
        file: FAN_OUT_SERVICES,
        find: "    return await this.#mailboxes.retried(name, call);\n",
        replace: '    return await this.#mailboxes.once(name, call).catch(() => ({ kind: "accepted" }) as T);\n',
      },
    ],
  },
  {
    name: "a sender key that has sealed a message is not kept",
    changes: [{ file: SENDER_KEYS, find: "  records.put(OWN_SENDER_KEYS, used, groupId);\n", replace: "" }],
  },
  {
    name: "a sender key goes on when somebody was removed",
    seed: FIRST_GROUP_SEED + 18,
    changes: [
      {
        file: SENDER_KEYS,
        find: "  if (known !== undefined && !senderKeyMustRotate(useOf(known), need)) return known;\n",
        replace:
          "  const isAnybodyNew = devices.some((device) => known?.heldBy.every((held) => held.deviceId !== device.deviceId || held.userId !== device.userId) !== false);\n" +
          "  if (known !== undefined && (!senderKeyMustRotate(useOf(known), need) || !isAnybodyNew)) return known;\n",
      },
    ],
  },
  {
    name: "what comes to a group before its sender's key is not kept",
    seed: FIRST_GROUP_SEED + 13,
    changes: [
      {
        file: INCOMING,
        find: "    if ((await records.all(HELD_GROUP_MESSAGES)).length < MAX_HELD) records.put(HELD_GROUP_MESSAGES, message, distribution, guid);\n",
        replace: "    void MAX_HELD;\n",
      },
    ],
  },
];
