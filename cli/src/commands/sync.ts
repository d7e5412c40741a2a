import { resolve } from "node:path";
import { asCrowdaiError, CrowdaiError, type Submission } from "@crowdai/shared";
import { throwIfAborted } from "../async/abort.ts";
import { withRetries } from "../async/retry.ts";
import { listEntries } from "../spool/list-entries.ts";
import { DEFAULT_SPOOL, type Manifest } from "../spool/manifest.ts";
import { markSent } from "../spool/mark-sent.ts";
import { lockSpool } from "../spool/sync-lock.ts";
import { readManifest, type VerifiedEntry, verifyEntry } from "../spool/verify-entry.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { minuteText } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";
import { type Sent, sendEntry } from "./spool/send-entry.ts";
import { type CommandSession, openCommandSession } from "./submission/command-session.ts";
import { createProgressView, type ProgressView } from "./submission/show-progress.ts";

export interface SyncFlags {
  dryRun?: boolean;
  anyBroker?: boolean;
}

/** The outcome of one entry. */
interface Result {
  entry: string;
  id: string | null;
  challenge: string | null;
  broker: string | null;
  message: string | null;
  sealed_at: string | null;
  outcome: "accepted" | "already_accepted" | "ready" | "refused" | "not_sent";
  submission: Submission | null;
  error: CrowdaiError | null;
}

/** Sends sealed submissions, each exactly once and in their order, and shows what became of each. */
export async function sync(
  context: CommandContext,
  args: { folder?: string },
  flags: SyncFlags,
): Promise<number> {
  const { io, terminal, connection } = context;
  terminal.requireFields(["folder", "results"]);
  const folder = resolve(io.cwd, args.folder ?? DEFAULT_SPOOL);
  const names = await listEntries(folder);
  const results: Result[] = [];
  try {
    if (flags.dryRun) for (const name of names) results.push(await check(folder, name, context, flags));
    else if (names.length > 0) {
      await connection.key();
      await sendAll(folder, names, context, flags, results);
    }
  } finally {
    if (results.length > 0 || names.length === 0) report(terminal, folder, results, names.length);
  }
  return results.find(({ error }) => error)?.error?.exitCode ?? 0;
}

async function check(
  folder: string,
  name: string,
  { io, connection }: CommandContext,
  flags: SyncFlags,
): Promise<Result> {
  const { signal } = io;
  const facts = await factsOf(folder, name);
  try {
    const { manifest } = await verifyEntry(folder, name, { signal });
    requireBroker(name, manifest, connection.settings.broker, flags);
    return { ...facts, outcome: "ready" };
  } catch (failure) {
    throwIfAborted(signal);
    return { ...facts, outcome: "refused", error: asCrowdaiError(failure) };
  }
}

/** Failures of the way to the broker: the next entry would fail too, and must not be sent before this one. */
function isConnection(failure: unknown): failure is CrowdaiError {
  if (!(failure instanceof CrowdaiError)) return false;
  const { code, details, retryable, fault } = failure;
  // Such as a network that wants a person to sign in. A proxy may let a smaller submission through.
  if (code === "proxy_refused" || code === "not_a_broker") return details?.status !== 413;
  return retryable && fault === "platform";
}

/** Failures of the key: they are the command's own. */
const isKey = (failure: unknown): boolean =>
  failure instanceof CrowdaiError && (failure.code === "no_key" || failure.code.startsWith("key_"));

async function sendAll(
  folder: string,
  names: readonly string[],
  context: CommandContext,
  flags: SyncFlags,
  results: Result[],
): Promise<void> {
  const { io, terminal, connection } = context;
  const { signal } = io;
  const lock = await lockSpool(folder);
  if (!lock.held)
    terminal.warn(
      `${folder} cannot be written: accepted submissions stay there. Nothing is submitted twice.`,
    );
  const view = createProgressView(terminal);
  const sessions = openSessions(context, view);
  let lost: CrowdaiError | null = null;
  try {
    const http = await connection.http();
    for (const name of names) {
      const facts = await factsOf(folder, name);
      if (lost) {
        results.push({ ...facts, outcome: "not_sent", error: lost });
        continue;
      }
      try {
        view.say(`Sending ${name}`);
        const entry = await verifyEntry(folder, name, { signal });
        requireBroker(name, entry.manifest, connection.settings.broker, flags);
        const send = () => sendEntry(entry, { ...context, folder, http, open: sessions.open, view });
        const mayHelp = (failure: unknown) => {
          if (!isConnection(failure)) return false;
          view.say(`${failure.message} Trying again`);
          sessions.close();
          return 0;
        };
        // Requests and sessions retry by themselves. A broker that was never reached is not waited for any
        // longer.
        const retries = results.some(({ submission }) => submission) ? 2 : 0;
        const sent = await withRetries(send, mayHelp, { retries, baseMs: 1000, withinMs: 60_000, signal });
        view.stop();
        results.push({ ...facts, ...outcomeOf(sent) });
        if (lock.held && !sent.codeAwaited) await mark(terminal, folder, entry, sent.submission);
      } catch (failure) {
        throwIfAborted(signal);
        if (isKey(failure)) throw failure;
        view.stop();
        const error = asCrowdaiError(failure);
        if (isConnection(error)) lost = error;
        results.push({ ...facts, outcome: lost ? "not_sent" : "refused", error });
      }
    }
  } finally {
    view.stop();
    sessions.close();
    await lock.release();
  }
}

