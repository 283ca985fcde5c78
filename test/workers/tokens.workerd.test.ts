// Who gets a token, and which tokens get nothing.

import { base64url, exportJWK, generateKeyPair, importJWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose";
import { beforeAll, expect, test } from "vitest";
import { backend, LABELS } from "#crypto";
import { deriveServerKey, parseServerSeed } from "#durable-objects";
import { toUtf8 } from "#wire";
import { env } from "cloudflare:workers";
import { codeOf, nowSeconds, openWorld, ORIGIN, Person, World } from "./support/world.ts";

const OTHER_SEED = `2:${base64url.encode(new Uint8Array(32).fill(2))}`;

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await openWorld();
  alice = await new Person(world, 1).register();
  bob = await new Person(world, 2).register();
});

async function serverKey(seed = env.SERVER_SEED) {
  const [version] = parseServerSeed(seed);
  if (version === undefined) throw new Error("no seed");
  const secret = deriveServerKey(version, LABELS.SERVER_TOKEN);
  const x = base64url.encode(backend().ed25519PublicKey(secret));
  return { x, key: await importJWK({ kty: "OKP", crv: "Ed25519", x, d: base64url.encode(secret) }, "EdDSA") };
}

const HEADER: JWTHeaderParameters = { alg: "EdDSA", kid: "1", typ: "JWT" };

function claims(changes: Readonly<Record<string, unknown>> = {}): JWTPayload {
  const now = nowSeconds();
  return { iss: ORIGIN, aud: ORIGIN, sub: alice.userId, dev: 1, iat: now, exp: now + 3600, ...changes };
}

async function signed(payload: JWTPayload, header: JWTHeaderParameters = HEADER, key?: CryptoKey | Uint8Array): Promise<string> {
  return await new SignJWT(payload).setProtectedHeader(header).sign(key ?? (await serverKey()).key);
}

async function statusWith(token: string): Promise<number> {
  return (await world.ask("getCertificate", { token })).status;
}

test("a token as the server makes it is accepted, which shows that the others fail for what is wrong with them", async () => {
  expect(await statusWith(await signed(claims()))).toBe(200);
  expect(await statusWith(await alice.token())).toBe(200);
});

test("no other algorithm, whatever the key", async () => {
  const { x, key } = await serverKey();
  const unsigned = `${base64url.encode(JSON.stringify({ ...HEADER, alg: "none" }))}.${base64url.encode(JSON.stringify(claims()))}.`;
  expect(await statusWith(unsigned)).toBe(401);
  const [header, payload, signature] = (await signed(claims())).split(".");
  expect(await statusWith(`${header}.${payload}.`)).toBe(401);
  expect(await statusWith(`${unsigned}${signature}`)).toBe(401);
  for (const secret of [toUtf8(x), base64url.decode(x)]) {
    expect(await statusWith(await signed(claims(), { ...HEADER, alg: "HS256" }, secret))).toBe(401);
  }
  expect(await statusWith(await signed(claims(), { ...HEADER, alg: "Ed25519" }, key))).toBe(401);
  const rsa = await generateKeyPair("RS256");
  expect(await statusWith(await signed(claims(), { ...HEADER, alg: "RS256" }, rsa.privateKey))).toBe(401);
});

test("no key but the server's, and none that a token brings along", async () => {
  const own = await generateKeyPair("EdDSA", { extractable: true });
  const jwk = await exportJWK(own.publicKey);
  expect(await statusWith(await signed(claims(), HEADER, own.privateKey))).toBe(401);
  for (const extra of [{ jwk }, { jku: "https://evil.example/keys" }, { x5u: "https://evil.example/key" }, { kid: "2" }, { kid: "../1" }]) {
    expect(await statusWith(await signed(claims(), { ...HEADER, ...extra }, own.privateKey))).toBe(401);
  }
});

test("our own signature does not help a header with more in it, or another type or key id", async () => {
  const { kid: _kid, ...withoutKid } = HEADER;
  const { typ: _typ, ...withoutType } = HEADER;
  const extra = [
    { ...HEADER, jku: "https://evil.example" },
    { ...HEADER, cty: "JWT" },
    { ...HEADER, typ: "at+jwt" },
    { ...HEADER, kid: "01" },
  ];
  for (const header of [withoutKid, withoutType, ...extra]) expect(await statusWith(await signed(claims(), header))).toBe(401);
});

