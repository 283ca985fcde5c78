// Pictures before they are sent.

export { blur } from "./blur.ts";
export { shrunk } from "./shrink.ts";
export { type Picture, type PreparedPicture, preparePicture } from "./picture.ts";
