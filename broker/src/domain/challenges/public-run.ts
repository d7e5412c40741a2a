import type { PublicChallenge } from "@crowdai/shared";
import type { RunConfig } from "@crowdai/shared/challenge-folder";

/** Describes how submitted code is run, without the challenge's private files. */
export function publicRun(run: RunConfig): NonNullable<PublicChallenge["run"]> {
  const { command, image, build, sample, output, limits, logs } = run;
  return {
    command: command === "submission" ? null : command,
    image: image === "host" ? "host" : (image.sha256 ?? image.path),
    build: build !== null,
    sample: sample !== null,
    output: "lines" in output ? "lines" : output.path,
    limits: { ...limits, output_bytes: output.max_bytes },
    logs,
  };
}
