import { execFile, spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);
const ENV = { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };

/** Serves real git over HTTP, as hosts do. */
export function serveGit(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
  { path, query, user }: { path: string; query: string; user: string | null },
): void {
  const child = spawn("git", ["http-backend"], {
    env: {
      ...ENV,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      // A user name grants the right to push.
      ...(user === null ? {} : { REMOTE_USER: user }),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  let head: Buffer | null = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (head === null) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const lines = head.toString("latin1", 0, end).split("\r\n");
    const headers = lines.map((line) => line.split(/:\s*/, 2) as [string, string]);
    const status = headers.find(([name]) => name === "Status")?.[1];
    response.writeHead(
      Number(status?.slice(0, 3) ?? 200),
      headers.filter(([name]) => name !== "Status").flat(),
    );
    const rest = head.subarray(end + 4);
    head = null;
    response.write(rest);
  });
  child.on("close", () => response.end());
}

export async function makeBare(folder: string, name: string): Promise<void> {
  await exec("git", ["init", "-q", "--bare", "-b", "main", join(folder, name)], { env: ENV });
}

/**
 * Returns the refs that a reader sees at an address, with an optional header; null when there is nothing to
 * see.
 */
export async function readRefs(url: string, header: string | null): Promise<Record<string, string> | null> {
  const config = header
    ? { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "http.extraHeader", GIT_CONFIG_VALUE_0: header }
    : {};
  const env = { ...ENV, ...config, GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "/bin/false" };
  const ran = await exec("git", ["ls-remote", "--refs", url], { env }).catch((error) => {
    if (/not found|could not read Username|Authentication failed|returned error: 40[134]/.test(error.stderr))
      return null;
    throw error;
  });
  if (!ran) return null;
  const lines = ran.stdout.trim().split("\n").filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split("\t").reverse() as [string, string]));
}
