// Pictures and videos of the kinds that phones make, in a browser: frame by frame they are shown as before, and sound as before. Runs in
// Chromium itself, which decodes no HEIC, and H.264 only where it was built with it.

import { type Bytes, fromHex, sameBytes } from "#wire";
import { expect, test } from "vitest";
import { blur, preparePicture } from "../../../../client/media/pictures/index.ts";
import { prepareVideo } from "../../../../client/media/videos/index.ts";
import phones from "../../../vectors/phones.json" with { type: "json" };

const all = phones.cases.map(({ name, mime, bytes }) => ({ name, mime, bytes: fromHex(bytes) }));
const pictures = all.filter(({ mime }) => mime === "image/avif");
const videos = all.filter(({ name }) => /VP9|AV1/.test(name));

test.each(pictures)("$name: every frame is as before", async ({ name, bytes }) => {
  const { content, width, height } = await stripped(bytes);
  const after = await frames(content);
  expect(after.length).toBe(name.includes("animated") ? 3 : 1);
  expect(after).toEqual(await frames(bytes));
  expect(after.map((frame) => [frame.width, frame.height])).toEqual(after.map(() => [width, height]));
});

test("what is kept of an AVIF is needed: its turn and what it lets through show", async () => {
  const [alpha] = pictures;
  const [frame] = await frames((await stripped(alpha?.bytes ?? new Uint8Array())).content);
  // Stored as 64 by 48, and more and more there from one side to the other
  expect([frame?.width, frame?.height]).toEqual([48, 64]);
  expect(new Set(frame?.pixels.filter((_, at) => at % 4 === 3)).size).toBeGreaterThan(30);
});

test("an AVIF is blurred, and a HEIC, which the browser does not decode, is not", async () => {
  for (const { mime, bytes } of all.filter(({ name }) => /HEIC|tiles/.test(name))) {
    const picture = await preparePicture(bytes, { keepMetadata: false });
    if (picture.outcome !== "stripped") throw new Error("the picture is damaged");
    expect((await blur(picture)).length > 0).toBe(mime === "image/avif");
  }
});

test.each(videos)("$name: every frame and the sound are as before", async ({ name, bytes }) => {
  const { content, width, height } = await stripped(bytes);
  const [before, after] = [await shown(bytes), await shown(content)];
  expect(after.size).toEqual([width, height]);
  expect(new Set(after.pictures).size).toBeGreaterThan(2);
  expect(after).toEqual(before);
  const sound = await heard(content);
  expect(sound).toEqual(await heard(bytes));
  if (name === "an MP4 of VP9 and Opus") expect(sound?.some((sample) => Math.abs(sample) > 0.01)).toBe(true);
});

async function stripped(bytes: Bytes): Promise<{ readonly content: Bytes; readonly width: number; readonly height: number }> {
  const picture = await preparePicture(bytes, { keepMetadata: false });
  if (picture.outcome === "stripped") return { ...picture, content: picture.bytes };
  const video = await prepareVideo(new Blob([bytes]), async (stretch) => new Uint8Array(await stretch.arrayBuffer()));
  if (video.outcome !== "stripped") throw new Error("it is damaged");
  const content = new Uint8Array(await video.content.arrayBuffer());
  expect(sameBytes(content, bytes)).toBe(false);
  return { ...video, content };
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly pixels: readonly number[];
}

async function frames(bytes: Bytes): Promise<Frame[]> {
  const decoder = new ImageDecoder({ data: bytes, type: "image/avif" });
  await decoder.tracks.ready;
  const count = decoder.tracks.selectedTrack?.frameCount ?? 0;
  const all: Frame[] = [];
  for (let frameIndex = 0; frameIndex < count; frameIndex++) {
    const { image } = await decoder.decode({ frameIndex });
    all.push(drawn(image, image.displayWidth, image.displayHeight));
    image.close();
  }
  return all;
}

/** Each of its five frames, in the middle of its tenth of a second. */
async function shown(bytes: Bytes): Promise<{ readonly size: readonly number[]; readonly pictures: readonly string[] }> {
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  await once(video, "loadeddata");
  const pictures: string[] = [];
  for (const frame of [1, 2, 3, 4, 0]) {
    const { promise: painted, resolve } = Promise.withResolvers<unknown>();
    video.requestVideoFrameCallback(resolve);
    const sought = once(video, "seeked");
    video.currentTime = frame / 10 + 0.05;
    await Promise.all([sought, painted]);
    pictures.push(drawn(video, video.videoWidth, video.videoHeight).pixels.join());
  }
  const size = [video.videoWidth, video.videoHeight];
  URL.revokeObjectURL(video.src);
  video.remove();
  return { size, pictures };
}

function once(video: HTMLVideoElement, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    video.addEventListener(event, () => resolve(), { once: true });
    video.addEventListener("error", () => reject(new Error(video.error?.message)), { once: true });
  });
}

/** Of a video without sound, none. */
async function heard(bytes: Bytes): Promise<readonly number[] | undefined> {
  try {
    const sound = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(bytes.slice().buffer);
    return [...sound.getChannelData(0)];
  } catch (error) {
    if (error instanceof DOMException && error.name === "EncodingError") return undefined;
    throw error;
  }
}

function drawn(image: CanvasImageSource, width: number, height: number): Frame {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (context === null) throw new Error("no canvas");
  context.drawImage(image, 0, 0);
  return { width, height, pixels: [...context.getImageData(0, 0, width, height).data] };
}
