// The first works: what one message to a group costs the program that sends it, whoever plays it. A kibibyte is encrypted under
// the sender's key for the group, and that is sealed for every device at once. Knows no implementation.

export interface Audience {
  /** Each has an address of its own. */
  readonly people: number;
  /** Of each. With ours every device has an identity of its own, with the official library those of one person share it. */
  readonly devices: number;
  /** Their keys are read from bytes for every message, as for the first one of a program's life. */
  readonly areNew: boolean;
}

export const WORKS = {
  "encrypt for 100 devices": { people: 100, devices: 1, areNew: false },
  "encrypt for 100 devices, the first time": { people: 100, devices: 1, areNew: true },
  "encrypt for 200 devices of 200 people": { people: 200, devices: 1, areNew: false },
  "encrypt for 200 devices of 100 people": { people: 100, devices: 2, areNew: false },
} as const satisfies Readonly<Record<string, Audience>>;

export type Work = keyof typeof WORKS;

export interface Sender {
  /** Sends to nobody, again and again, for about that long. */
  encrypt(order: { readonly work: Work; readonly milliseconds: number }): Promise<Spent>;
}

export interface Spent {
  readonly messages: number;
  /** Of all threads of the process. */
  readonly cpuMilliseconds: number;
}

export const KIBIBYTE: Uint8Array<ArrayBuffer> = new Uint8Array(1024).fill(0x61);
export const DISTRIBUTION = "d1d1d1d1-7000-4000-8000-0123456789ab";
export const NOW_MILLISECONDS = 1_790_000_000_000;

/** One message. */
export type Step = () => void | Promise<void>;

/** Answers orders. What a work needs beforehand is made once. */
export function senderOf(prepare: (audience: Audience) => Step | Promise<Step>): Sender {
  const prepared = new Map<Work, Step>();
  return {
    async encrypt({ work, milliseconds }) {
      const step = prepared.get(work) ?? (await prepare(WORKS[work]));
      prepared.set(work, step);
      return await spend(step, milliseconds);
    },
  };
}

async function spend(step: Step, milliseconds: number): Promise<Spent> {
  const end = performance.now() + milliseconds;
  const before = process.cpuUsage();
  let messages = 0;
  do {
    await step();
    messages++;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(before);
  return { messages, cpuMilliseconds: (user + system) / 1000 };
}
