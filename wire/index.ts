export type { Bytes } from "./bytes.ts";
export { ascii, be16, be32, be64, concat, copy, EMPTY, fromHex, sameBytes, toHex } from "./bytes.ts";
export type { ProtocolCode, WireCode } from "./errors.ts";
export { assertNever, InvariantError, ProtocolError, UsageError, WireError } from "./errors.ts";
export type { DeviceAddress, DeviceId, DistributionId, RegistrationId, ServiceId, UserId } from "./ids.ts";
export {
  deviceOfServiceId,
  parseDeviceId,
  parseDistributionId,
  parseRegistrationId,
  parseUserId,
  serviceIdFromFixedWidth,
  serviceIdOfDevice,
  serviceIdToFixedWidth,
  userIdFromDigest,
  uuidFromBytes,
  uuidToBytes,
} from "./ids.ts";
