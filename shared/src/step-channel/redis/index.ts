export { createRedisStepChannel, type RedisStepChannelOptions } from "./redis-step-channel.ts";
