// The Worker that tests of the server run in: Durable Objects and nothing else. What is in front of them, tests call themselves.

export { FanOut, Group, Mailbox, Rendezvous, Upload } from "#durable-objects";

const worker: ExportedHandler = {
  fetch: () => new Response(undefined, { status: 404 }),
};

// oxlint-disable-next-line import/no-default-export -- the runtime looks for it under this name
export default worker;
