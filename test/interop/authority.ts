// The server's part in sealed sender: a trust root, a server key and the certificates they sign, made by our
// implementation or by the official library from the same keys.

import { generateKeyPair, type KeyPair, type PublicKey, type Random } from "../../crypto/index.ts";
import { issueSenderCertificate, issueServerCertificate } from "../../identity/index.ts";
import { type Bytes, copy, type DeviceAddress, serviceIdOfDevice } from "../../wire/index.ts";
import type { Library } from "./library.ts";

export const NOW_MILLISECONDS = 1_790_000_000_000;
const DAY_MILLISECONDS = 24 * 3600 * 1000;
const SERVER_KEY_ID = 7;

export interface CertificateRequest {
  readonly device: DeviceAddress;
  readonly identityKey: PublicKey;
  readonly expiresMilliseconds?: number;
  readonly serverKeyId?: number;
}

export class Authority {
  readonly trustRoot: KeyPair;
  readonly #serverKey: KeyPair;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    this.trustRoot = generateKeyPair(random);
    this.#serverKey = generateKeyPair(random);
  }

  byOurs(request: CertificateRequest): Bytes {
    const server = { id: request.serverKeyId ?? SERVER_KEY_ID, serverKey: this.#serverKey.publicKey, trustRoot: this.trustRoot.privateKey };
    const sender = {
      device: request.device,
      identityKey: request.identityKey,
      expiresMilliseconds: request.expiresMilliseconds ?? NOW_MILLISECONDS + DAY_MILLISECONDS,
      serverCertificate: issueServerCertificate(server, this.#random),
      serverKey: this.#serverKey.privateKey,
    };
    return issueSenderCertificate(sender, this.#random);
  }

  byTheirs(request: CertificateRequest, { api }: Library): Bytes {
    const root = api.PrivateKey.deserialize(this.trustRoot.privateKey.expose());
    const serverKey = api.PrivateKey.deserialize(this.#serverKey.privateKey.expose());
    const server = api.ServerCertificate.new(request.serverKeyId ?? SERVER_KEY_ID, serverKey.getPublicKey(), root);
    const sender = api.SenderCertificate.new(
      serviceIdOfDevice(request.device),
      null,
      request.device.deviceId,
      api.PublicKey.deserialize(request.identityKey.encode()),
      request.expiresMilliseconds ?? NOW_MILLISECONDS + DAY_MILLISECONDS,
      server,
      serverKey,
    );
    return copy(sender.serialize());
  }
}
