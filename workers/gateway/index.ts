// The Worker. `env` is read here and nowhere else.

import { systemRandom, useBackend } from "#crypto";
// oxlint-disable-next-line no-restricted-imports -- this is the program, and it chooses its backend
import { workerdBackend } from "#crypto/workerd";
import type { Env } from "./env.ts";
import { OPERATIONS } from "./operations/index.ts";
import { consume } from "../fan-out/index.ts";
import { sweepMedia } from "../media/index.ts";
import type { Services } from "./call.ts";
import { type Gateway, gateway } from "./router.ts";
import { servicesOf } from "./services.ts";

export { FanOut, Group, Mailbox, Rendezvous, Upload } from "#durable-objects";

useBackend(workerdBackend);

interface Server {
  readonly services: Services;
  readonly serve: Gateway;
}

/** One for each life of the isolate: keys are derived once, and who is active is remembered for half a minute. */
const servers = new WeakMap<Env, Server>();

function serverOf(env: Env): Server {
  let server = servers.get(env);
  if (server === undefined) {
    const services = servicesOf(env, { nowMilliseconds: () => Date.now(), random: systemRandom });
    server = { services, serve: gateway(services, OPERATIONS) };
    servers.set(env, server);
  }
  return server;
}

const worker: ExportedHandler<Env> = {
  async fetch(request, env, context) {
    return await serverOf(env).serve(request, context);
  },
  async queue(batch, env) {
    await consume(batch, serverOf(env).services.fanOut);
  },
  async scheduled(controller, env) {
    const { media } = serverOf(env).services;
    if (media !== undefined) await sweepMedia(media.bucket, Math.floor(controller.scheduledTime / 1000));
  },
};

// oxlint-disable-next-line import/no-default-export -- the runtime looks for it under this name
export default worker;
