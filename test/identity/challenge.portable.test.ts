import { answerChallenge, type Challenge, checkAnswer } from "#identity";
import { parseDeviceId, UsageError } from "#wire";
import { expect, test } from "vitest";
import { Owner } from "../support/accounts.ts";
import { codeOf } from "../support/codes.ts";
import { seededRandom } from "../support/random.ts";

const random = seededRandom(1);
const owner = new Owner(2);
const second = owner.add();
const { first } = owner;
const challenge: Challenge = {
  origin: "https://chat.example.org",
  device: { userId: owner.userId, deviceId: first.deviceId },
  nonce: random(32),
};
const answer = answerChallenge(challenge, first.identity.privateKey, random);

function refusal(change: Partial<Challenge>, account = owner.account, signature = answer): string {
  return codeOf(() => checkAnswer({ ...challenge, ...change }, signature, account));
}

test("a device that answers is the device that the log knows", () => {
  expect(checkAnswer(challenge, answer, owner.account)).toBe(owner.account.devices[0]);
});

test("an answer is good for one origin, one device and one nonce", () => {
  for (const origin of [
    "https://chat.example.com",
    "http://chat.example.org",
    "https://chat.example.org:8443",
    "https://chat.example.or",
  ]) {
    expect(refusal({ origin })).toBe("bad-signature");
  }
  expect(refusal({ nonce: random(32) })).toBe("bad-signature");
  expect(refusal({ device: { ...challenge.device, deviceId: second.deviceId } })).toBe("bad-signature");
  expect(refusal({ device: { ...challenge.device, deviceId: parseDeviceId(9) } })).toBe("not-authorized");
  expect(refusal({ device: { ...challenge.device, userId: new Owner(3).userId } })).toBe("bad-address");
  expect(refusal({}, new Owner(3).account)).toBe("bad-address");
});

test("only the device's own key answers for it", () => {
  const bySecond = answerChallenge(challenge, second.identity.privateKey, random);
  expect(refusal({}, owner.account, bySecond)).toBe("bad-signature");
  for (let bit = 0; bit < 512; bit += 3) {
    const flipped = answer.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(refusal({}, owner.account, flipped)).toBe("bad-signature");
  }
  for (const length of [0, 63, 65]) expect(refusal({}, owner.account, new Uint8Array(length))).toBe("bad-signature");
});

test("a revoked device answers in vain", () => {
  const other = new Owner(4);
  const gone = other.add();
  const asked = { ...challenge, device: { userId: other.userId, deviceId: gone.deviceId } };
  const answered = answerChallenge(asked, gone.identity.privateKey, random);
  expect(checkAnswer(asked, answered, other.account).deviceId).toBe(2);
  other.revoke(gone);
  expect(codeOf(() => checkAnswer(asked, answered, other.account))).toBe("not-authorized");
});

test("there is one spelling of an origin", () => {
  const sign = (origin: string): number => answerChallenge({ ...challenge, origin }, first.identity.privateKey, random).length;
  for (const origin of [
    "https://chat.example.org",
    "http://localhost:8787",
    "http://127.0.0.1:1",
    "https://[::1]:8443",
    "https://xn--bcher-kva.example",
  ]) {
    expect(sign(origin)).toBe(64);
  }
  for (const origin of [
    "https://chat.example.org/",
    "https://Chat.example.org",
    "https://me@chat.example.org",
    "https://bücher.example",
    "wss://chat.example.org",
    "chat.example.org",
    "https://chat.example.org:",
    "https://chat.example.org:0443",
    "https://chat.example.org ",
    "https://chat.example.org\n",
    "null",
    "",
  ]) {
    expect(() => sign(origin)).toThrow(UsageError);
  }
});

test("a nonce of another length is not signed", () => {
  for (const length of [0, 31, 33]) {
    expect(codeOf(() => answerChallenge({ ...challenge, nonce: new Uint8Array(length) }, first.identity.privateKey, random))).toBe(
      "bad-length",
    );
  }
});
