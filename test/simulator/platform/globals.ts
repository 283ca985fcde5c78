// What programs find under global names while a simulation runs: its time, its randomness, and what the Workers runtime
// has and Node has not. Put back when the run ends.

import type { Random } from "#crypto";
import type { Dice } from "../../support/random.ts";
import { ObjectSocketPair } from "./sockets.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface World {
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly random: Random;
}

/** Returns the way back. */
export function installGlobals(world: World): () => void {
  const names: Readonly<Record<string, unknown>> = {
    Date: simulatedDate(world.clock),
    ...simulatedTimers(world.clock),
    crypto: simulatedCrypto(world),
    Response: UpgradableResponse,
    WebSocketPair: ObjectSocketPair,
    WebSocketRequestResponsePair: RequestResponsePair,
  };
  const before = Object.keys(names).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const [name, value] of Object.entries(names)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  const { random } = Math;
  Math.random = () => world.dice.roll(0x1_0000_0000) / 0x1_0000_0000;
  return () => {
    Math.random = random;
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
    }
  };
}

/** Of a server's end: what is answered to what without waking the object. */
export class RequestResponsePair {
  readonly request: string;
  readonly response: string;

  constructor(request: string, response: string) {
    this.request = request;
    this.response = response;
  }
}

const RealDate = Date;

function simulatedDate(clock: VirtualClock): DateConstructor {
  return new Proxy(RealDate, {
    construct: (target, args: [] | [number]) => (args.length === 0 ? new target(clock.nowMilliseconds()) : new target(...args)),
    get: (target, name): unknown => (name === "now" ? () => clock.nowMilliseconds() : Reflect.get(target, name)),
  });
}

function simulatedTimers(clock: VirtualClock): Readonly<Record<string, unknown>> {
  let last = 0;
  const running = new Map<unknown, () => void>();
  return {
    setTimeout: (callback: () => void, milliseconds = 0): number => {
      const id = ++last;
      const cancel = clock.after(milliseconds, () => {
        running.delete(id);
        callback();
      });
      running.set(id, cancel);
      return id;
    },
    clearTimeout: (id: unknown): void => {
      running.get(id)?.();
      running.delete(id);
    },
  };
}

const realCrypto = globalThis.crypto;

/** WebCrypto one operation after another: which of two is done first would be decided by no seed. */
function simulatedCrypto({ clock, random }: World): object {
  let last: Promise<unknown> = Promise.resolve();
  const { subtle } = realCrypto;
  const serial = new Proxy(subtle, {
    get(target, name) {
      const operation: unknown = Reflect.get(target, name);
      if (typeof operation !== "function") return operation;
      return (...args: readonly unknown[]): Promise<unknown> => {
        const work = last.then(async (): Promise<unknown> => await operation.apply(target, args));
        last = work.catch(() => undefined);
        return clock.native(work);
      };
    },
  });
  return {
    subtle: serial,
    getRandomValues: <T extends Uint8Array>(into: T): T => {
      into.set(random(into.length));
      return into;
    },
    randomUUID: (): string => uuidFrom(random(16)),
  };
}

/** RFC 9562, version 4. */
function uuidFrom(bytes: Uint8Array): string {
  const hex = [...bytes].map((byte, at) =>
    (at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte).toString(16).padStart(2, "0"),
  );
  return [0, 4, 6, 8, 10].map((from, i, starts) => hex.slice(from, starts[i + 1]).join("")).join("-");
}

interface UpgradeInit extends ResponseInit {
  readonly webSocket?: object;
}

const RealResponse = globalThis.Response;

/** With the one status that only the Workers runtime gives out. */
class UpgradableResponse extends RealResponse {
  readonly webSocket: object | undefined;

  constructor(body?: ConstructorParameters<typeof RealResponse>[0], init: UpgradeInit = {}) {
    const { webSocket } = init;
    super(body, webSocket === undefined ? init : { headers: init.headers ?? {} });
    this.webSocket = webSocket;
    if (webSocket !== undefined) Object.defineProperty(this, "status", { value: 101 });
  }
}
