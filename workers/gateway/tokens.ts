// Bearer tokens: JWTs that say which device asks. A token proves that the device answered a challenge within the hour;
// whether it is still active is asked of the mailbox.

import { base64url, decodeProtectedHeader, importJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { backend, LABELS } from "#crypto";
import { deriveServerKey, type SeedVersion } from "#durable-objects";
import { type DeviceAddress, parseDeviceId, parseUserId, TOKEN_LIFETIME_SECONDS, WireError } from "#wire";
import { newestOf } from "./seeds.ts";

/** Machines of one service disagree about the time by this much. */
const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_REMEMBERED = 10_000;
const HEADER_MEMBERS = "alg,kid,typ";

interface SigningKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
}

interface Remembered {
  readonly device: DeviceAddress;
  readonly untilSeconds: number;
}

/** A public key as `/.well-known/jwks.json` lists it. */
export interface PublishedKey {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly x: string;
  readonly kid: string;
  readonly alg: "EdDSA";
  readonly use: "sig";
}

export class Tokens {
  readonly #newest: SigningKey;
  readonly #keys: readonly SigningKey[];
  /** Tokens that were found good, by origin and text, each until it expires. Only speed depends on this. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #imported = new Map<JWK, Promise<CryptoKey>>();

  /** @param seeds newest first: it signs, the others are accepted */
  constructor(seeds: readonly SeedVersion[]) {
    this.#newest = signingKey(newestOf(seeds));
    this.#keys = seeds.map(signingKey);
  }

  get published(): readonly PublishedKey[] {
    return this.#keys.map(({ kid, publicJwk }) => ({
      kty: "OKP",
      crv: "Ed25519",
      x: publicJwk.x ?? "",
      kid,
      alg: "EdDSA",
      use: "sig",
    }));
  }

  async issue(device: DeviceAddress, origin: string, nowSeconds: number): Promise<string> {
    const { kid, privateJwk } = this.#newest;
    return await new SignJWT({ dev: device.deviceId })
      .setProtectedHeader({ alg: "EdDSA", kid, typ: "JWT" })
      .setIssuer(origin)
      .setAudience(origin)
      .setSubject(device.userId)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + TOKEN_LIFETIME_SECONDS)
      .sign(await this.#import(privateJwk));
  }

  /** The device that a token speaks for; `undefined` for every token that is not good, whatever is wrong with it. */
  async verify(token: string, origin: string, nowSeconds: number): Promise<DeviceAddress | undefined> {
    const name = `${origin} ${token}`;
    const known = this.#remembered.get(name);
    if (known !== undefined && nowSeconds < known.untilSeconds) return known.device;
    this.#remembered.delete(name);
    const payload = await this.#open(token, origin, nowSeconds);
    if (payload === undefined) return undefined;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(name, payload);
    return payload.device;
  }

  async #open(token: string, origin: string, nowSeconds: number): Promise<Remembered | undefined> {
    try {
      // Nothing in a token chooses how it is verified: one algorithm, our keys, and no header member besides these.
      const header = decodeProtectedHeader(token);
      const key = this.#keys.find(({ kid }) => kid === header.kid);
      if (key === undefined || Object.keys(header).sort().join() !== HEADER_MEMBERS) return undefined;
      const { payload } = await jwtVerify(token, await this.#import(key.publicJwk), {
        algorithms: ["EdDSA"],
        typ: "JWT",
        issuer: origin,
        audience: origin,
        requiredClaims: ["sub", "dev", "iat", "exp"],
        maxTokenAge: TOKEN_LIFETIME_SECONDS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(nowSeconds * 1000),
      });
      return { device: deviceOf(payload, origin), untilSeconds: payload.exp ?? 0 };
    } catch {
      return undefined;
    }
  }

  #import(jwk: JWK): Promise<CryptoKey> {
    const known = this.#imported.get(jwk);
    if (known !== undefined) return known;
    const imported = importJWK(jwk, "EdDSA").then((key) => {
      if (key instanceof Uint8Array) throw new TypeError("not a key pair");
      return key;
    });
    this.#imported.set(jwk, imported);
    return imported;
  }
}

function deviceOf(payload: JWTPayload, origin: string): DeviceAddress {
  if (payload.aud !== origin) throw new WireError("bad-value");
  return { userId: parseUserId(payload.sub), deviceId: parseDeviceId(payload["dev"]) };
}

function signingKey(seed: SeedVersion): SigningKey {
  const secret = deriveServerKey(seed, LABELS.SERVER_TOKEN);
  const publicJwk = { kty: "OKP", crv: "Ed25519", x: base64url.encode(backend().ed25519PublicKey(secret)) };
  return { kid: String(seed.version), publicJwk, privateJwk: { ...publicJwk, d: base64url.encode(secret) } };
}