test("wrong, missing or too wide claims are refused", async () => {
  const now = nowSeconds();
  const wrong: readonly Readonly<Record<string, unknown>>[] = [
    { aud: "https://evil.example" },
    { aud: [ORIGIN] },
    { aud: [ORIGIN, "https://evil.example"] },
    { iss: "https://evil.example" },
    { sub: alice.userId.toUpperCase() },
    { sub: "" },
    { exp: now - 6 },
    { iat: now - 3700, exp: now + 100 },
    { iat: now + 60 },
    { iat: now - 10, exp: undefined },
    { dev: "1" },
    { dev: 0 },
    { dev: 128 },
    { dev: 1.5 },
    { dev: undefined },
    { sub: undefined },
    { aud: undefined },
    { nbf: now + 60 },
  ];
  for (const change of wrong) {
    // JSON leaves out what is undefined.
    const payload = JSON.parse(JSON.stringify(claims(change))) as JWTPayload;
    expect([change, await statusWith(await signed(payload))]).toEqual([change, 401]);
  }
});

test("a device that is not there, or another account's, is nobody, also when the signature is ours", async () => {
  expect(await statusWith(await signed(claims({ dev: 2 })))).toBe(401);
  expect(await statusWith(await signed(claims({ sub: "00000000-0000-8000-8000-000000000000" })))).toBe(401);
});

test("an hour later a token is worth nothing", async () => {
  const later = new World();
  const token = await alice.token();
  expect((await later.ask("getCertificate", { token })).status).toBe(200);
  later.aheadSeconds = 3606;
  expect((await later.ask("getCertificate", { token })).status).toBe(401);
});

test("garbage in the header is refused and is no error of ours", async () => {
  const token = await alice.token();
  for (const authorization of [
    "",
    "Bearer",
    "Bearer ",
    `Basic ${token}`,
    `Bearer ${token} x`,
    `Bearer ${"a".repeat(5000)}`,
    "Bearer a.b.c",
    "Bearer ..",
    `bearer\t${token}`,
  ]) {
    expect((await world.ask("getCertificate", { headers: { authorization } })).status).toBe(401);
  }
  expect((await world.ask("getCertificate", { query: `?token=${token}` })).status).toBe(401);
  expect((await world.ask("getCertificate", { headers: { cookie: `token=${token}` } })).status).toBe(401);
});

test("after a new seed version old tokens hold, new ones are signed by the new key, and both keys are published", async () => {
  const token = await alice.token();
  const rotated = new World({ SERVER_SEED: `${OTHER_SEED},${env.SERVER_SEED}` });
  expect((await rotated.ask("getCertificate", { token })).status).toBe(200);
  const keys = await (await rotated.ask("getTokenKeys")).json<{ keys: { kid: string }[] }>();
  expect(keys.keys.map(({ kid }) => kid)).toEqual(["2", "1"]);
  const answer = await rotated.ask("createToken", { json: await alice.proof() });
  const { token: fresh } = await answer.json<{ token: string }>();
  expect((await rotated.ask("getCertificate", { token: fresh })).status).toBe(200);
  expect(await statusWith(fresh)).toBe(401);
});

test("a challenge is answered for one device, one origin, once in a minute", async () => {
  const proof = await alice.proof();
  const refusedWith = async (json: unknown, by = world) => await codeOf(await by.ask("createToken", { json }));
  expect(await refusedWith({ ...proof, userId: bob.userId })).toBe("unauthorized");
  expect(await refusedWith({ ...proof, deviceId: 2 })).toBe("unauthorized");
  expect(await refusedWith({ ...proof, signature: (await bob.proof())["signature"] })).toBe("unauthorized");
  expect(await refusedWith({ ...proof, nonce: base64url.encode(new Uint8Array(32)) })).toBe("unauthorized");
  expect(await refusedWith(await alice.proof(alice.owner.first, "https://evil.example"))).toBe("unauthorized");
  const later = new World();
  later.aheadSeconds = 62;
  expect(await refusedWith(proof, later)).toBe("unauthorized");
  later.aheadSeconds = 58;
  expect((await later.ask("createToken", { json: proof })).status).toBe(200);
});
