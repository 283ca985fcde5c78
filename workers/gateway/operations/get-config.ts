// What a client needs to know about this server: whom its certificates are signed by, and its limits.

import { base64url } from "jose";
import {
  MAILBOX_TTL_SECONDS,
  MAX_DEVICES_PER_ACCOUNT,
  MAX_ENVELOPE_BYTES,
  MAX_ONE_TIME_EC_PREKEYS,
  MAX_ONE_TIME_KEM_PREKEYS,
  MAX_MEDIA_BYTES,
  MAX_MEDIA_REQUEST_BYTES,
  MEDIA_TTL_SECONDS,
  SENDER_CERTIFICATE_LIFETIME_SECONDS,
  TOKEN_LIFETIME_SECONDS,
} from "#wire";
import type { Call } from "../call.ts";
import { answer } from "../schemas.ts";

export function getConfig({ services }: Call): Response {
  return answer("getConfig", {
    registration: services.inviteCode === undefined ? "open" : "invite",
    trustRoots: services.certificates.trustRoots.map((root) => base64url.encode(root)),
    limits: {
      devicesPerAccount: MAX_DEVICES_PER_ACCOUNT,
      envelopeBytes: MAX_ENVELOPE_BYTES,
      mailboxTtlSeconds: MAILBOX_TTL_SECONDS,
      oneTimeEcPreKeys: MAX_ONE_TIME_EC_PREKEYS,
      oneTimeKemPreKeys: MAX_ONE_TIME_KEM_PREKEYS,
      // 0: this server has nowhere to keep files.
      mediaBytes: services.media === undefined ? 0 : MAX_MEDIA_BYTES,
      mediaBytesPerDay: services.mediaBytesPerDay,
      mediaRequestBytes: MAX_MEDIA_REQUEST_BYTES,
      mediaTtlSeconds: MEDIA_TTL_SECONDS,
      senderCertificateSeconds: SENDER_CERTIFICATE_LIFETIME_SECONDS,
      tokenSeconds: TOKEN_LIFETIME_SECONDS,
    },
  });
}
