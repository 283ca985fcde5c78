// Which operations of the route table this server has, and by what: the one list of them. Others answer as if they were
// nowhere, and the OpenAPI document does not have them.

import type { Operation } from "#wire";

export const SERVED: readonly Operation[] = [
  "createAccount",
  "createChallenge",
  "createToken",
  "getTokenKeys",
  "getCertificate",
  "openSocket",
  "putKeys",
  "getKeyCounts",
  "getKeys",
  "getLog",
  "appendLog",
  "getRecoveryLog",
  "recoverAccount",
  "getUsername",
  "sendMessages",
  "getGroup",
  "appendGroup",
  "sendToMany",
  "getSendResult",
  "requestLink",
  "putLinkBlob",
  "takeLinkBlob",
  "getConfig",
  "getHealth",
  "getOpenApi",
];
