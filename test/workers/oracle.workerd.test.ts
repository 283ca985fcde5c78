// What strangers can learn about who is there: nothing from any route that asks for no token.

import { beforeAll, expect, test } from "vitest";
import { encodeLinkRequest, type Operation, parseRendezvousId, ROUTES } from "#wire";
import { SERVED } from "../../workers/gateway/served.ts";
import { Owner } from "../support/accounts.ts";
import { type Asking, nowSeconds, openWorld, Person, type World } from "./support/world.ts";

let world: World;
let there: Person;
const nobody = new Owner(99, nowSeconds());

beforeAll(async () => {
  world = await openWorld();
  there = await new Person(world, 1).register();
});

interface Seen {
  readonly status: number;
  readonly body: string;
  readonly headers: readonly string[];
}

async function seen(operation: Operation, asking: Asking): Promise<Seen> {
  const response = await world.ask(operation, asking);
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  // A nonce is random, and nothing else of a challenge is.
  const body = (await response.text()).replace(/"nonce":"[\w-]{43}"/, '"nonce":""');
  return { status: response.status, body, headers };
}

const ABOUT_SOMEBODY = SERVED.filter((name) => ROUTES[name].path.includes("{userId}"));
const WITH_TOKEN = ABOUT_SOMEBODY.filter((name) => ["token", "sender"].includes(ROUTES[name].auth));

test.each(WITH_TOKEN)("%s says the same about everybody", async (operation) => {
  const upload = ROUTES[operation].request === "protobuf" ? { protobuf: new Uint8Array([1]) } : {};
  for (const token of [undefined, "a.b.c"]) {
    const asking = { ...upload, ...(token === undefined ? {} : { token }) };
    const about = await seen(operation, { ...asking, parameters: { userId: there.userId } });
    expect(about.status).toBe(401);
    expect(await seen(operation, { ...asking, parameters: { userId: nobody.userId } })).toEqual(about);
    expect(await seen(operation, { ...asking, parameters: { userId: "nonsense" } })).toEqual(about);
  }
});

test.each(ABOUT_SOMEBODY.filter((name) => !WITH_TOKEN.includes(name)))(
  "%s, which asks for no token, says the same about everybody",
  async (name) => {
    const bodies = [
      new Uint8Array([1]),
      encodeLinkRequest({ rendezvousId: parseRendezvousId("a".repeat(64)), commitment: new Uint8Array(32) }),
    ];
    for (const protobuf of ROUTES[name].request === "none" ? [undefined] : bodies) {
      const asking = protobuf === undefined ? {} : { protobuf };
      const about = await seen(name, { ...asking, parameters: { userId: there.userId } });
      expect(await seen(name, { ...asking, parameters: { userId: nobody.userId } })).toEqual(about);
    }
  },
);

test("a challenge is given for everybody", async () => {
  const about = await seen("createChallenge", { json: { userId: there.userId, deviceId: 1 } });
  expect(about.status).toBe(200);
  expect(await seen("createChallenge", { json: { userId: nobody.userId, deviceId: 1 } })).toEqual(about);
  expect(await seen("createChallenge", { json: { userId: there.userId, deviceId: 9 } })).toEqual(about);
});

test("a wrong answer, a device that is not there and an account that is not there are one refusal", async () => {
  const wrong = { signature: "A".repeat(86) };
  const stranger = new Person(world, 77);
  const about = await seen("createToken", { json: { ...(await there.proof()), ...wrong } });
  expect(about.status).toBe(401);
  // Signed as well as it can be: the key is simply nobody's.
  expect(await seen("createToken", { json: await stranger.proof() })).toEqual(about);
  const second = there.owner.first;
  expect(await seen("createToken", { json: await there.proof({ ...second, deviceId: there.owner.add().deviceId }) })).toEqual(about);
});

test("with a token, another's log cannot be told from one that is not there", async () => {
  const token = await there.token();
  const other = await new Person(world, 3).register();
  const protobuf = new Uint8Array([1]);
  const about = await seen("appendLog", { token, protobuf, parameters: { userId: other.userId } });
  expect(about.status).toBe(404);
  expect(await seen("appendLog", { token, protobuf, parameters: { userId: nobody.userId } })).toEqual(about);
});
