export { connectionsTo, type RedisConnections } from "../redis-connection.ts";
export { createRedisQueue, LEASE_MS, type RedisQueueOptions } from "../redis-queue.ts";
export { createLink, type Link } from "./link.ts";
export type { QueueLog } from "./log.ts";
