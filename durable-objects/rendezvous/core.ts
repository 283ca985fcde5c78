// The decisions of a rendezvous: four places for a blob each, which is written once and taken once. What was taken stays taken
// until everything expires. Knows no storage and no clock, and cannot read what lies here.

export type LinkBlob = 1 | 2 | 3 | 4;

interface Slot {
  /** Of the content: a repeat of a write whose answer was lost is the same write, also when the blob is gone. */
  readonly hash: string;
  /** Absent when it was taken. */
  readonly content?: string;
}

/** What is kept: plain data, as JSON has it. */
export interface Meeting {
  readonly slots: Readonly<Partial<Record<LinkBlob, Slot>>>;
  /** 0 before the first write. */
  readonly expiresMilliseconds: number;
}

export const NO_MEETING: Meeting = { slots: {}, expiresMilliseconds: 0 };

export type Put = { readonly kind: "stored" } | { readonly kind: "gone" };
/** `empty`: nobody has written it yet. `gone`: it was taken, or the time is over. */
export type Taken = { readonly kind: "blob"; readonly content: string } | { readonly kind: "empty" } | { readonly kind: "gone" };

export interface Written {
  readonly blob: LinkBlob;
  readonly content: string;
  readonly hash: string;
}

/** A moment, and for how long a meeting that begins in it lasts. */
export interface Moment {
  readonly nowMilliseconds: number;
  readonly lifetimeSeconds: number;
}

export function put(
  meeting: Meeting,
  { blob, content, hash }: Written,
  { nowMilliseconds, lifetimeSeconds }: Moment,
): readonly [Meeting, Put] {
  if (isOver(meeting, nowMilliseconds)) return [meeting, { kind: "gone" }];
  const there = meeting.slots[blob];
  if (there !== undefined) return [meeting, { kind: there.hash === hash ? "stored" : "gone" }];
  const begun = meeting.expiresMilliseconds === 0;
  const expiresMilliseconds = begun ? nowMilliseconds + lifetimeSeconds * 1000 : meeting.expiresMilliseconds;
  return [{ slots: { ...meeting.slots, [blob]: { hash, content } }, expiresMilliseconds }, { kind: "stored" }];
}

export function take(meeting: Meeting, blob: LinkBlob, nowMilliseconds: number): readonly [Meeting, Taken] {
  const there = meeting.slots[blob];
  if (isOver(meeting, nowMilliseconds)) return [meeting, { kind: "gone" }];
  if (there === undefined) return [meeting, { kind: "empty" }];
  const { hash, content } = there;
  if (content === undefined) return [meeting, { kind: "gone" }];
  return [
    { ...meeting, slots: { ...meeting.slots, [blob]: { hash } } },
    { kind: "blob", content },
  ];
}

/** Whether the alarm is late. */
function isOver({ expiresMilliseconds }: Meeting, nowMilliseconds: number): boolean {
  return expiresMilliseconds !== 0 && nowMilliseconds >= expiresMilliseconds;
}
