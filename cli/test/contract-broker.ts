import { createHash, randomInt } from "node:crypto";
import http from "node:http";
import type net from "node:net";
import type { AddressInfo } from "node:net";
import { platform } from "node:process";
import {
  type AgentRequest,
  CrowdaiError,
  createApiKey,
  type Intent,
  type IntentRequest,
  intentSchema,
  isFinal,
  type PublicChallenge,
  type Receipt,
  type SessionRequest,
  type Submission,
  type SubmissionEvent,
} from "@crowdai/shared";
import { Server, type Socket } from "socket.io";
import { createContractEnvironment } from "./contract-environment.ts";
import { describeChallenge, describeLimits, describeSubmission } from "./contract-records.ts";
import type { ContractBroker, StoredSubmission } from "./contract-types.ts";

const SECOND_PART = 256 * 1024;

export async function startContractBroker(changes: Partial<PublicChallenge> = {}): Promise<ContractBroker> {
  const kept = new Map<string, StoredSubmission>();
  const received: ContractBroker["received"] = [];
  let server: http.Server | undefined;
  let io: Server | undefined;
  let port = 0;
  // Its own address, so that no other test can take its port while it is stopped.
  const host =
    platform === "linux" ? `127.${randomInt(1, 255)}.${randomInt(255)}.${randomInt(1, 255)}` : "127.0.0.1";
  let number = 0;

  const broker: ContractBroker = {
    get url() {
      return `http://${host}:${port}`;
    },
    key: createApiKey(),
    challenge: { ...describeChallenge(), ...changes },
    limits: describeLimits(),
    received,
    kept,
    grader: () => ({ score: 0.9 }),
    goodbyes: 0,
    intercept: null,
    code: null,
    sockets: true,
    environments: new Map(),
    event(id, type, data = {}, silent = false) {
      const one = find(id);
      const { submission } = one;
      const event = { submission: id, seq: submission.seq + 1, at: new Date().toISOString(), type, data };
      submission.seq = event.seq;
      one.events.push(event);
      if (!silent) tell(event);
    },
    finish(id, change) {
      const { submission } = find(id);
      Object.assign(
        submission,
        { finished_at: new Date().toISOString(), place: null, waiting: null },
        change,
      );
      broker.event(id, submission.state as "graded", submission.error ? { error: submission.error } : {});
    },
    repeat: (id, seq) => tell(find(id).events[seq - 1]!),
    place: (id, place, waiting, more) =>
      void io?.to(id).emit("place", { submission: id, place, waiting, ...more }),
    async start() {
      server = http.createServer((request, response) => void answer(request, response));
      await new Promise<void>((resolve) => server!.listen(port, host, resolve));
      port = (server.address() as AddressInfo).port;
      if (broker.sockets) io = openSockets(server);
    },
    async stop() {
      io?.disconnectSockets(true);
      const closing = new Promise((resolve) => server?.close(resolve));
      const ending = io?.close();
      // Both wait for requests that are never answered.
      server?.closeAllConnections();
      await Promise.all([ending, closing]);
      io = undefined;
    },
    close: () => broker.stop(),
  };

  function find(id: string): StoredSubmission {
    const found = kept.get(id);
    if (!found) throw new CrowdaiError("submission_unknown");
    return found;
  }
  function tell(event: SubmissionEvent): void {
    const { submission } = find(event.submission);
    const last = isFinal(submission.state) && event.seq === submission.seq;
    io?.to(event.submission).emit("event", { event, submission: last ? submission : null });
  }

  function register(request: IntentRequest): StoredSubmission {
    const intent = intentSchema.parse(request);
    const known = kept.get(intent.id);
    if (known) return known;
    const { input } = intent;
    const text = input.kind === "inline" ? JSON.stringify(input.data) : "";
    const summary =
      input.kind === "inline"
        ? { kind: "json" as const, name: null, size: text.length, sha256: sha256(text) }
        : input.kind === "code"
          ? {
              kind: input.kind,
              name: null,
              size: intent.code?.bytes ?? 0,
              sha256: sha256(intent.code?.tree ?? ""),
            }
          : input.kind === "session"
            ? { kind: input.kind, name: null, size: 0, sha256: sha256("") }
            : { kind: input.kind, name: input.name, size: input.size, sha256: input.sha256 };
    const submission = describeSubmission(intent, ++number, summary, broker.url);
    const one: StoredSubmission = { submission, intent, events: [], parts: new Map() };
    kept.set(intent.id, one);
    broker.event(intent.id, "initiated");
    if (input.kind === "inline" || input.kind === "code") accept(one);
    return one;
  }
  function accept(one: StoredSubmission): void {
    const { submission } = one;
    submission.state = "submitted";
    submission.accepted_at = new Date().toISOString();
    broker.event(submission.id, "submitted");
    const verdict = broker.grader?.(one);
    if (!verdict) return;
    // After the acknowledgement, as a grader would.
    setImmediate(() => {
      submission.state = "grading";
      broker.event(submission.id, "grading", { attempt: 1 });
      broker.event(submission.id, "progress", { percent: 50, message: "half" });
      if (verdict.error)
        broker.finish(submission.id, {
          state: "failed",
          error: new CrowdaiError(verdict.error.code, verdict.error.message).toBody(),
        });
      else
        broker.finish(submission.id, {
          state: "graded",
          score: verdict.score ?? null,
          data: verdict.data ?? null,
          rank: 3,
          rank_before: 5,
          best: true,
        });
    });
  }
  function receipt(one: StoredSubmission): Receipt {
    const { submission, parts } = one;
    const code = one.intent.code ? (broker.code?.(one.intent) ?? null) : null;
    if (submission.state !== "initiated") return { submission, upload: null, code, models: [] };
    const { size } = submission.input!;
    const sizes = size > SECOND_PART ? [SECOND_PART, size - SECOND_PART] : [size];
    const missing = sizes
      .map((length, i) => ({ number: i + 1, offset: i * SECOND_PART, size: length }))
      .filter((p) => !parts.has(p.number));
    const address = (part: number) => `${broker.url}/objects/${submission.id}/${part}?signature=secret`;
    return {
      submission,
      upload: {
        parts: missing.map((part) => ({
          ...part,
          method: "PUT" as const,
          url: address(part.number),
          headers: { "x-part": String(part.number) },
        })),
        expires_at: new Date(Date.now() + 60_000).toISOString(),
      },
      code,
      models: [],
    };
  }
  function complete(id: string): Receipt {
    const one = find(id);
    if (one.submission.state !== "initiated") return receipt(one);
    const bytes = Buffer.concat([...one.parts].sort(([a], [b]) => a - b).map(([, part]) => part));
    if (bytes.length < one.submission.input!.size) return receipt(one);
    if (sha256(bytes) !== one.submission.input!.sha256) throw new CrowdaiError("digest_mismatch");
    accept(one);
    return receipt(one);
  }
  /** A session waits for the test until it plays, and is graded by its returns. */
  function createSession({ id, challenge, round = null, message = null }: SessionRequest): Receipt {
    const isKnown = kept.has(id);
    const one = register({ id, challenge, round, message, input: { kind: "session" } });
    if (!isKnown) {
      broker.environments.set(id, createContractEnvironment());
      one.submission.state = "submitted";
      broker.event(id, "submitted");
    }
    return receipt(one);
  }
  function askSession(id: string, request: AgentRequest) {
    const { submission } = find(id);
    const environment = broker.environments.get(id)!;
    if (submission.state === "graded") return { type: "end" };
    if (submission.error) throw CrowdaiError.fromBody(submission.error);
    if (isFinal(submission.state)) throw new CrowdaiError("cancelled", `Submission ${id} was cancelled.`);
    const answer = environment.answer(request);
    if (answer.type === "observation" && submission.state === "submitted") {
      submission.state = "grading";
      broker.event(id, "grading", { attempt: 1 });
    }
    if (answer.type === "observation" || answer.type === "step") {
      const message = `Episode ${answer.episode} of 2, step ${answer.type === "step" ? answer.n : 0}, return ${environment.returns.at(-1)}`;
      broker.event(id, "progress", { percent: 50, message, stage: "play" });
    }
    if (request.type === "submit" && answer.type === "end") {
      const score = environment.returns.reduce((sum, one) => sum + one, 0) / environment.returns.length;
      setImmediate(() =>
        broker.finish(id, { state: "graded", score, rank: 3, rank_before: 5, best: true, slot: "charged" }),
      );
    }
    return answer;
  }
  function cancel(id: string): Submission {
    const { submission } = find(id);
    if (isFinal(submission.state)) throw new CrowdaiError("already_final", `${id} is ${submission.state}.`);
    broker.finish(id, { state: "cancelled" });
    return submission;
  }
  const watched = (id: string, after: number) => ({
    submission: find(id).submission,
    events: find(id).events.filter(({ seq }) => seq > after),
  });
  const session = (challenge: string | undefined) => ({
    participant: { id: 1, name: "ada" },
    challenge: challenge === undefined ? null : known(challenge),
    limits: challenge === undefined ? null : broker.limits,
    agreed: false,
    broker: { version: "0.1.0", instance: "test" },
  });
  function known(id: string): PublicChallenge {
    if (id === broker.challenge.id) return broker.challenge;
    throw new CrowdaiError("challenge_unknown", `There is no challenge "${id}".`, {
      details: { suggestion: broker.challenge.id },
    });
  }

  function openSockets(on: http.Server): Server {
    const opened = new Server(on, { serveClient: false });
    opened.use(async (socket, next) => {
      const { auth, headers } = socket.handshake;
      received.push({ what: "connect", message: auth, headers });
      try {
        await broker.intercept?.("connect", auth);
        const { apiKey, challenge } = socket.handshake.auth as { apiKey: string; challenge?: string };
        if (apiKey !== broker.key) throw new CrowdaiError("key_unknown");
        const opening = session(challenge);
        serve(socket);
        setImmediate(() => greet(socket, opening));
        next();
      } catch (error) {
        next(Object.assign(new Error("refused"), { data: (error as CrowdaiError).toBody() }));
      }
    });
    return opened;
  }
  function greet(socket: Socket, opening: unknown): void {
    if (broker.goodbyes === 0) return void socket.emit("session", opening);
    broker.goodbyes--;
    // Both messages are sent in one piece.
    const { _socket: wire } = (socket.conn.transport as unknown as { socket: { _socket: net.Socket } })
      .socket;
    wire.cork();
    socket.emit("session", opening);
    socket.disconnect();
    setTimeout(() => wire.uncork(), 20);
  }
  function serve(socket: Socket): void {
    const on = (what: string, work: (message: never) => unknown) =>
      socket.on(what, async (message, acknowledge: (answer: unknown) => void) => {
        received.push({ what, message, headers: {} });
        try {
          if (await broker.intercept?.(what, message)) return;
          acknowledge({ ok: true, value: await work(message as never) });
        } catch (error) {
          if (!(error instanceof CrowdaiError)) throw error;
          acknowledge({ ok: false, error: error.toBody() });
        }
      });
    on("submit", (intent: Intent) => {
      socket.join(intent.id);
      return receipt(register(intent));
    });
    on("call", (call: { items: { id: string; data: unknown }[] } & Intent) => ({
      submissions: call.items.map(({ id, data }) => {
        socket.join(id);
        return register({ ...call, id, message: null, input: { kind: "inline", data } }).submission;
      }),
    }));
    on("environment:create", (request: SessionRequest) => {
      socket.join(request.id);
      return createSession(request);
    });
    for (const type of ["hello", "reset", "step", "submit"] as const)
      on(`environment:${type}`, ({ id, ...request }: { id: string } & AgentRequest) =>
        askSession(id, { ...request, type } as AgentRequest),
      );
    on("complete", ({ id }: { id: string }) => complete(id));
    on("cancel", ({ id }: { id: string }) => cancel(id));
    on("watch", ({ id, after }: { id: string; after: number }) => {
      find(id);
      socket.join(id);
      return watched(id, after);
    });
  }

  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url!, broker.url);
    const what = `${request.method} ${url.pathname}`;
    if (url.pathname.startsWith("/socket.io/")) {
      if (!io) response.writeHead(403, { "content-type": "text/html" }).end("<h1>Blocked</h1>");
      return;
    }
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const message = request.method === "POST" ? JSON.parse(body.toString() || "{}") : body.length;
      received.push({ what, message, headers: request.headers });
      if (await broker.intercept?.(what, message)) return;
      const value = await route(request, url, body);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    } catch (error) {
      if (!(error instanceof CrowdaiError)) return void response.destroy();
      response
        .writeHead(error.row.http, { "content-type": "application/json" })
        .end(JSON.stringify({ error: error.toBody() }));
    }
  }
  async function route(request: http.IncomingMessage, url: URL, body: Buffer): Promise<unknown> {
    const path = url.pathname;
    const [, , , kind, id = "", verb] = path.split("/");
    if (path === "/healthz") return { ok: true, service: "crowdai", version: "0.1.0" };
    if (path === "/api/v1") return { service: "crowdai", version: "0.1.0", instance: "test" };
    if (path.startsWith("/objects/")) {
      const [, , object = "", part] = path.split("/");
      find(object).parts.set(Number(part), body);
      return {};
    }
    if (request.headers.authorization !== `Bearer ${broker.key}`) throw new CrowdaiError("key_unknown");
    if (path === "/api/v1/me") return { participant: { id: 1, name: "ada" }, agreed: false };
    if (kind === "challenges" && verb === undefined) return known(decodeURIComponent(id));
    if (kind === "challenges" && verb === "limits") return broker.limits;
    if (kind === "challenges" && verb === "leaderboard") {
      const { id: challenge, score, score_secondary } = broker.challenge;
      return { challenge, round: "1", score, score_secondary, total: 17, rows: [] };
    }
    if (kind === "submissions" && id === "" && request.method === "GET")
      return { submissions: [...kept.values()].map(({ submission }) => submission).reverse() };
    if (kind === "submissions" && id === "") return receipt(register(JSON.parse(body.toString()) as Intent));
    if (kind === "sessions" && id === "") return createSession(JSON.parse(body.toString()));
    if (kind === "sessions") return askSession(id, { ...JSON.parse(body.toString()), type: verb });
    if (verb === "complete") return complete(id);
    if (verb === "cancel") return cancel(id);
    if (verb === "events") {
      const after = Number(url.searchParams.get("after"));
      if (url.searchParams.get("wait") !== "0" && watched(id, after).events.length === 0)
        await new Promise((resolve) => setTimeout(resolve, 20));
      return watched(id, after);
    }
    if (kind === "submissions") return find(id).submission;
    throw new CrowdaiError("not_found");
  }

  await broker.start();
  return broker;
}

function sha256(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
