// A request on its way through the gateway, and what an operation may use to answer it.

import type { Random } from "#crypto";
import type { Operation } from "#wire";
import type { FanOutServices } from "../fan-out/index.ts";
import type { KeysEnv } from "../keys/index.ts";
import type { MediaServices } from "../media/index.ts";
import type { CertificateAuthority } from "./certificates.ts";
import type { Challenges } from "./challenges.ts";
import type { Counters } from "./counters.ts";
import type { ActiveDevice, Devices } from "./devices.ts";
import type { Groups } from "./groups.ts";
import type { Limits } from "./limits.ts";
import type { Mailboxes } from "./mailboxes.ts";
import type { Meetings } from "./meetings.ts";
import type { Tokens } from "./tokens.ts";

export interface Services {
  readonly nowMilliseconds: () => number;
  readonly random: Random;
  /** Empty: every origin that requests come to is ours. */
  readonly origins: readonly string[];
  readonly inviteCode: string | undefined;
  readonly keys: KeysEnv;
  readonly mailboxes: Mailboxes;
  readonly groups: Groups;
  readonly meetings: Meetings;
  readonly fanOut: FanOutServices;
  /** Absent where there is no bucket for files. */
  readonly media: MediaServices | undefined;
  /** What an account may upload in a day. */
  readonly mediaBytesPerDay: number;
  readonly devices: Devices;
  readonly tokens: Tokens;
  readonly challenges: Challenges;
  readonly certificates: CertificateAuthority;
  readonly counters: Counters;
  readonly limits: Limits;
  /** The name under which a user's fetches of others' keys are counted. */
  readonly requesterName: (userId: ActiveDevice["userId"]) => string;
}

export interface Call {
  readonly request: Request;
  readonly url: URL;
  /** Ours, as the client wrote it. */
  readonly origin: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly services: Services;
  readonly nowSeconds: number;
  /** Work that the answer does not wait for. */
  readonly afterwards: (work: Promise<void>) => void;
}

/** A call with the token of a device that is active. */
export interface DeviceCall extends Call {
  readonly caller: ActiveDevice;
}

export type AnyoneOperation = (call: Call) => Promise<Response> | Response;
export type DeviceOperation = (call: DeviceCall) => Promise<Response> | Response;

/** What this server does: every operation of the route table that is here, by who may ask for it. */
export interface Operations {
  /** No token is looked at. What such an operation wants to be shown, it checks itself. */
  readonly anyone: Readonly<Partial<Record<Operation, AnyoneOperation>>>;
  readonly device: Readonly<Partial<Record<Operation, DeviceOperation>>>;
}
