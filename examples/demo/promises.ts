// What Edgewise promises, and whether a conversation kept it. Sees what was observed and nothing else: what was not seen to be
// kept counts as broken.

import type { GroupSearch, Search } from "./search.ts";

export type Receipt = "delivered" | "read";

export interface Letter {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  /** The other person's program was not running when it was written. */
  readonly whileAway: boolean;
  /** The server had said that it has it, and nobody else had it, when the server was killed. */
  readonly heldAtKill: boolean;
  /** What its writer was told about it, in order. */
  readonly receipts: readonly Receipt[];
}

export interface GroupLetter {
  readonly from: string;
  /** Who else was in when it was written. */
  readonly to: readonly string[];
  readonly text: string;
}

export interface Observed {
  /** In the order in which they were written. */
  readonly letters: readonly Letter[];
  /** By name, the texts that somebody was shown, in that order. */
  readonly shown: ReadonlyMap<string, readonly string[]>;
  /** In the order in which they were written. */
  readonly groupLetters: readonly GroupLetter[];
  /** By name, the texts that somebody was shown in the group, in that order. */
  readonly shownInGroup: ReadonlyMap<string, readonly string[]>;
  /** Who was removed from the group, and knew it before the others went on. */
  readonly removed: string | undefined;
  /** After its kill nobody answered at the server's address. */
  readonly killed: boolean;
  /** Looks into the server's files. */
  readonly searches: readonly Search[];
  /** Looks into what they say about groups. */
  readonly groupSearches: readonly GroupSearch[];
  /** As the two see it. */
  readonly safetyNumbers: readonly string[];
}

export interface Verdict {
  readonly promise: string;
  readonly kept: boolean;
  readonly detail: string;
}

export function judge(observed: Observed): readonly Verdict[] {
  const ofTwo = [once(observed), inOrder(observed), waited(observed), survived(observed), told(observed)];
  const ofGroups = [reachedAll(observed), shutOut(observed)];
  return [...ofTwo, ...ofGroups, unread(observed), unnamed(observed), sameNumber(observed)];
}

function once({ letters, shown }: Observed): Verdict {
  const arrived = letters.filter(({ to, text }) => shown.get(to)?.filter((other) => other === text).length === 1).length;
  const all = [...shown.values()].flat().length;
  const kept = all > 0 && all === letters.length && arrived === letters.length;
  return { promise: "Every message arrived, and arrived once", kept, detail: `${arrived} of ${letters.length}` };
}

function inOrder({ letters, shown }: Observed): Verdict {
  const kept =
    shown.size > 0 &&
    [...shown].every(([name, texts]) => {
      const written = letters.filter(({ to }) => to === name).map(({ text }) => text);
      return written.length > 0 && written.join("\n") === [...new Set(texts)].join("\n");
    });
  return { promise: "In the order in which it was written", kept, detail: kept ? "for everybody" : "not so" };
}

function waited({ letters, shown }: Observed): Verdict {
  const away = letters.filter(({ whileAway }) => whileAway);
  const arrived = away.filter((letter) => isShown(shown, letter)).length;
  const kept = away.length > 0 && arrived === away.length;
  return { promise: "What was written to somebody away waited for them", kept, detail: `${arrived} of ${away.length}` };
}

function survived({ letters, shown, killed }: Observed): Verdict {
  const held = letters.filter(({ heldAtKill }) => heldAtKill);
  const arrived = held.filter((letter) => isShown(shown, letter)).length;
  const kept = killed && held.length > 0 && arrived === held.length;
  return { promise: "What the server had taken survived its SIGKILL", kept, detail: `${arrived} of ${held.length}` };
}

function told({ letters }: Observed): Verdict {
  const honest = letters.filter(({ receipts }) => receipts.join() === "delivered,read").length;
  const kept = honest > 0 && honest === letters.length;
  return { promise: "Every writer was told: delivered, then read, once each", kept, detail: `${honest} of ${letters.length}` };
}

function reachedAll({ groupLetters, shownInGroup }: Observed): Verdict {
  const shownTo = (name: string): readonly string[] => shownInGroup.get(name) ?? [];
  const due = groupLetters.flatMap(({ to, text }) => to.map((name) => ({ name, text })));
  const arrived = due.filter(({ name, text }) => shownTo(name).filter((other) => other === text).length === 1).length;
  // Nobody was shown what nobody wrote; what whoever is out was shown is the promise after this one.
  const written = new Set(groupLetters.map(({ text }) => text));
  const isForeign = [...shownInGroup.values()].flat().some((text) => !written.has(text));
  const kept = due.length > 0 && arrived === due.length && !isForeign;
  return { promise: "A message to the group reached each member once", kept, detail: `${arrived} of ${due.length}` };
}

/** Whoever was shown nothing before has not been shut out. */
function shutOut({ groupLetters, shownInGroup, removed = "" }: Observed): Verdict {
  const shown = shownInGroup.get(removed) ?? [];
  const later = groupLetters.slice(groupLetters.findLastIndex(({ from, to }) => from === removed || to.includes(removed)) + 1);
  const read = later.filter(({ text }) => shown.includes(text)).length;
  const kept = shown.length > 0 && later.length > 0 && read === 0;
  return { promise: "Whoever was removed read nothing that came after", kept, detail: `read ${read} of ${later.length}` };
}

/** A search that does not even find what has to be there has shown nothing. */
function unread({ searches }: Observed): Verdict {
  const kept = searches.length > 0 && searches.every(({ found, missed }) => found.length === 0 && missed.length === 0);
  return { promise: "No word of it is in the server's files", kept, detail: whatWasFound(searches) };
}

function whatWasFound(searches: readonly Search[]): string {
  const last = searches.at(-1);
  const found = [...new Set(searches.flatMap((search) => search.found))];
  if (last === undefined) return "never searched";
  if (found.length > 0) return `found: ${found.join(", ")}`;
  if (searches.some(({ missed }) => missed.length > 0)) return "not even the accounts were found";
  return `${last.sought} words, ${(last.bytes / 1e6).toFixed(1)} MB`;
}

/** Where nothing is kept of groups, nothing was looked at. */
function unnamed({ groupSearches }: Observed): Verdict {
  const bytes = Math.max(0, ...groupSearches.map((search) => search.bytes));
  const found = [...new Set(groupSearches.flatMap((search) => search.found))];
  const kept = bytes > 0 && found.length === 0;
  const detail = found.length > 0 ? `found: ${found.length}` : `${(bytes / 1e6).toFixed(1)} MB`;
  return { promise: "Its files of the group name neither title nor members", kept, detail };
}

function sameNumber({ safetyNumbers }: Observed): Verdict {
  const [one, other] = safetyNumbers;
  const kept = one !== undefined && one === other;
  const detail = kept ? `${one.slice(0, 5)} ${one.slice(5, 10)} … ${one.slice(-5)}` : "not so";
  return { promise: "Both see the same safety number: nobody in between", kept, detail };
}

function isShown(shown: Observed["shown"], { to, text }: Letter): boolean {
  return shown.get(to)?.includes(text) === true;
}
