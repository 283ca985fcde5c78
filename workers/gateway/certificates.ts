// Sender certificates: what lets a recipient believe, inside a sealed message, which device wrote it. The trust roots
// are in /v1/config; a recipient believes the certificate only if the account log agrees.

import { keyPairFromPrivate, type KeyPair, LABELS, type PublicKey, type Random, Secret } from "#crypto";
import { deriveServerKey, type SeedVersion } from "#durable-objects";
import { issueSenderCertificate, issueServerCertificate } from "#identity";
import { type Bytes, type DeviceAddress, SENDER_CERTIFICATE_LIFETIME_SECONDS } from "#wire";
import { newestOf } from "./seeds.ts";

export class CertificateAuthority {
  readonly #seeds: readonly SeedVersion[];
  readonly #random: Random;
  #server: { readonly certificate: Bytes; readonly key: Secret } | undefined;

  /** @param seeds newest first: its keys sign, the roots of all are published */
  constructor(seeds: readonly SeedVersion[], random: Random) {
    this.#seeds = seeds;
    this.#random = random;
  }

  /** 33 bytes each. */
  get trustRoots(): readonly Bytes[] {
    return this.#seeds.map((seed) => keyPair(seed, LABELS.SERVER_TRUST_ROOT).publicKey.encode());
  }

  issue(device: DeviceAddress, identityKey: PublicKey, nowSeconds: number): Bytes {
    this.#server ??= this.#certify();
    const expiresMilliseconds = (nowSeconds + SENDER_CERTIFICATE_LIFETIME_SECONDS) * 1000;
    const { certificate: serverCertificate, key: serverKey } = this.#server;
    return issueSenderCertificate({ device, identityKey, expiresMilliseconds, serverCertificate, serverKey }, this.#random);
  }

  #certify(): { readonly certificate: Bytes; readonly key: Secret } {
    const seed = newestOf(this.#seeds);
    const server = keyPair(seed, LABELS.SERVER_CERTIFICATE);
    const trustRoot = keyPair(seed, LABELS.SERVER_TRUST_ROOT).privateKey;
    const certificate = issueServerCertificate({ id: seed.version, serverKey: server.publicKey, trustRoot }, this.#random);
    return { certificate, key: server.privateKey };
  }
}

function keyPair(seed: SeedVersion, label: Bytes): KeyPair {
  return keyPairFromPrivate(new Secret(deriveServerKey(seed, label)));
}
