import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { createGunzip } from "node:zlib";

export interface GitHost extends AsyncDisposable {
  /** Address of its only repository. */
  readonly url: string;
  /** Folder of the repository. */
  readonly repository: string;
  /** Each request, with the bytes of its body. */
  readonly requests: { what: string; authorization: string | undefined; bytes: number }[];
  /** The status of every response, if set. */
  refuse: number | null;
  git(...args: string[]): string;
}

/** Real git behind HTTP (`git http-backend`), which checks all objects that it receives. */
export async function startGitHost(): Promise<GitHost> {
  const root = mkdtempSync(join(tmpdir(), "crowdai-git-host-"));
  const repository = join(root, "code.git");
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: root,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: devNull,
  };
  const git = (...args: string[]) =>
    execFileSync("git", args, { env: { ...env, GIT_DIR: repository }, encoding: "latin1" }).replace(
      /\n$/,
      "",
    );
  execFileSync("git", ["init", "--quiet", "--bare", repository], { env });
  git("config", "receive.fsckObjects", "true");
  git("config", "http.receivepack", "true");
  git("config", "receive.unpackLimit", "1");

  const requests: GitHost["requests"] = [];
  const server = http.createServer((request, response) => {
    const url = new URL(request.url!, "http://host");
    const seen = {
      what: `${request.method} ${url.pathname}${url.search}`,
      authorization: request.headers.authorization,
      bytes: 0,
    };
    requests.push(seen);
    request.on("data", (chunk: Buffer) => {
      seen.bytes += chunk.length;
    });
    if (host.refuse !== null) {
      request.resume();
      response.writeHead(host.refuse).end("no\n");
      return;
    }
    const body = request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request;
    const child = spawn("git", ["http-backend"], {
      env: {
        ...env,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: "1",
        REMOTE_USER: "crowdai",
        REQUEST_METHOD: request.method!,
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers["content-type"] ?? "",
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.stdin.on("error", () => {});
    body.pipe(child.stdin);
    const parts: Buffer[] = [];
    child.stdout.on("data", (part: Buffer) => parts.push(part));
    child.on("close", () => {
      const all = Buffer.concat(parts);
      const end = all.indexOf("\r\n\r\n");
      const headers = Object.fromEntries(
        all
          .subarray(0, end)
          .toString()
          .split("\r\n")
          .map((line) => line.split(": ") as [string, string]),
      );
      const { Status: status = "200", ...rest } = headers;
      response.writeHead(Number.parseInt(status, 10), rest).end(all.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host: GitHost = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/code.git`,
    repository,
    requests,
    refuse: null,
    git,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(root, { recursive: true, force: true });
    },
  };
  return host;
}
