// Pictures before they are sent.

export { blur } from "./blur.ts";
export { type Picture, type PictureKind, type PreparedPicture, preparePicture } from "./picture.ts";
