import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { findProcessLimitTools, type ProcessLimitTools } from "@crowdai/shared/process-limits";

/** What stands ready to handle media, found at the start. */
export interface MediaPrograms {
  path: string;
  limitTools: ProcessLimitTools;
  /** Full paths; null where the two are not installed. */
  ffmpeg: { ffmpeg: string; ffprobe: string } | null;
}

/** The same, and a folder for one piece of work. */
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

/** For the start message: what becomes of pictures, films and sounds here. */
export function describeMedia({ ffmpeg, limitTools }: MediaPrograms): string {
  const films = ffmpeg
    ? "films and sounds by ffmpeg"
    : "films and sounds are kept as they come, for ffmpeg is not installed";
  return `pictures by sharp, ${films}${limitTools.prlimit ? "" : "; no memory limit, for prlimit is not installed"}`;
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
