// Presence: asked for, not broadcast. Who looks at somebody asks them under a lease; who is asked by a contact answers, and says
// goodbye when it leaves. Nothing of it is stored.

import type { DeviceId, UserId } from "#wire";
import type { Live } from "../api.ts";
import { OWN } from "../records/tables.ts";
import type { Engine } from "./engine.ts";
import type { Arrived } from "./events.ts";
import { Value } from "./value.ts";

const LEASE_SECONDS = 60;
const ASK_AGAIN_MILLISECONDS = 45_000;
/** Who has not answered by then is not there. */
const ANSWER_MILLISECONDS = 5000;

export class Presence {
  readonly #engine: Engine;
  readonly #watched = new Map<UserId, Value<boolean | undefined>>();
  /** Who has answered since they were asked, and which of their devices are there. */
  readonly #answered = new Map<UserId, Set<DeviceId>>();
  /** Who wants to know of us, and until when. */
  readonly #leases = new Map<UserId, number>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  watch(userId: UserId): Live<boolean | undefined> {
    const known = this.#watched.get(userId);
    if (known !== undefined) return known;
    const value = new Value<boolean | undefined>(undefined, () => this.#ask(userId));
    this.#watched.set(userId, value);
    return value;
  }

  async take({ sender: { userId, deviceId }, content: { body } }: Arrived): Promise<void> {
    if (body.kind === "presence-answer") {
      const there = this.#answered.get(userId) ?? new Set();
      if (body.online) there.add(deviceId);
      else there.delete(deviceId);
      this.#answered.set(userId, there);
      this.#watched.get(userId)?.set(there.size > 0);
    }
    if (body.kind !== "presence-query" || !(await this.#isShared())) return;
    const lease = Math.min(body.leaseSeconds, LEASE_SECONDS) * 1000;
    this.#leases.set(userId, this.#engine.sending.clock.nowMilliseconds() + lease);
    await this.#answer(userId, true);
  }

  async leave(): Promise<void> {
    const now = this.#engine.sending.clock.nowMilliseconds();
    const waiting = [...this.#leases].filter(([, until]) => until > now).map(([userId]) => userId);
    await Promise.allSettled(waiting.map((userId) => this.#answer(userId, false)));
  }

  /** Until what it returns is called. */
  #ask(userId: UserId): () => void {
    const { clock } = this.#engine.sending;
    let cancel: () => void = () => undefined;
    const ask = (): void => {
      this.#answered.delete(userId);
      this.#engine.sendEphemeral(userId, { kind: "presence-query", leaseSeconds: LEASE_SECONDS }).catch(() => undefined);
      cancel = clock.after(ANSWER_MILLISECONDS, () => {
        if (!this.#answered.has(userId)) this.#watched.get(userId)?.set(false);
        cancel = clock.after(ASK_AGAIN_MILLISECONDS - ANSWER_MILLISECONDS, ask);
      });
    };
    ask();
    return () => cancel();
  }

  async #answer(userId: UserId, online: boolean): Promise<void> {
    await this.#engine.sendEphemeral(userId, { kind: "presence-answer", online });
  }

  async #isShared(): Promise<boolean> {
    const own = await this.#engine.sending.vault.read((records) => records.get(OWN));
    return own?.settings.presence === true;
  }
}