const outcomeOf = ({ submission, earlier }: Sent): Pick<Result, "id" | "outcome" | "submission"> => ({
  id: submission.id,
  outcome: earlier ? "already_accepted" : "accepted",
  submission,
});

/** A full disk must not stop the others: the entry is found to be accepted by the next sync. */
async function mark(
  terminal: Terminal,
  folder: string,
  entry: VerifiedEntry,
  submission: Submission,
): Promise<void> {
  await markSent(folder, entry, submission).catch((failure: Error) =>
    terminal.warn(`${entry.name} was accepted, but could not be removed: ${failure.message}`),
  );
}

/** One session for each challenge. */
function openSessions({ connection, io }: CommandContext, view: ProgressView) {
  const opened = new Map<string, Promise<CommandSession>>();
  return {
    open(challenge: string): Promise<CommandSession> {
      const known =
        opened.get(challenge) ??
        openCommandSession(connection, io, challenge, {
          onConnection: view.connection,
        });
      opened.set(challenge, known);
      known.catch(() => opened.delete(challenge));
      return known;
    },
    close(): void {
      for (const one of opened.values())
        one.then(
          ({ session }) => session.close(),
          () => {},
        );
      opened.clear();
    },
  };
}

/** A spool never chooses where the key is sent: it can only be refused. */
function requireBroker(
  entry: string,
  { broker, id }: Manifest,
  wanted: string,
  { anyBroker }: SyncFlags,
): void {
  if (broker === null || broker === wanted || anyBroker) return;
  throw new CrowdaiError(
    "spool_other_broker",
    `${entry} was sealed for ${plainLine(broker)}, and the broker here is ${wanted}.`,
    { details: { entry, id, sealed_for: broker, broker: wanted } },
  );
}

async function factsOf(folder: string, entry: string): Promise<Result> {
  const manifest = await readManifest(folder, entry).catch(() => null);
  return {
    entry,
    id: manifest?.id ?? null,
    challenge: manifest?.challenge ?? null,
    broker: manifest?.broker ?? null,
    message: manifest?.message ?? null,
    sealed_at: manifest?.sealed_at ?? null,
    outcome: "not_sent",
    submission: null,
    error: null,
  };
}

const WORDS = {
  accepted: "accepted",
  already_accepted: "accepted earlier",
  ready: "ready",
  refused: "refused",
  not_sent: "not sent",
} satisfies Record<Result["outcome"], string>;

function report(terminal: Terminal, folder: string, results: readonly Result[], total: number): void {
  const documents = results.map(({ error, ...result }) => ({ ...result, error: error?.toBody() ?? null }));
  terminal.present({
    json: { folder, results: documents },
    ndjson: documents.map((result) => ({ type: "result", ...result })),
    quiet: results.flatMap(({ submission }) => (submission ? [submission.id] : [])),
    text: () =>
      terminal.table(
        ["Submission", "Challenge", "Sealed", "Outcome", "Message"],
        results.map(({ id, entry, challenge, sealed_at, outcome, message }) => [
          id ?? plainLine(entry),
          challenge,
          sealed_at && (terminal.isForEyes ? minuteText(sealed_at) : sealed_at),
          WORDS[outcome],
          message,
        ]),
      ),
  });
  let last: CrowdaiError | null = null;
  for (const { error } of results) {
    // Submissions that were not sent for the same reason need no second mention.
    if (error && error !== last && terminal.format === "text")
      terminal.error(
        `${terminal.noteStyle.red(terminal.symbols.failed)} ${error.message}${error.next ? ` ${error.next}` : ""}`,
      );
    last = error;
  }
  if (total === 0) terminal.note(`${folder} has nothing to send.`);
  const newest = results.findLast(({ outcome }) => outcome === "accepted")?.submission;
  if (newest) terminal.next(`crowdai watch ${newest.id}`);
}
