// The sender certificate that goes into every sealed message: kept, checked, and renewed before it expires.

import { type CertifiedSender, validateSenderCertificate } from "#identity";
import { type Bytes, CLOCK_TOLERANCE_SECONDS, ProtocolError, SENDER_CERTIFICATE_LIFETIME_SECONDS, WireError } from "#wire";
import { ClientError } from "../errors.ts";
import { CERTIFICATE } from "../records/tables.ts";
import type { TrustRoots } from "../trust-roots.ts";
import type { Sending } from "./compose.ts";

/** It is renewed while it is still good for a while. */
const MARGIN_MILLISECONDS = 3600_000;

/** A sender certificate that is good for a while, and that others will believe. @throws ClientError */
export async function certificateOf(sending: Sending): Promise<Bytes> {
  const { vault, server, clock } = sending;
  const now = clock.nowMilliseconds();
  const kept = await vault.read((records) => records.get(CERTIFICATE));
  if (kept !== undefined && now < kept.untilMilliseconds - MARGIN_MILLISECONDS) return kept.bytes;
  const bytes = await server.getCertificate();
  const untilMilliseconds = Math.min(await endOfOwn(sending, bytes), now + SENDER_CERTIFICATE_LIFETIME_SECONDS * 1000);
  await vault.write(async (records) => records.put(CERTIFICATE, { bytes, untilMilliseconds }));
  return bytes;
}

/** Until when a certificate says of this device what is so. What is sent under another is thrown away by whoever gets it. */
async function endOfOwn({ self: { local }, trust, clock }: Sending, bytes: Bytes): Promise<number> {
  // Our clock may be a day ahead, and whoever reads has another one.
  const nowMilliseconds = clock.nowMilliseconds() - CLOCK_TOLERANCE_SECONDS * 1000;
  const validate = (): CertifiedSender => validateSenderCertificate(bytes, { trustRoots: trust.roots, nowMilliseconds });
  try {
    const { sender, identityKey, expiresMilliseconds } = await orRenewed(trust, validate);
    const isOwn = sender.userId === local.address.userId && sender.deviceId === local.address.deviceId;
    if (isOwn && identityKey.equals(local.identity.publicKey)) return expiresMilliseconds;
  } catch (cause) {
    if (cause instanceof WireError || cause instanceof ProtocolError) throw new ClientError("server-failed", { cause });
    throw cause;
  }
  throw new ClientError("server-failed", { detail: "the certificate is not this device's" });
}

/** Once more when it leads to a root that the server has had since we asked. */
async function orRenewed<T>(trust: TrustRoots, validate: () => T): Promise<T> {
  try {
    return validate();
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "bad-certificate" && (await trust.renew())) return validate();
    throw error;
  }
}
