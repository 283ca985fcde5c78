// Videos and recordings before they are sent.

export { isVideo, type PreparedVideo, prepareVideo } from "./video.ts";
