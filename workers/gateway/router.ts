// From a request to an operation: origin, route, who asks, limits; and from what happened to an answer. Everything that
// holds for all routes is here.

import { type Context, Hono } from "hono";
import { type Operation, ROUTES, SOCKET_PROTOCOL } from "#wire";
import { Unavailable } from "../deadline.ts";
import { drain } from "./body.ts";
import type { Call, DeviceCall, Operations, Services } from "./call.ts";
import type { ActiveDevice } from "./devices.ts";
import { withHeaders } from "./headers.ts";
import { Problem, problemResponse } from "./problem.ts";
import { SERVED } from "./served.ts";

const RETRY_SECONDS = 2;

export type Gateway = (request: Request, context: Pick<ExecutionContext, "waitUntil">) => Promise<Response>;

export function gateway(services: Services, operations: Operations): Gateway {
  const app = router(services, operations);
  return async (request, context) => {
    const response = await app.fetch(request, { waitUntil: (work: Promise<unknown>) => context.waitUntil(work) });
    await drain(request);
    // What an operation answers is not copied on its way out: a socket's 101 must go as it came.
    return response.status === 101 ? response : withHeaders(response, new URL(request.url).pathname);
  };
}

interface Bindings {
  readonly waitUntil: (work: Promise<unknown>) => void;
}

function router(services: Services, operations: Operations): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>();
  for (const name of SERVED) {
    const { method, path } = ROUTES[name];
    // Hono takes HEAD for GET and throws the body away: of another's GET, a prekey would go with it.
    app.on(method === "HEAD" ? "GET" : method, pattern(path), async (context, next) => {
      if (context.req.raw.method !== method) return await next();
      return await counted(name, services, () => run(name, callOf(context, services), operations));
    });
  }
  for (const path of new Set(SERVED.map((name) => ROUTES[name].path))) app.all(pattern(path), () => refuse(path));
  app.notFound(() => problemResponse(new Problem("not-found")));
  app.onError((error) => problemResponse(problemOf(error)));
  return app;
}

function pattern(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function refuse(path: string): never {
  const methods = SERVED.map((name) => ROUTES[name]).filter((route) => route.path === path);
  throw new Problem("method-not-allowed", { headers: { allow: methods.map(({ method }) => method).join(", ") } });
}

function callOf(context: Context<{ Bindings: Bindings }>, services: Services): Call {
  const request = context.req.raw;
  const url = new URL(request.url);
  if (services.origins.length > 0 && !services.origins.includes(url.origin)) throw new Problem("not-found");
  return {
    request,
    url,
    origin: url.origin,
    parameters: context.req.param(),
    services,
    nowSeconds: Math.floor(services.nowMilliseconds() / 1000),
    afterwards: (work) => context.env.waitUntil(work),
  };
}

/** What a refusal is called is decided by `problemOf`, here and where it is answered. */
async function counted(name: Operation, { counters }: Services, work: () => Promise<Response>): Promise<Response> {
  try {
    const response = await work();
    counters.count(name, "ok");
    return response;
  } catch (error) {
    counters.count(name, problemOf(error).code);
    throw error;
  }
}

async function run(name: Operation, call: Call, operations: Operations): Promise<Response> {
  const forAnyone = operations.anyone[name];
  if (forAnyone !== undefined) {
    await call.services.limits.countAddress(call.request.headers, call.nowSeconds);
    return await forAnyone(call);
  }
  const forDevice = operations.device[name];
  if (forDevice === undefined) throw new Problem("not-found");
  const caller = await authenticate(name, call);
  await call.services.limits.countUser(caller.userId);
  const deviceCall: DeviceCall = { ...call, caller };
  return await forDevice(deviceCall);
}

/** @throws Problem `unauthorized`, the same for every reason. */
async function authenticate(name: Operation, { request, origin, services, nowSeconds }: Call): Promise<ActiveDevice> {
  const token = name === "openSocket" ? tokenOfProtocols(request.headers) : tokenOfBearer(request.headers);
  const device = token === undefined ? undefined : await services.tokens.verify(token, origin, nowSeconds);
  const active = device === undefined ? undefined : await services.devices.find(device, services.nowMilliseconds());
  if (active === undefined) throw new Problem("unauthorized", { headers: { "www-authenticate": "Bearer" } });
  return active;
}

function tokenOfBearer(headers: Headers): string | undefined {
  return /^Bearer ([\w.-]{1,1024})$/i.exec(headers.get("authorization") ?? "")?.[1];
}

/** A page can set no other header of a socket, and a URL would be kept by everybody on the way. */
function tokenOfProtocols(headers: Headers): string | undefined {
  const [protocol, token, ...more] = (headers.get("sec-websocket-protocol") ?? "").split(",").map((part) => part.trim());
  if (protocol !== SOCKET_PROTOCOL || more.length > 0) return undefined;
  return token !== undefined && /^[\w.-]{1,1024}$/.test(token) ? token : undefined;
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Unavailable) return new Problem("unavailable", { retryAfterSeconds: RETRY_SECONDS });
  return new Problem("internal");
}
