import type { ReconnectingConnection } from "@crowdai/shared/queue/redis";
import type { Redis } from "ioredis";

/**
 * The Redis lists through which a job factory receives jobs and responds. All methods reject while Redis is
 * unreachable.
 */
export interface FactoryLists {
  /**
   * Enqueues a job unless it was enqueued before and its response is still pending: after a restart of the
   * grader or a lost reply, the factory does not work twice. Returns whether the job was enqueued.
   */
  push(id: string, job: object): Promise<boolean>;
  /** Returns all messages about a job. They stay in the list until the job is done. */
  messages(id: string): Promise<string[]>;
  /** Whether the job was enqueued and is not done. False when Redis has lost its data. */
  isPending(id: string): Promise<boolean>;
  /**
   * Withdraws a job that the factory has not taken. A taken job continues, and the next push of it finds its
   * response.
   */
  withdraw(id: string, job: object): Promise<void>;
  done(id: string): Promise<void>;
}

/** Atomic: a job is in the queue exactly when it is marked. Responses to an earlier run are deleted. */
const PUSH = `
if not redis.call("SET", KEYS[1], "1", "NX", "PX", ARGV[1]) then return 0 end
redis.call("DEL", KEYS[2])
redis.call("LPUSH", KEYS[3], ARGV[2])
return 1`;

/**
 * `pendingMs` is how long a response may take. After that the job counts as lost and can be enqueued again.
 */
export function createFactoryLists(
  connection: ReconnectingConnection,
  namespace: string,
  pendingMs: number,
): FactoryLists {
  const queue = `${namespace}::enqueue_job`;
  const mark = (id: string) => `${namespace}::pending::${id}`;
  const channel = (id: string) => `${namespace}::response::${id}`;
  const text = (id: string, job: object) => JSON.stringify({ broker_response_channel: channel(id), ...job });
  const use = <T>(work: (redis: Redis) => Promise<T>): Promise<T> =>
    connection.use((client) => work(client as Redis));
  return {
    push: (id, job) =>
      use(
        async (redis) =>
          (await redis.eval(PUSH, 3, mark(id), channel(id), queue, pendingMs, text(id, job))) === 1,
      ),
    messages: (id) => use((redis) => redis.lrange(channel(id), 0, -1)),
    isPending: (id) => use(async (redis) => (await redis.exists(mark(id))) === 1),
    withdraw: (id, job) =>
      use(async (redis) => {
        if ((await redis.lrem(queue, 0, text(id, job))) > 0) await redis.del(mark(id));
      }),
    done: (id) => use(async (redis) => void (await redis.del(mark(id), channel(id)))),
  };
}
