export type { QueueLog } from "./queue-log.ts";
export { createLink, type Link } from "./reconnecting-connection.ts";
export { createRedisQueue, LEASE_MS, type RedisQueueOptions } from "./redis-queue.ts";
export { connectionsTo, type RedisConnections } from "./redis-url.ts";
