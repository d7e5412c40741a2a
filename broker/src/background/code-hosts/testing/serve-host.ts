import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type ApiExcerpt, type Call, type DescribedApi, describedApi } from "./api-description.ts";
import { serveGit } from "./git-backend.ts";

export interface HostAnswer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
  /** Sent although the API description does not include it. */
  undescribed?: boolean;
}

/**
 * The failure that the host simulates: `down` closes every connection, `silent` never answers, `forgetful`
 * rejects every token, `html` answers as a proxy would, `broken` answers 502 in the host's own form. A
 * response replaces every other one.
 */
export type Trouble = "none" | "down" | "silent" | "forgetful" | "html" | "broken" | HostAnswer;

export interface LocalHost {
  url: string;
  folder: string;
  token: string;
  trouble: Trouble;
  /** As `trouble`, for git only. */
  gitTrouble: Trouble;
  /** The requests received, as "operation" or "git /path". */
  asked: string[];
  /** Requests and responses that do not match the API description. */
  wrong: string[];
  /** Every request's headers and address, which tests search for secrets. */
  seen: { url: string; headers: IncomingMessage["headers"] }[];
  close(): Promise<void>;
}

export interface HostLanguage {
  excerpt: ApiExcerpt;
  /** Path below the address where the API starts. */
  below: string;
  /** Prefix of the excerpt's paths. */
  within: string;
  /** Returns what is wrong with a request's headers; null when they are valid. */
  wrongHeaders(headers: IncomingMessage["headers"]): string | null;
  tokenOf(headers: IncomingMessage["headers"]): string | undefined;
  /** The status of the response to a request with an unknown field. */
  unknownField: number;
  saying(message: string): unknown;
  answer(call: Call, api: DescribedApi): Promise<HostAnswer>;
  /** Returns what git may do at "/group/name.git". `isMember` tells whether the request carried the token. */
  allows(path: string, isMember: boolean): "none" | "read" | "push";
}

const HTML: HostAnswer = { status: 200, body: "<html><h1>Sign in to the guest network</h1></html>" };

/** Serves a code host on this machine that speaks the given API. */
export async function serveHost(language: HostLanguage): Promise<LocalHost> {
  const api = describedApi(language.excerpt);
  const folder = await mkdtemp(join(tmpdir(), "crowdai-local-host-"));
  const server = createServer((request, response) => {
    serve(request, response).catch((error) => {
      host.wrong.push(String(error));
      response.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host: LocalHost = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    folder,
    token: "host-token-4f9d2c",
    trouble: "none",
    gitTrouble: "none",
    asked: [],
    wrong: [],
    seen: [],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", host.url);
    host.seen.push({ url: url.href, headers: request.headers });
    const isApi = url.pathname.startsWith(`${language.below}/`);
    if (!isApi) host.asked.push(`git ${url.pathname}`);
    const trouble = isApi || host.gitTrouble === "none" ? host.trouble : host.gitTrouble;
    if (trouble === "down") return void request.socket.destroy();
    if (trouble === "silent") return;
    if (trouble === "html") return send(response, HTML, "text/html");
    if (trouble === "broken") return send(response, { status: 502, body: language.saying("Server Error") });
    if (typeof trouble === "object") return send(response, trouble);
    if (isApi) return send(response, await answerApi(request, url));
    return answerGit(request, response, url);
  }

  async function answerApi(request: IncomingMessage, url: URL): Promise<HostAnswer> {
    const { method = "GET", headers } = request;
    const body = await text(request);
    if (language.tokenOf(headers) !== host.token || host.trouble === "forgetful")
      return { status: 401, body: language.saying("Bad credentials") };
    const at = new URL(url);
    at.pathname = language.within + url.pathname.slice(language.below.length);
    const wrongHeaders = language.wrongHeaders(headers);
    const call = api.read(method, at, headers["content-type"], body);
    if (wrongHeaders || "wrong" in call) {
      const wrong = wrongHeaders ?? ("wrong" in call ? call.wrong : "");
      host.wrong.push(wrong);
      return { status: language.unknownField, body: language.saying(wrong) };
    }
    host.asked.push(call.operation);
    const answer = await language.answer(call, api);
    const wrong = answer.undescribed ? null : api.wrongAnswer(call.operation, answer.status, answer.body);
    if (wrong) host.wrong.push(wrong);
    return answer;
  }

  function answerGit(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const [, repository = "", rest = ""] = /^(\/.+\.git)(\/.*)$/.exec(url.pathname) ?? [];
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const password = basic && Buffer.from(basic, "base64").toString().split(":")[1];
    const isMember =
      password === host.token && host.trouble !== "forgetful" && host.gitTrouble !== "forgetful";
    const pushes = rest === "/git-receive-pack" || url.searchParams.get("service") === "git-receive-pack";
    const allowed = language.allows(repository, isMember);
    const may = pushes ? allowed === "push" : allowed !== "none";
    if (!may && !isMember) {
      response.setHeader("www-authenticate", 'Basic realm="host"');
      send(response, { status: 401, body: "Sign in." }, "text/plain");
      return;
    }
    if (!may) {
      send(response, { status: allowed === "none" ? 404 : 403, body: "No." }, "text/plain");
      return;
    }
    const query = url.search.slice(1);
    serveGit(host.folder, request, response, { path: url.pathname, query, user: isMember ? "member" : null });
  }
  return host;
}

function send(
  response: ServerResponse,
  { status, body, headers }: HostAnswer,
  type = "application/json",
): void {
  const bytes = body === null ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const isHtml = typeof body === "string" && body.startsWith("<");
  response.writeHead(status, {
    ...(body === null ? {} : { "content-type": isHtml ? "text/html" : `${type}; charset=utf-8` }),
    ...headers,
  });
  response.end(bytes);
}
