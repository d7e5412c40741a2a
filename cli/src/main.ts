import "./client/schema-settings.ts";
import type { ErrorBody } from "@crowdai/shared";
import type { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { detectCi, writesReport } from "./ci-report/detect-ci.ts";
import type { ReportFlags } from "./ci-report/flags.ts";
import { createContext } from "./command-context.ts";
import { noFacts } from "./commands/submission/facts.ts";
import type { Keychain } from "./credentials/keychain.ts";
import type { GlobalOptions } from "./program/common-options.ts";
import { createProgram } from "./program.ts";
import type { Io } from "./terminal/io.ts";
import { watchOutput } from "./terminal/output-failure.ts";
import type { Terminal } from "./terminal/terminal.ts";

export interface MainOptions extends Io {
  /** Replaces the keychain of the operating system. */
  keychain?: Keychain;
}

/** The command that completion scripts call for the ids of a kind; not for people. */
const COMPLETE = "__complete";

/** Runs the command line and resolves to its exit code. Never throws and never exits. */
export async function main(argv: readonly string[], { keychain, ...io }: MainOptions): Promise<number> {
  if (argv[0] === COMPLETE) {
    const { completeIds } = await import("./commands/complete-ids.ts");
    return completeIds(argv[1], io, packageJson.version);
  }
  let terminal: Terminal | undefined;
  let chosen: Command | undefined;
  let endTrace: (() => void) | undefined;
  let exitCode = 0;
  let error: ErrorBody | null = null;
  let flags: ReportFlags = argv.includes("--no-ci") ? { ci: false } : {};
  const facts = noFacts();
  const outputFailure = watchOutput(io.stdout);
  const { version } = packageJson;
  const program = createProgram({
    version,
    env: io.env,
    writeOut: (text) => io.stdout.write(text),
    run: async (load, args, options, command) => {
      chosen = command;
      flags = options;
      const maskKey = await keyMasker();
      const context = createContext(io, {
        options: options as GlobalOptions,
        version,
        keychain,
        facts,
        onKey: maskKey,
      });
      terminal = context.terminal;
      if (detectCi(io.env, flags) === "gitlab" && writesReport(command.name(), "gitlab", flags)) {
        const { collapseProgress } = await import("./ci-report/log-section.ts");
        collapseProgress(terminal, io.stderr, `crowdai ${command.name()}`);
      }
      if (options.debug === true) {
        const { traceRequests } = await import("./terminal/request-trace.ts");
        endTrace = traceRequests(context.terminal.error);
      }
      const handler = await load();
      exitCode = await handler(context, args as never, options as never, command);
    },
  });
  try {
    await program.parseAsync(argv.length > 0 ? argv : ["--help"], { from: "user" });
  } catch (thrown) {
    if (!isDone(thrown)) exitCode = await render(thrown);
  } finally {
    terminal?.close();
    endTrace?.();
  }
  const reason = await outputFailure();
  if (reason !== null) {
    const { outputLost } = await import("./terminal/output-lost.ts");
    const lost = await render(outputLost(reason, terminal?.submission ?? null));
    exitCode ||= lost;
  }
  await report();
  return exitCode;

  async function render(thrown: unknown): Promise<number> {
    const { renderFailure } = await import("./render-error.ts");
    const onError = (body: ErrorBody) => {
      error ??= body;
    };
    return renderFailure(thrown, { io, argv, program, chosen, terminal, version, onError });
  }

  /** In GitHub Actions, hides the key of the environment at once, and returns what hides any other key. */
  async function keyMasker(): Promise<((key: string) => void) | undefined> {
    if (detectCi(io.env, flags) !== "github") return undefined;
    const { maskSecret } = await import("./ci-report/mask-key.ts");
    maskSecret(io.env.CROWDAI_API_KEY, io.stderr);
    return (key) => {
      if (key !== io.env.CROWDAI_API_KEY) maskSecret(key, io.stderr);
    };
  }

  async function report(): Promise<void> {
    const system = detectCi(io.env, flags);
    const command = chosen?.name() ?? argv[0] ?? "";
    if (!writesReport(command, system, flags)) return;
    const { writeReports } = await import("./ci-report/write-reports.ts");
    await writeReports({ io, system, command, flags }, facts, { exitCode, error });
  }
}

/** Whether commander ended after --help or --version, for which it throws too. */
function isDone(thrown: unknown): boolean {
  return thrown instanceof Error && "exitCode" in thrown && thrown.exitCode === 0 && "code" in thrown;
}
