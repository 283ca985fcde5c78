// What kind of file it is, by the ending of its name: what its readers are told. Pictures are known by their content, elsewhere.

import { extname } from "node:path";

const BY_ENDING: Readonly<Record<string, string>> = {
  ".csv": "text/csv",
  ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ".flac": "audio/flac",
  ".gz": "application/gzip",
  ".json": "application/json",
  ".m4a": "audio/mp4",
  ".md": "text/markdown",
  ".mov": "video/quicktime",
  ".mp3": "audio/mpeg",
  ".mp4": "video/mp4",
  ".odt": "application/vnd.oasis.opendocument.text",
  ".ogg": "audio/ogg",
  ".opus": "audio/ogg",
  ".pdf": "application/pdf",
  ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  ".txt": "text/plain",
  ".wav": "audio/wav",
  ".webm": "video/webm",
  ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ".zip": "application/zip",
};

/** Empty when nobody knows. */
export function mimeOf(path: string): string {
  return BY_ENDING[extname(path).toLowerCase()] ?? "";
}

/** Kinds that hold places, names and times as well, and that nothing here takes out. */
const KEEPS_METADATA: ReadonlySet<string> = new Set(
  (
    "tif tiff svg jxl jp2 psd dng cr2 nef arw raf orf rw2 webm mkv avi wmv mpg mpeg mp3 flac ogg opus wav aiff wma " +
    "pdf doc docx xls xlsx ppt pptx odt ods odp rtf pages numbers key epub"
  ).split(" "),
);

/** Whether a file of this name goes with all that was written into it. */
export function keepsMetadata(path: string): boolean {
  return KEEPS_METADATA.has(extname(path).slice(1).toLowerCase());
}
