import { relative } from "node:path";
import { type CodePlace, CrowdaiError, submissionSchema } from "@crowdai/shared";
import { z } from "zod";
import type { HttpClient } from "../client/http/http-client.ts";
import { cloneRepository, folderFor } from "../code/clone-repository.ts";
import { cloneSource, readCodeLocation } from "../code/code-location.ts";
import { forkAtHost } from "../code/fork-at-host.ts";
import type { Connection } from "../connection/connection.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { shellWord } from "../terminal/shell-word.ts";
import type { CommandContext } from "./handler.ts";

const submissionsSchema = z.object({ submissions: z.array(submissionSchema) });
/** The remote that the participant pushes to. */
const MINE = "mine";

interface Options {
  dir?: string;
  remote?: string;
}

/**
 * Forks the repository with a submission's code. On a code host it uses the participant's own token, or
 * prints the page to fork on; a repository of the broker itself is cloned with its remotes set.
 */
export async function fork(
  context: CommandContext,
  { id }: { id?: string },
  options: Options,
): Promise<number> {
  const { connection } = context;
  const http = await connection.http();
  const place = await readCodeLocation(http, id ?? (await latestWithCode(connection, http)));
  if (options.remote !== undefined && !/^(?:https?:\/\/|ssh:\/\/|[\w.-]+@[\w.-]+:)/.test(options.remote))
    throw new CrowdaiError("usage", `--remote ${options.remote} is not a repository URL.`);
  return place.host === "local" ? forkAsClone(context, http, place, options) : forkOnHost(context, place);
}

async function forkOnHost({ io, connection, terminal }: CommandContext, place: CodePlace): Promise<number> {
  const page = place.fork_url ?? place.page_url ?? place.clone_url;
  const forked = await forkAtHost(io, connection.client, place);
  const document = { forked: forked !== null, url: forked?.page ?? page, clone_url: forked?.clone ?? null };
  terminal.present({
    json: document,
    ndjson: [{ type: "fork", ...document }],
    quiet: [document.url],
    text: () => terminal.answer(plainLine(document.url)),
  });
  if (forked) {
    terminal.note("Forked. The URL above is your fork.");
    terminal.next(`git clone ${plainLine(forked.clone)}`);
  } else
    terminal.note(
      place.host === "github"
        ? "Fork it on this page, or run `gh auth login` (or set GH_TOKEN) and try again."
        : "Fork it on this page, or run `glab auth login` (or set GITLAB_TOKEN) and try again.",
    );
  return 0;
}

async function forkAsClone(
  { io, connection, terminal }: CommandContext,
  http: HttpClient,
  place: CodePlace,
  { dir, remote }: Options,
): Promise<number> {
  const source = await cloneSource(http, place, connection.key);
  const folder = folderFor(io.cwd, place, dir);
  const spinner = terminal.spinner(`Forking the code of ${plainLine(place.participant)}`);
  try {
    const remotes: Record<string, string> = remote === undefined ? {} : { [MINE]: remote };
    await cloneRepository(io, { ...source, folder, branch: "main", remotes });
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
  const inFolder = `git -C ${shellWord(relative(io.cwd, folder) || ".")}`;
  terminal.note("The branch main starts at this submission. The remote origin is the broker's repository.");
  terminal.next(
    remote ? `${inFolder} push -u ${MINE} main` : `${inFolder} remote add ${MINE} <your repository>`,
  );
  return 0;
}

async function latestWithCode(connection: Connection, http: HttpClient): Promise<string> {
  await connection.key();
  const challenge = connection.settings.challenge ?? undefined;
  const { submissions } = await http.get("/api/v1/submissions", submissionsSchema, { challenge, limit: 100 });
  const found = submissions.find(({ code }) => code?.tag);
  if (found) return found.id;
  throw new CrowdaiError("code_unavailable", "You have no submission with code.", {
    next: "Name a submission: `crowdai fork <id>`.",
  });
}
