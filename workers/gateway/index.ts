// The Worker. `env` is read here and nowhere else.

import { systemRandom, useBackend } from "#crypto";
// oxlint-disable-next-line no-restricted-imports -- this is the program, and it chooses its backend
import { workerdBackend } from "#crypto/workerd";
import type { Env } from "./env.ts";
import { OPERATIONS } from "./operations/index.ts";
import { type Gateway, gateway } from "./router.ts";
import { servicesOf } from "./services.ts";

export { Group, Mailbox } from "#durable-objects";

useBackend(workerdBackend);

/** One for each life of the isolate: keys are derived once, and who is active is remembered for half a minute. */
const gateways = new WeakMap<Env, Gateway>();

const worker: ExportedHandler<Env> = {
  async fetch(request, env, context) {
    let serve = gateways.get(env);
    if (serve === undefined) {
      serve = gateway(servicesOf(env, { nowMilliseconds: () => Date.now(), random: systemRandom }), OPERATIONS);
      gateways.set(env, serve);
    }
    return await serve(request, context);
  },
};

// oxlint-disable-next-line import/no-default-export -- the runtime looks for it under this name
export default worker;
