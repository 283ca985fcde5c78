// What is used of the library, which comes without types.

declare module "thumbhash" {
  export function thumbHashToRGBA(hash: Uint8Array): { readonly w: number; readonly h: number; readonly rgba: Uint8Array };
}
