import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { findProcessLimitTools, type ProcessLimitTools } from "@crowdai/shared/process-limits";

/** Programs that handle media, found at the start. */
export interface MediaPrograms {
  path: string;
  limitTools: ProcessLimitTools;
  /** Full paths; null when either program is missing. */
  ffmpeg: { ffmpeg: string; ffprobe: string } | null;
}

/** The programs, and a working folder for one piece of work. */
export interface MediaTools extends MediaPrograms {
  folder: string;
}

export async function findMediaPrograms(path: string): Promise<MediaPrograms> {
  const [ffmpeg, ffprobe] = [onPath("ffmpeg", path), onPath("ffprobe", path)];
  return {
    path,
    limitTools: await findProcessLimitTools(path),
    ffmpeg: ffmpeg && ffprobe ? { ffmpeg, ffprobe } : null,
  };
}

/** Describes for the start message how media are handled. */
export function describeMedia({ ffmpeg, limitTools }: MediaPrograms): string {
  const videos = ffmpeg
    ? "video and audio by ffmpeg"
    : "video and audio stored unprocessed because ffmpeg is not installed";
  return `images by sharp, ${videos}${limitTools.prlimit ? "" : "; no memory limit because prlimit is not installed"}`;
}

function onPath(program: string, path: string): string | null {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return join(folder, program);
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
