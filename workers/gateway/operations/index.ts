import type { Operations } from "../call.ts";
import { appendGroup } from "./append-group.ts";
import { appendLog } from "./append-log.ts";
import { appendUpload } from "./append-upload.ts";
import { createAccount } from "./create-account.ts";
import { createChallenge } from "./create-challenge.ts";
import { createMediaUrl } from "./create-media-url.ts";
import { createToken } from "./create-token.ts";
import { createUpload } from "./create-upload.ts";
import { deleteUpload } from "./delete-upload.ts";
import { getCertificate } from "./get-certificate.ts";
import { getConfig } from "./get-config.ts";
import { getGroup } from "./get-group.ts";
import { getHealth } from "./get-health.ts";
import { getKeyCounts } from "./get-key-counts.ts";
import { getKeys } from "./get-keys.ts";
import { getLog } from "./get-log.ts";
import { getMedia } from "./get-media.ts";
import { getOpenApi } from "./get-open-api.ts";
import { getTokenKeys } from "./get-token-keys.ts";
import { getUpload } from "./get-upload.ts";
import { getUploadOptions } from "./get-upload-options.ts";
import { getUsername } from "./get-username.ts";
import { getRecoveryLog } from "./get-recovery-log.ts";
import { getSendResult } from "./get-send-result.ts";
import { openSocket } from "./open-socket.ts";
import { putMedia } from "./put-media.ts";
import { putKeys } from "./put-keys.ts";
import { putLinkBlob } from "./put-link-blob.ts";
import { recoverAccount } from "./recover-account.ts";
import { requestLink } from "./request-link.ts";
import { sendMessages } from "./send-messages.ts";
import { sendToMany } from "./send-to-many.ts";
import { takeLinkBlob } from "./take-link-blob.ts";

export const OPERATIONS: Operations = {
  anyone: {
    createAccount,
    createChallenge,
    createToken,
    getTokenKeys,
    getGroup,
    appendGroup,
    getUploadOptions,
    getUpload,
    appendUpload,
    deleteUpload,
    createMediaUrl,
    getMedia,
    getRecoveryLog,
    recoverAccount,
    requestLink,
    putLinkBlob,
    takeLinkBlob,
    getConfig,
    getHealth,
    getOpenApi,
  },
  device: {
    getCertificate,
    openSocket,
    putKeys,
    getKeyCounts,
    getKeys,
    getLog,
    appendLog,
    getUsername,
    sendMessages,
    sendToMany,
    getSendResult,
    createUpload,
    putMedia,
  },
};
