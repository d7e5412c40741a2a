import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError, type Job, parseJson, stringifyExact } from "@crowdai/shared";
import { unpackCode } from "@crowdai/shared/bundles";
import type { ObjectStore } from "@crowdai/shared/objects";
import { type UnpackLimits, unpackArchive } from "@crowdai/shared/unpack-archive";
import { type Announced, verifiedBytes } from "../base/verified-bytes.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Returns the job as one line of the evaluator protocol. Stored objects are first fetched into the workspace
 * and verified; throws digest_mismatch when size or digest differ. Code becomes a folder, and so does a
 * submitted archive with `unpack`.
 */
export async function prepareJob(
  job: Job,
  workspace: Workspace,
  objects: ObjectStore,
  signal: AbortSignal,
  unpack: UnpackLimits | null,
): Promise<string> {
  const [input, code] = await Promise.all([
    inputText(job.input, workspace, objects, signal, unpack),
    job.code ? fetchCode(job.code, join(workspace.dir, "code"), objects, signal) : null,
  ]);
  return jobLine(job, input, code, workspace);
}

/** Returns the line for an input that is JSON text already, so that no number in it changes. */
export function jobLine(job: Job, input: string, code: string | null, workspace: Workspace): string {
  const head = { id: job.submission, function: job.function, round: job.round, dry_run: job.dry_run };
  const tail = { code, output_dir: workspace.output };
  return `${JSON.stringify(head).slice(0, -1)},"input":${input},${JSON.stringify(tail).slice(1)}\n`;
}

async function inputText(
  input: Job["input"],
  workspace: Workspace,
  objects: ObjectStore,
  signal: AbortSignal,
  unpack: UnpackLimits | null,
): Promise<string> {
  if (input.kind === "code")
    throw new CrowdaiError("code_invalid", "The challenge takes a file or a value, not code that is run.");
  if (input.kind === "session")
    throw new CrowdaiError("code_invalid", "The challenge takes a file or a value, not an agent.");
  if (input.kind === "inline") return `{"data":${stringifyExact(input.data ?? null)}}`;
  if (input.kind === "file" && unpack) {
    const archive = await fetchFile(input, join(workspace.dir, "archive"), objects, signal);
    const into = join(workspace.input, "files");
    await unpackArchive(archive, into, unpack, signal);
    await rm(archive);
    return JSON.stringify({ path: into });
  }
  if (input.kind === "file") {
    const path = join(workspace.input, fileName(input.name));
    return JSON.stringify({ path: await fetchFile(input, path, objects, signal) });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of verifiedBytes(input, objects, signal)) chunks.push(chunk);
  const text = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/^\ufeff/, "");
  parseJson(text);
  // Passed on as text, so that no number changes. A raw line break can only be white space between values.
  return `{"data":${text.replace(/[\r\n]+/g, " ")}}`;
}

async function fetchFile(
  stored: Announced,
  path: string,
  objects: ObjectStore,
  signal: AbortSignal,
): Promise<string> {
  await using file = await open(path, "wx", 0o600);
  for await (const chunk of verifiedBytes(stored, objects, signal)) await file.write(chunk);
  return path;
}

/** Fetches a submission's code into a new folder. */
export async function fetchCode(
  stored: Announced,
  into: string,
  objects: ObjectStore,
  signal: AbortSignal,
): Promise<string> {
  await mkdir(into, { mode: 0o700 });
  await unpackCode(verifiedBytes(stored, objects, signal), into);
  return into;
}

/** Returns the submitted name as a plain file name, because many evaluators check the extension. */
export function fileName(name: string | null): string {
  const last = (name ?? "").split(/[/\\]/).at(-1)!;
  const plain = last
    .replace(/[^A-Za-z0-9._-]/g, "_")
    .slice(-100)
    .replace(/^[.-]+/, "");
  return plain || "input";
}
