// What is used of the library, which comes without types.

declare module "thumbhash" {
  /** Of at most 100 by 100 pixels, not premultiplied. */
  export function rgbaToThumbHash(width: number, height: number, rgba: Uint8ClampedArray): Uint8Array<ArrayBuffer>;
}
