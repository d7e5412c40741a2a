import { CrowdaiError } from "@crowdai/shared";
import type { Option } from "commander";
import { iso } from "../base/clock.ts";
import { readConfig } from "../base/config.ts";
import type { Records } from "../records/records.ts";
import type { Io } from "./io.ts";

/** The tools that the commands for participants share. */
export interface ParticipantTools {
  io: Io;
  dataOption: () => Option;
  withRecords: <T>(data: string, work: (records: Records) => Promise<T>) => Promise<T>;
}

/** Returns a function that writes a line to stdout. */
export const sayer =
  ({ stdout }: Pick<Io, "stdout">) =>
  (line: string): void =>
    void stdout.write(`${line}\n`);

export const now = (): string => iso(Date.now());

/** Throws usage where participants and their keys belong to a webapp elsewhere. */
export function requireOwnParticipants(io: Io, data: string, next: string): void {
  const { webapp } = readConfig({ data }, io.env, io.cwd);
  if (webapp)
    throw new CrowdaiError(
      "usage",
      `Participants and their keys are managed by the webapp at ${webapp.url}.`,
      {
        next: `${next} there, or unset WEBAPP_URL.`,
      },
    );
}
