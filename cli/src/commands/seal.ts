import { statSync } from "node:fs";
import { resolve } from "node:path";
import { CrowdaiError, createSubmissionId, MAX_MODELS } from "@crowdai/shared";
import { inspectFile } from "../client/upload/byte-source.ts";
import { chosenChallenge } from "../config/settings.ts";
import { DEFAULT_SPOOL } from "../spool/manifest.ts";
import type { CodeToSeal } from "../spool/seal-code.ts";
import { sealEntry, type ToSeal } from "../spool/seal-entry.ts";
import { type ChosenCode, chooseCode } from "../submit/choose-code.ts";
import { shellWord } from "../terminal/shell-word.ts";
import { sizeText } from "../terminal/size.ts";
import { reportCode } from "./code/report-code.ts";
import type { CommandContext } from "./handler.ts";
import { missingInput, readNamedInput } from "./input/read-input.ts";
import { createProgressView } from "./submission/show-progress.ts";
import type { SubmitFlags } from "./submit-flags.ts";

export type SealFlags = SubmitFlags & { spool: string | true };

/** Seals a submission in a folder, without a network; `crowdai sync` sends it. */
export async function seal(
  { io, connection, terminal, facts }: CommandContext,
  named: { file?: string },
  given: SealFlags,
): Promise<number> {
  const { cwd, env, signal } = io;
  terminal.requireFields(["sealed"]);
  const { settings, client } = connection;
  const { args, flags } = fileAfterSpool(cwd, named, given);
  refuseOptions(flags);
  const mayBeCode = (flags.code ?? settings.project) && args.file === undefined && flags.json === undefined;
  const input = mayBeCode ? null : await readNamedInput({ file: args.file, json: flags.json, cwd });
  const challenge = chosenChallenge(settings, flags.challenge);
  const folder = resolve(cwd, flags.spool === true ? DEFAULT_SPOOL : flags.spool);
  const chosen = codeOf(challenge, flags, { settings, cwd, env, isInput: !input });
  if (!input && !chosen) throw missingInput();
  if (flags.model?.includes("-"))
    throw new CrowdaiError("usage", "--spool takes models from files, not from standard input.");
  const models = await Promise.all((flags.model ?? []).map((file) => inspectFile(resolve(cwd, file))));
  if (models.length > MAX_MODELS)
    throw new CrowdaiError("model_refused", `A submission can have at most ${MAX_MODELS} models.`);

  const id = createSubmissionId();
  const view = createProgressView(terminal);
  const destination = { broker: settings.broker, challenge, participant: "" };
  const message = flags.message ?? null;
  let code: CodeToSeal | null = null;
  try {
    view.say("Sealing the submission");
    if (chosen) {
      const { snapshotToSeal } = await import("../spool/seal-code.ts");
      const commitFacts = { id, destination, message, client };
      const { allowSecrets } = flags;
      code = await snapshotToSeal({ chosen, spool: folder, facts: commitFacts, allowSecrets, env, signal });
    }
    if (input?.from === "stdin" && io.stdin.isTTY) {
      view.stop();
      terminal.note("Reading from standard input. Press Ctrl-D to finish.");
    }
    const { entry, manifest } = await sealEntry({
      folder,
      manifest: {
        crowdai_spool: 1,
        id,
        // A default address names no broker that anyone chose.
        broker: settings.sources.broker === "default" ? null : settings.broker,
        challenge,
        round: flags.round ?? null,
        message,
        publish: flags.publish ?? false,
        sealed_at: new Date().toISOString(),
        client,
      },
      input: input?.from === "stdin" ? { ...input, stdin: io.stdin } : input,
      models,
      writeCode: code && chosen ? writerOf(code, chosen) : null,
      signal,
      onProgress: (done, total) => view.progress({ stage: "hashing", done, total }),
    });
    view.stop();
    facts.dryRun = true;
    if (code && chosen) reportCode(terminal, code.snapshot, chosen);
    const document = { sealed: { folder, entry, ...manifest } };
    terminal.present({
      json: document,
      ndjson: [{ type: "sealed", ...document.sealed }],
      quiet: [id],
      text: () => terminal.answer(id),
    });
    const bytes = manifest.input ?? manifest.code;
    terminal.note(
      `Sealed in ${folder} as ${entry} (${sizeText(bytes?.size ?? 0)}). It is not submitted yet.`,
    );
    if (manifest.publish)
      terminal.note(
        "Publishing requires the MIT license. If you have not accepted it, `crowdai sync` asks you to.",
      );
    terminal.next(`crowdai sync${flags.spool === true ? "" : ` ${shellWord(flags.spool)}`}`);
    return 0;
  } finally {
    view.stop();
    code?.close();
  }
}

/** The rules of the challenge are unknown here: `crowdai sync` checks them. */
function codeOf(
  challenge: string,
  { code, publish }: SealFlags,
  {
    settings,
    ...where
  }: Pick<Parameters<typeof chooseCode>[1], "cwd" | "env" | "isInput"> & {
    settings: CommandContext["connection"]["settings"];
  },
): ChosenCode | null {
  const rules = { id: challenge, code: { capture: "optional" as const }, accepts: { code: null } };
  return chooseCode(rules, { code, publish, project: settings.project, ...where });
}

function writerOf(code: CodeToSeal, { command, because }: ChosenCode): ToSeal["writeCode"] {
  return async (path) => ({
    ...(await code.write(path)),
    command: command && [...command],
    because,
  });
}

/** Takes `submit --spool predictions.csv` as the file to submit, not as the folder. */
function fileAfterSpool(
  cwd: string,
  args: { file?: string },
  flags: SealFlags,
): { args: { file?: string }; flags: SealFlags } {
  const { spool, json } = flags;
  if (spool === true || args.file !== undefined || json !== undefined) return { args, flags };
  const isFile = spool === "-" || statSync(resolve(cwd, spool), { throwIfNoEntry: false })?.isFile();
  return isFile ? { args: { file: spool }, flags: { ...flags, spool: true } } : { args, flags };
}

function refuseOptions({ minScore, timeout, dryRun, check }: SealFlags): void {
  const given = { "--min-score": minScore, "--timeout": timeout, "--dry-run": dryRun, "--check": check };
  const option = Object.entries(given).find(([, value]) => value !== undefined && value !== false)?.[0];
  if (option)
    throw new CrowdaiError("usage", `${option} needs the broker, so it cannot be combined with --spool.`, {
      next: "Use `crowdai sync --dry-run` to check sealed submissions.",
    });
}
