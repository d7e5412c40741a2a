export type { QueueLog } from "./queue-log.ts";
export { createReconnectingConnection, type ReconnectingConnection } from "./reconnecting-connection.ts";
export { createRedisQueue, LEASE_MS, type RedisQueueOptions } from "./redis-queue.ts";
export { connectionsTo, type RedisConnections } from "./redis-url.ts";
