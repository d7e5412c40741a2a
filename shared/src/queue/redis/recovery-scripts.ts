import { script } from "./script.ts";

// The epoch key starts with the run id of the Redis server that is complete, and ends with the id of the
// rebuild, so that graders notice a rebuild. It is missing after a flush. After a restart or a failover,
// which may have lost the latest writes, its run id differs from that of the server.
const RUN_ID = `
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or 'unknown'
local lock = base .. ':rebuild'
`;

/**
 * Checks whether the queue may have lost jobs. Replies with "ok", "flushed" or "restarted", the run id, and 1
 * when the caller is to rebuild. Args: the caller, and the time in ms after which another caller may take
 * over. Also wakes a grader for jobs that still wait because the one that was woken for them is gone.
 */
export const CHECK_EPOCH = script(`${RUN_ID}
local me, timeout = arg(), number()
feed_graders(redis.call('SMEMBERS', waiting))
local known = redis.call('GET', epoch)
if known and string.match(known, '^%S+') == run then return { 'ok', run, 0 } end
local mine = redis.call('GET', lock) == me or redis.call('SET', lock, me, 'NX', 'PX', timeout)
if mine then redis.call('PEXPIRE', lock, timeout) end
return { known and 'restarted' or 'flushed', run, mine and 1 or 0 }
`);

/**
 * Keeps the rebuild lock. A lost lock is not restored: jobs may have been lost with it. Args: the owner, for
 * how long in ms.
 */
export const RENEW_REBUILD = script(`${RUN_ID}
local me, timeout = arg(), number()
if redis.call('GET', lock) ~= me then return 0 end
return redis.call('PEXPIRE', lock, timeout)
`);

/**
 * Marks a rebuild as done, unless jobs were lost again in the meantime. Args: the owner, the run id at its
 * start.
 */
export const END_REBUILD = script(`${RUN_ID}
local me, began = arg(), arg()
if redis.call('GET', lock) ~= me then return 0 end
redis.call('DEL', lock)
if run ~= began then return 0 end
redis.call('SET', epoch, run .. ' ' .. me .. ' ' .. now())
return 1
`);

/**
 * Args: submissions. Replies with those that are waiting, running, or have a report that is not applied yet.
 */
export const KNOWN = script(`
local found, rest = {}, {}
while at < #ARGV do
  local submission = arg()
  if redis.call('HEXISTS', index, submission) == 1 then found[#found + 1] = submission else rest[submission] = true end
end
if next(rest) then
  for _, entry in ipairs(redis.call('XRANGE', base .. ':reports', '-', '+')) do
    local submission = entry[2][2]
    if rest[submission] then
      found[#found + 1] = submission
      rest[submission] = nil
    end
  end
end
return found
`);

/** Replies with the text of INFO, which is checked before a server is used. */
export const INFO = script(`
local server, memory = redis.pcall('INFO', 'server'), redis.pcall('INFO', 'memory')
return { type(server) == 'string' and server or '', type(memory) == 'string' and memory or '' }
`);
