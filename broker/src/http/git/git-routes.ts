import { CrowdaiError } from "@crowdai/shared";
import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { CodeNeeds } from "../../background/code-services.ts";
import { type CallerPlaces, createCallerPlaces } from "../../background/git/caller-places.ts";
import type { TrustedProxies } from "../../base/client-address.ts";
import { logMachineError } from "../../base/machine-error.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { senderName } from "../requests/request-address.ts";
import { requestError } from "../requests/request-error.ts";
import { resolveHostedName } from "./hosted-address.ts";
import { advertiseForPush } from "./receive/advertise.ts";
import { receivePush } from "./receive/receive-push.ts";
import type { StorePushNeeds } from "./receive/store-push.ts";
import {
  type AccessNeeds,
  callerOf,
  type RequestedRepository,
  repositoryFor,
  requireOwnRepository,
} from "./repository-access.ts";
import { requestBody } from "./request-body.ts";
import { uploadPack } from "./upload-pack.ts";

const ADDRESS = /^\/code\/([^/]+)(?:\/([^/]+))?\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/;
/**
 * Fetches, and pushes, of one caller at the same time: half of the git processes, on the smallest machine.
 */
const PLACES = 2;
const FRESH = { "cache-control": "no-cache, max-age=0, must-revalidate", pragma: "no-cache" };

/** The services that the routes use. */
type GitNeeds = AccessNeeds & StorePushNeeds & CodeNeeds<"webapp">;

/**
 * Git over HTTP: `/code/<challenge>/<participant>.git` and `/code/<challenge>.git`, to fetch and to push
 * snapshots. Nothing else is served below /code/: single files of a repository cannot be fetched.
 */
export function codeRoutes(code: () => GitNeeds, trustedProxies: () => TrustedProxies): Hono {
  const routes = new Hono();
  const [fetches, pushes] = [createCallerPlaces(PLACES), createCallerPlaces(PLACES)];
  routes.onError((thrown, c) => refuse(code(), c, thrown));

  routes.on(["GET", "POST"], "/code/*", async (c) => {
    const [, challenge, participant, service] = ADDRESS.exec(new URL(c.req.url).pathname) ?? [];
    if (!challenge || !service)
      throw new CrowdaiError("not_found", "There is no repository at this address.");
    const asked = await requestedRepository(
      code(),
      decoded(challenge),
      participant ? decoded(participant) : null,
    );
    const caller = await callerOf(code().webapp, c.req.header("authorization"));
    const { signal } = c.req.raw;
    const sender = senderName(c, caller, trustedProxies());
    const place = (places: CallerPlaces) => places.take(sender, signal);
    /** Answers a fetch; the place is the caller's until they have read the answer. */
    const answerFetch = async (body: AsyncIterable<Uint8Array> | null) => {
      const dir = await readable(code(), caller, asked);
      const ended = await place(fetches);
      const protocol = c.req.header("git-protocol");
      return uploadPack(code().repositories, dir, { body, protocol, signal, ended, reader: sender }).catch(
        (error) => {
          ended();
          throw error;
        },
      );
    };
    if (service === "info/refs") {
      if (c.req.method !== "GET") throw wrongMethod();
      return advertise(code(), c, caller, asked, answerFetch);
    }
    if (c.req.method !== "POST") throw wrongMethod();
    if (c.req.header("content-type") !== `application/x-${service}-request`)
      throw new CrowdaiError("usage", "The request does not follow the git protocol.");
    if (service === "git-receive-pack") {
      const owner = await requireOwner(code(), caller, asked);
      const ended = await place(pushes);
      const answer = await receivePush(code(), owner, asked.challenge, requestBody(c.req.raw)).finally(ended);
      return c.body(new Uint8Array(answer), 200, {
        ...FRESH,
        "content-type": "application/x-git-receive-pack-result",
      });
    }
    const stream = await answerFetch(requestBody(c.req.raw));
    return c.body(stream, 200, { ...FRESH, "content-type": "application/x-git-upload-pack-result" });
  });
  return routes;
}

async function requestedRepository(
  { records, catalog }: CodeNeeds<"records" | "catalog">,
  challenge: string,
  participant: string | null,
): Promise<RequestedRepository> {
  const served = catalog.all();
  const hosted =
    participant === null && !served.has(challenge)
      ? await resolveHostedName(records.db, served.keys(), challenge)
      : null;
  return hosted ?? { challenge, participant };
}

async function advertise(
  code: AccessNeeds,
  c: Context,
  caller: Caller | null,
  asked: RequestedRepository,
  answerFetch: (body: null) => Promise<ReadableStream>,
): Promise<Response> {
  const service = c.req.query("service");
  if (service === "git-receive-pack") {
    const owner = await requireOwner(code, caller, asked);
    const dir = await code.repositories.participant(asked.challenge, owner.id);
    const refs = await advertiseForPush(code.repositories.git, dir);
    return c.body(new Uint8Array(refs), 200, {
      ...FRESH,
      "content-type": "application/x-git-receive-pack-advertisement",
    });
  }
  if (service !== "git-upload-pack")
    throw new CrowdaiError(
      "not_found",
      "This address serves only git clients. Use a current version of git.",
    );
  const stream = await answerFetch(null);
  return c.body(stream, 200, { ...FRESH, "content-type": "application/x-git-upload-pack-advertisement" });
}

/** Asks callers without a key for one, whether or not the repository exists. */
async function readable(
  code: AccessNeeds,
  caller: Caller | null,
  asked: RequestedRepository,
): Promise<string> {
  const dir = await repositoryFor(code, caller, asked);
  if (dir) return dir;
  throw caller ? new CrowdaiError("repository_unknown") : new CrowdaiError("no_key");
}

async function requireOwner(
  code: CodeNeeds<"records" | "catalog">,
  caller: Caller | null,
  asked: RequestedRepository,
): Promise<Caller> {
  if (!caller) throw new CrowdaiError("no_key");
  await requireOwnRepository(code, caller, asked);
  return caller;
}

/** Git shows plain text as `remote: …`, and asks for a key when the answer is 401 Basic. */
function refuse({ log }: CodeNeeds<"log">, c: Context, thrown: unknown): Response {
  const error = requestError(c, thrown);
  logMachineError(log, error);
  if (error.code === "unexpected")
    log.error({ event: "git_request_failed", err: thrown }, "git request failed");
  if (error.row.http === 401) c.header("WWW-Authenticate", 'Basic realm="crowdAI", charset="UTF-8"');
  if (error.code === "broker_busy") c.header("Retry-After", "30");
  // The rest of the body is not read, so the connection cannot serve another request.
  if (c.req.method === "POST") c.header("connection", "close");
  const { message, next } = error.toBody();
  return c.text(`${error.code}: ${message}\n${next}\n`, error.row.http as ContentfulStatusCode);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const wrongMethod = () => new CrowdaiError("not_found", "This address does not support this method.");
