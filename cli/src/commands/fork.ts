import { relative } from "node:path";
import { type CodePlace, CrowdaiError, submissionSchema } from "@crowdai/shared";
import { z } from "zod";
import type { HttpClient } from "../client/http/http-client.ts";
import { cloneRepository, folderFor } from "../code/clone-repository.ts";
import { cloneSource, readCodeLocation } from "../code/code-location.ts";
import { forkAtHost } from "../code/fork-at-host.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { shellWord } from "./clone.ts";

const submissionsSchema = z.object({ submissions: z.array(submissionSchema) });
/** The remote for what the participant pushes. */
const MINE = "mine";

interface Options {
  dir?: string;
  remote?: string;
}

/**
 * Forks the repository that a submission's code is in: at its code host with the participant's own token, else by the host's page; from
 * the broker's own repositories as a clone with its remotes set.
 */
export async function fork(context: Context, { id }: { id?: string }, options: Options): Promise<number> {
  const http = await context.http();
  const place = await readCodeLocation(http, id ?? (await latestWithCode(context, http)));
  if (options.remote !== undefined && !/^(?:https?:\/\/|ssh:\/\/|[\w.-]+@[\w.-]+:)/.test(options.remote))
    throw new CrowdaiError("usage", `--remote ${options.remote} is no address of a repository.`);
  return place.host === "local" ? forkAsClone(context, http, place, options) : forkOutside(context, place);
}

async function forkOutside(context: Context, place: CodePlace): Promise<number> {
  const { terminal } = context;
  const page = place.fork_url ?? place.page_url ?? place.clone_url;
  const forked = await forkAtHost(context, place);
  const document = { forked: forked !== null, url: forked?.page ?? page, clone_url: forked?.clone ?? null };
  terminal.present({
    json: document,
    ndjson: [{ type: "fork", ...document }],
    quiet: [document.url],
    text: () => terminal.answer(plainLine(document.url)),
  });
  if (forked) {
    terminal.note("That is your fork.");
    terminal.next(`git clone ${plainLine(forked.clone)}`);
  } else
    terminal.note(
      place.host === "github"
        ? "Fork it on this page, or sign in with `gh auth login` (or set GH_TOKEN) and run this again."
        : "Fork it on this page, or sign in with `glab auth login` (or set GITLAB_TOKEN) and run this again.",
    );
  return 0;
}

async function forkAsClone(
  context: Context,
  http: HttpClient,
  place: CodePlace,
  { dir, remote }: Options,
): Promise<number> {
  const { terminal } = context;
  const source = await cloneSource(context, http, place);
  const folder = folderFor(context, place, dir);
  const spinner = terminal.spinner(`Forking the code of ${plainLine(place.participant)}`);
  try {
    const remotes: Record<string, string> = remote === undefined ? {} : { [MINE]: remote };
    await cloneRepository(context, { ...source, folder, branch: "main", remotes });
  } finally {
    spinner.stop();
  }
  const document = { forked: true, folder, url: source.url.href, remote: remote ?? null };
  terminal.present({
    json: document,
    ndjson: [{ type: "fork", ...document }],
    quiet: [folder],
    text: () => terminal.answer(folder),
  });
  const inFolder = `git -C ${shellWord(relative(context.cwd, folder) || ".")}`;
  terminal.note("Branch main begins at that submission; origin is the broker's repository.");
  terminal.next(
    remote ? `${inFolder} push -u ${MINE} main` : `${inFolder} remote add ${MINE} <your repository>`,
  );
  return 0;
}

async function latestWithCode(context: Context, http: HttpClient): Promise<string> {
  await context.key();
  const challenge = context.settings.challenge ?? undefined;
  const { submissions } = await http.get("/api/v1/submissions", submissionsSchema, { challenge, limit: 100 });
  const found = submissions.find(({ code }) => code?.tag);
  if (found) return found.id;
  throw new CrowdaiError("code_unavailable", "You have no submission with code here.", {
    next: "Name a submission: `crowdai fork <id>`.",
  });
}
