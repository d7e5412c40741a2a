import { script } from "./script.ts";

// The epoch key begins with the run id of the Redis that has everything it was given, and ends with which rebuild that was: graders
// see by it that there was one. It is missing after a flush, and not of this run after a restart or a failover, which may have
// lost what was written last.
const RUN_ID = `
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or 'unknown'
local lock = base .. ':rebuild'
`;

/**
 * Whether the queue may have lost jobs: replies with "ok", "flushed" or "restarted", the run id, and 1 when the caller is to rebuild.
 * Args: who asks, how long in ms it may take before another does it.
 */
export const CHECK_EPOCH = script(`${RUN_ID}
local me, patience = arg(), number()
local known = redis.call('GET', epoch)
if known and string.match(known, '^%S+') == run then return { 'ok', run, 0 } end
local mine = redis.call('GET', lock) == me or redis.call('SET', lock, me, 'NX', 'PX', patience)
if mine then redis.call('PEXPIRE', lock, patience) end
return { known and 'restarted' or 'flushed', run, mine and 1 or 0 }
`);

/** Keeps the turn to rebuild. One that is gone stays gone: whatever took it may have taken jobs as well. Args: who rebuilds, for how long in ms. */
export const RENEW_REBUILD = script(`${RUN_ID}
local me, patience = arg(), number()
if redis.call('GET', lock) ~= me then return 0 end
return redis.call('PEXPIRE', lock, patience)
`);

/** Marks a rebuild as done, unless something was lost again meanwhile. Args: who rebuilt, the run id it began with. */
export const END_REBUILD = script(`${RUN_ID}
local me, began = arg(), arg()
if redis.call('GET', lock) ~= me then return 0 end
redis.call('DEL', lock)
if run ~= began then return 0 end
redis.call('SET', epoch, run .. ' ' .. me .. ' ' .. now())
return 1
`);

/** Args: submissions. Replies with those that are in line, in a grader's hands, or have a report that was not applied yet. */
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

/** What is asked of a Redis before it is used: the text of INFO. */
export const INFO = script(`
local server, memory = redis.pcall('INFO', 'server'), redis.pcall('INFO', 'memory')
return { type(server) == 'string' and server or '', type(memory) == 'string' and memory or '' }
`);
