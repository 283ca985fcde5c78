// Puts the parts of the gateway together: from what is bound, each gets what it needs and no more.

import type { Random } from "#crypto";
import {
  databasesOf,
  fanOutNamespace,
  groupNamespace,
  mailboxNamespace,
  mediaBytesPerDay,
  parseServerSeed,
  rendezvousNamespace,
  ServerNames,
  uploadNamespace,
} from "#durable-objects";
import { FanOutServices } from "../fan-out/index.ts";
import { MediaServices } from "../media/index.ts";
import type { Services } from "./call.ts";
import { CertificateAuthority } from "./certificates.ts";
import { Challenges } from "./challenges.ts";
import { Counters } from "./counters.ts";
import { Devices } from "./devices.ts";
import type { Env } from "./env.ts";
import { Groups } from "./groups.ts";
import { Limits } from "./limits.ts";
import { Mailboxes } from "./mailboxes.ts";
import { Meetings } from "./meetings.ts";
import { newestOf } from "./seeds.ts";
import { Tokens } from "./tokens.ts";

export interface Surroundings {
  readonly nowMilliseconds: () => number;
  readonly random: Random;
}

export function servicesOf(env: Env, { nowMilliseconds, random }: Surroundings): Services {
  const seeds = parseServerSeed(env.SERVER_SEED);
  const names = new ServerNames(seeds);
  const mailboxes = new Mailboxes(mailboxNamespace(env), names);
  const counters = new Counters(env.COUNTERS, random);
  const bindings = { user: env.USER_LIMIT, address: env.ADDRESS_LIMIT, target: env.TARGET_LIMIT, group: env.GROUP_LIMIT };
  return {
    nowMilliseconds,
    random,
    origins: (env.ORIGINS ?? "").split(",").filter((origin) => origin !== ""),
    inviteCode: env.INVITE_CODE === "" ? undefined : env.INVITE_CODE,
    keys: { databases: databasesOf({ ...env }), names },
    mailboxes,
    groups: new Groups(groupNamespace(env), names),
    meetings: new Meetings(rendezvousNamespace(env), names),
    fanOut: new FanOutServices({
      jobs: fanOutNamespace(env),
      mailboxes: mailboxNamespace(env),
      names,
      countDeadLetter: (what) => counters.countDeadLetter(what),
    }),
    media: env.MEDIA === undefined ? undefined : new MediaServices({ bucket: env.MEDIA, uploads: uploadNamespace(env), seeds }),
    mediaBytesPerDay: mediaBytesPerDay(env.MEDIA_BYTES_PER_DAY),
    devices: new Devices(mailboxes),
    tokens: new Tokens(seeds),
    challenges: new Challenges(seeds),
    certificates: new CertificateAuthority(seeds, random),
    counters,
    limits: new Limits(bindings, names, newestOf(seeds)),
    requesterName: (userId) => names.mailbox(userId),
  };
}
