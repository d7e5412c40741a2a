import { CrowdaiError, type PublicChallenge } from "@crowdai/shared";
import { findProject, projectFolder } from "../config/find-project.ts";
import { type ProjectConfig, readProjectConfig } from "../config/project-config.ts";
import { type Caps, DEFAULT_CAPS } from "../snapshot/filters/caps.ts";
import { containedFolder } from "./contained-folder.ts";

/** The project whose code is included, and which part of it. */
export interface ChosenCode {
  folder: string;
  exclude: readonly string[];
  include: readonly string[];
  caps: Caps;
  authors: readonly string[];
  /** The command of crowdai.json that runs the code. */
  command: readonly string[] | null;
  /** The origin of the request for code: the caller, crowdai.json, or only the challenge. */
  because: "asked" | "config" | "required";
}

/** The fields of a challenge that decide about code. */
export type CodeRules = Pick<PublicChallenge, "id"> & {
  code: PublicChallenge["code"];
  accepts: Pick<PublicChallenge["accepts"], "code">;
};

export interface CodeChoice {
  /** A folder, yes, no, or not specified. */
  code: string | boolean | undefined;
  publish: boolean | undefined;
  project: { path: string; config: ProjectConfig } | null;
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Whether the code is the submission itself. */
  isInput?: boolean;
}

/**
 * Returns which code is included, or null for none, which is the default. For a challenge that requires code
 * the default is the current project. Throws code_off, code_required, config_invalid and usage.
 */
export function chooseCode(challenge: CodeRules, choice: CodeChoice): ChosenCode | null {
  const { code, publish, project } = choice;
  const capture = choice.isInput ? "required" : challenge.code.capture;
  const config = project?.config.code;
  const configured = typeof config === "object" ? config : {};
  const inConfig = typeof config === "boolean" ? config : configured.submit;
  if (code === false && publish)
    throw new CrowdaiError("usage", "A submission without code cannot be published.", {
      next: "Remove either --publish or --no-code.",
    });
  const asked = (code !== undefined && code !== false) || publish === true;
  if (capture === "off") {
    if (asked) throw new CrowdaiError("code_off", `${challenge.id} does not accept code.`);
    return null;
  }
  const refused = code === false || (!asked && inConfig === false);
  if (refused || (!asked && !inConfig && capture !== "required")) {
    if (capture === "required") throw required(challenge, "Submit with --code.");
    return null;
  }
  const folder = folderOf(challenge, choice, configured.dir, asked || inConfig === true);
  return {
    folder,
    exclude: configured.exclude ?? [],
    include: configured.include ?? [],
    caps: capsOf(challenge, configured),
    authors: project?.config.authors ?? [],
    command: commandOf(typeof code === "string" ? readProjectConfig(folder)?.config : project?.config),
    because: asked ? "asked" : inConfig ? "config" : "required",
  };
}

function commandOf(config: ProjectConfig | undefined): readonly string[] | null {
  return typeof config?.code === "object" ? (config.code.command ?? null) : null;
}

function folderOf(
  challenge: CodeRules,
  { code, project, cwd, env }: CodeChoice,
  configured: string | undefined,
  wanted: boolean,
): string {
  if (typeof code === "string") return projectFolder(code, cwd, env);
  if (configured !== undefined && project) return containedFolder(project.path, configured, env);
  const found = findProject(cwd);
  if (!found && !wanted)
    throw required(challenge, "Submit from inside your project, or name its folder with --code <dir>.");
  return projectFolder(found ?? cwd, cwd, env);
}

function required({ id }: CodeRules, next: string): CrowdaiError {
  return new CrowdaiError("code_required", `${id} requires the code of each submission.`, {
    next,
  });
}

/** Returns the stricter of the limits of the challenge and of crowdai.json. */
function capsOf(
  { accepts }: CodeRules,
  { max_bytes, max_files }: { max_bytes?: number; max_files?: number },
): Caps {
  return {
    maxBytes: Math.min(
      accepts.code?.max_bytes ?? DEFAULT_CAPS.maxBytes,
      max_bytes ?? Number.POSITIVE_INFINITY,
    ),
    maxFiles: Math.min(DEFAULT_CAPS.maxFiles, max_files ?? Number.POSITIVE_INFINITY),
  };
}
