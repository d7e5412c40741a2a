import { createHash } from "node:crypto";
import type { Client } from "./reconnecting-connection.ts";
import { WAITING_LUA } from "./waiting-lua.ts";

/** A Lua script. Redis runs it atomically, and all its keys share the hash tag of the base key. */
export interface Script {
  lua: string;
  sha: string;
}

export function script(lua: string): Script {
  const whole = COMMON + WAITING_LUA + lua;
  return { lua: whole, sha: createHash("sha1").update(whole).digest("hex") };
}

export type Argument = string | number;

/** Runs a script, and sends its text only when Redis does not have it. */
export async function runScript(
  client: Client,
  base: string,
  { lua, sha }: Script,
  args: readonly Argument[] = [],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, 1, base, ...args);
  } catch (error) {
    if (!(error as Error).message.startsWith("NOSCRIPT")) throw error;
    return client.eval(lua, 1, base, ...args);
  }
}

// The index maps each submission to its job: attempt, entry, holder, deliveries and challenge. The holder is
// a consumer that runs the job although its entry was not read yet (it was added again after a loss).
// Otherwise it is "-", and the group knows the owner. The text of a job that waits outside its stream follows
// on a second line. For all scripts, the sessions of a challenge are a challenge of their own.
const COMMON = `
local base, group, back = KEYS[1], 'graders', 'handed-back'
local index, epoch = base .. ':index', base .. ':epoch'
local at = 0
local function arg() at = at + 1; return ARGV[at] end
local function number() return tonumber(arg()) end
local function stream_of(challenge) return base .. ':jobs:' .. challenge end
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function recall(submission)
  local value = redis.call('HGET', index, submission)
  if not value then return nil end
  local attempt, id, holder, delivered, challenge, job = string.match(value, '^(%d+) (%S+) (%S+) (%d+) ([^\\n]*)\\n?(.*)$')
  return {
    attempt = tonumber(attempt), id = id, holder = holder, delivered = tonumber(delivered), challenge = challenge,
    job = job ~= '' and job or nil
  }
end
local function remember(submission, job)
  redis.call('HSET', index, submission,
    job.attempt .. ' ' .. job.id .. ' ' .. job.holder .. ' ' .. job.delivered .. ' ' .. job.challenge
      .. (job.job and '\\n' .. job.job or ''))
end
local function exists(stream, id) return #redis.call('XRANGE', stream, id, id) > 0 end
local function owner_of(stream, id)
  local pending = redis.pcall('XPENDING', stream, group, id, id, 1)
  if pending.err or not pending[1] then return nil end
  return pending[1][2]
end
local function drop(stream, id)
  redis.call('XACK', stream, group, id)
  redis.call('XDEL', stream, id)
end
local function add(stream, submission, attempt, job)
  return redis.call('XADD', stream, '*', 's', submission, 'a', attempt, 'j', job)
end
`;
