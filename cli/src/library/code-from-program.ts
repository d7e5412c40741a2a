import { CrowdaiError } from "@crowdai/shared";
import { agreementRequired } from "../agreement/agreement-errors.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import type { CodeOutcome } from "../snapshot/send/code-outcome.ts";
import type { PreparedCode } from "../submit/prepare-code.ts";

/** The options of a program about its code, and the session that sends it. */
export interface ProgramCodeOptions {
  code?: boolean | string;
  publish?: boolean;
  allowSecrets?: boolean;
  onCode?: (outcome: CodeOutcome | null) => void;
  /** Whether the code is the submission itself. */
  isInput?: boolean;
  message?: string;
  signal?: AbortSignal;
  broker: URL;
  key: string;
  client: string;
}

/** Code that is ready to be sent, and the command of crowdai.json that runs it. */
export type ProgramCode = PreparedCode & { command: readonly string[] | null };

/**
 * Takes a snapshot of the code that a program asked for; `true` is the project of the running script. Throws
 * code_required if the challenge requires code and the program gave none, agreement_missing, and what
 * prepareCode throws.
 */
export async function prepareProgramCode(
  session: BrokerSession,
  options: ProgramCodeOptions,
): Promise<ProgramCode | undefined> {
  const challenge = session.opening.challenge!;
  const { publish, allowSecrets, message, signal, broker, key, client, isInput } = options;
  const code = options.code ?? publish ?? false;
  if (publish && !session.opening.agreed) throw agreementRequired(broker);
  if (code === false) {
    if (challenge.code.capture === "required")
      throw new CrowdaiError("code_required", `${challenge.id} requires the code of each submission.`, {
        next: "Pass `code: true`, or the folder of the project as `code`.",
      });
    return undefined;
  }
  const [{ chooseCode }, { projectOfScript }, { readProjectConfig }, { prepareCode }] = await Promise.all([
    import("../submit/choose-code.ts"),
    import("../config/find-project.ts"),
    import("../config/project-config.ts"),
    import("../submit/prepare-code.ts"),
  ]);
  const { env } = process;
  const cwd = process.cwd();
  const folder = code === true ? scriptsProject(projectOfScript) : code;
  const project = readProjectConfig(folder);
  const chosen = chooseCode(challenge, { code: folder, publish, project, cwd, env, isInput });
  const participant = session.opening.participant.name;
  const prepared = await prepareCode({
    chosen: chosen!,
    challenge,
    participant,
    broker,
    key,
    client,
    message,
    allowSecrets,
    env,
    signal,
  });
  return { ...prepared, command: chosen!.command };
}

function scriptsProject(projectOfScript: (script: string) => string): string {
  const script = process.argv[1];
  if (script === undefined)
    throw new CrowdaiError("usage", "There is no running script whose project could be included.", {
      next: 'Name the folder of the project: `code: "path"`.',
    });
  return projectOfScript(script);
}
