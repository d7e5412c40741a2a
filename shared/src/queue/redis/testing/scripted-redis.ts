import { EventEmitter } from "node:events";
import type { Client } from "../reconnecting-connection.ts";
import type { Script } from "../script.ts";

/** May throw, and may return a promise. */
export type Answer = (args: readonly (string | number)[], client: ScriptedClient) => unknown;

const COMMANDS = [
  ...(["ping", "subscribe", "client", "xread", "xreadgroup", "xdel", "eval"] as const),
  ...(["mget", "lrange", "exists", "del"] as const),
] as const;
/** Commands that are sent several at once. */
const PIPELINED = ["blpop", "lpop"] as const;

type Callback = (error: Error | null, reply?: unknown) => void;

/** A client without a server, of which the test decides when it is connected. */
export class ScriptedClient extends EventEmitter {
  status = "wait";
  connects = 0;
  disconnected = false;
  stream = {
    destroyed: false,
    destroy() {
      this.destroyed = true;
    },
  };
  /** Rejects when the client is disconnected, as its commands then do. */
  readonly gone: Promise<never>;
  #leave: (error: Error) => void;
  /** How `connect` ends; by default the client is ready in no time. */
  onConnect: () => Promise<void> = async () => {
    await null;
    this.emit("ready");
  };

  constructor() {
    super();
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.gone = promise;
    this.#leave = reject;
  }

  connect(): Promise<void> {
    this.connects++;
    return this.onConnect();
  }

  disconnect(): void {
    this.disconnected = true;
    this.#leave(new Error("Connection is closed."));
  }
}

/** Creates clients whose commands and scripts the test answers, so that it needs no server and no time. */
export function createScriptedRedis() {
  const answers = new Map<string, Answer>();
  const clients: ScriptedClient[] = [];
  const bases = new Set<string>();
  const pipelines: number[] = [];
  let prepare: (client: ScriptedClient) => void = () => {};

  function create(): Client {
    const client = new ScriptedClient();
    const answer = async (name: string, args: (string | number)[]) =>
      (await answers.get(name)?.(args, client)) ?? null;
    const run = (name: string, args: (string | number)[]) => Promise.race([answer(name, args), client.gone]);
    for (const name of COMMANDS)
      Object.assign(client, { [name]: (...args: (string | number)[]) => run(name, args) });
    Object.assign(client, {
      evalsha(sha: string, _keys: number, base: string, ...args: (string | number)[]) {
        bases.add(base);
        return run(sha, args);
      },
      pipeline: () => pipelineOf(run),
    });
    prepare(client);
    clients.push(client);
    return client as unknown as Client;
  }

  /** Commands that run one after another, as those of one connection do. */
  function pipelineOf(run: (name: string, args: (string | number)[]) => Promise<unknown>) {
    const commands: (() => Promise<[error: Error | null, reply?: unknown]>)[] = [];
    const pipeline = {
      async exec() {
        pipelines.push(commands.length);
        const replies = [];
        for (const command of commands) replies.push(await command());
        return replies;
      },
    };
    for (const name of PIPELINED)
      Object.assign(pipeline, {
        [name](...args: (string | number | Callback)[]) {
          const callback = typeof args.at(-1) === "function" ? (args.pop() as Callback) : () => {};
          commands.push(async () => {
            const result = await run(name, args as (string | number)[]).then(
              (reply): [null, unknown] => [null, reply],
              (error: Error): [Error] => [error],
            );
            callback(result[0], result[1]);
            return result;
          });
          return pipeline;
        },
      });
    return pipeline;
  }

  return {
    /** Creates a client. */
    redis: create,
    clients,
    /** The base keys of all scripts. */
    bases,
    /** The number of commands in each pipeline. */
    pipelines,
    /**
     * Says how a command or a script is answered, until the next call for it. Everything else is answered
     * with null.
     */
    answer(of: Script | (typeof COMMANDS | typeof PIPELINED)[number], answer: Answer): void {
      answers.set(typeof of === "string" ? of : of.sha, answer);
    },
    /** Called with each client that is created later. */
    prepare(each: (client: ScriptedClient) => void): void {
      prepare = each;
    },
  };
}

export type ScriptedRedis = ReturnType<typeof createScriptedRedis>;
