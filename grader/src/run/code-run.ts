import type { ErrorCode, RunRecord, RunStage } from "@crowdai/shared";
import type { ChallengeFolder, RunConfig } from "@crowdai/shared/challenge-folder";
import type { Sandbox } from "../box/sandbox.ts";
import type { BuildCache } from "./build-cache.ts";
import type { Images } from "./images.ts";
import type { BoxMaker } from "./run-record.ts";

/** The tools that the runs of one grader share. */
export interface RunTools {
  sandbox: Sandbox;
  maker: BoxMaker;
  images: Images;
  builds: BuildCache;
}

export interface CodeRun {
  folder: ChallengeFolder;
  run: RunConfig;
  /** The submitted code: a folder that no other process changes, and the digest of its archive. */
  code: { dir: string; digest: string };
  /** Whether to stop after the sample. */
  sampleOnly: boolean;
  /** The command that came with the submission. */
  command: readonly string[] | null;
  /** An empty folder of the job, for what is thrown away. */
  scratch: string;
  /** The folder for the output on the private input. */
  output: string;
  signal: AbortSignal;
  onStage(stage: RunStage): void;
}

export type CodeRunResult = {
  record: RunRecord | null;
  /** The output of the programs, for the organizer. */
  log: string;
} & (
  | { ok: true /** Empty after the sample alone. */; file: string }
  | { ok: false; code: ErrorCode; message: string }
);
