import type { ReconnectingConnection } from "@crowdai/shared/queue/redis";
import type { Redis } from "ioredis";

/** The lists over which a job factory takes jobs and answers. Everything rejects while Redis is away. */
export interface FactoryLists {
  /**
   * Puts a job in line unless it was put there before and its answer is still to come: a grader that starts again, or a
   * reply that was lost on its way, does not make the factory work twice. Says whether it was put in line.
   */
  push(id: string, job: object): Promise<boolean>;
  /** All that was said of a job; it stays there until the job is done. */
  said(id: string): Promise<string[]>;
  /** Whether the job was put in line and is not done: false when Redis has lost its contents. */
  isPending(id: string): Promise<boolean>;
  /** Takes back a job that the factory has not taken. One that it has goes on, and its answer is found by the next who pushes it. */
  withdraw(id: string, job: object): Promise<void>;
  done(id: string): Promise<void>;
}

/** Nothing between the three: a job is in line exactly when it is marked. What an earlier run was told is not this one's answer. */
const PUSH = `
if not redis.call("SET", KEYS[1], "1", "NX", "PX", ARGV[1]) then return 0 end
redis.call("DEL", KEYS[2])
redis.call("LPUSH", KEYS[3], ARGV[2])
return 1`;

/** `pendingMs` is how long an answer may take; after that a job counts as lost, and may be put in line again. */
export function createFactoryLists(
  link: ReconnectingConnection,
  namespace: string,
  pendingMs: number,
): FactoryLists {
  const line = `${namespace}::enqueue_job`;
  const mark = (id: string) => `${namespace}::pending::${id}`;
  const channel = (id: string) => `${namespace}::response::${id}`;
  const text = (id: string, job: object) => JSON.stringify({ broker_response_channel: channel(id), ...job });
  const use = <T>(work: (redis: Redis) => Promise<T>): Promise<T> =>
    link.use((client) => work(client as Redis));
  return {
    push: (id, job) =>
      use(
        async (redis) =>
          (await redis.eval(PUSH, 3, mark(id), channel(id), line, pendingMs, text(id, job))) === 1,
      ),
    said: (id) => use((redis) => redis.lrange(channel(id), 0, -1)),
    isPending: (id) => use(async (redis) => (await redis.exists(mark(id))) === 1),
    withdraw: (id, job) =>
      use(async (redis) => {
        if ((await redis.lrem(line, 0, text(id, job))) > 0) await redis.del(mark(id));
      }),
    done: (id) => use(async (redis) => void (await redis.del(mark(id), channel(id)))),
  };
}
