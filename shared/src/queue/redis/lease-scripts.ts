import { script } from "./script.ts";

/**
 * A heartbeat. Args: consumer, its description, lease in ms; then challenge, entry, submission, attempt and
 * delivery of each running job. Replies with the time, a text that changes when Redis loses its contents, and
 * for each job one of: "ok"; "lost", another consumer has it or the attempt is older; "gone", the queue does
 * not know it; "again", its entry is missing; or the id of the entry that now is the same job.
 *
 * Claiming an own entry by id resets only its idle time, not its number of deliveries.
 */
export const RENEW_LEASES = script(`
local me, about, lease = arg(), arg(), number()
local time = now()
-- There is no epoch until the queue is rebuilt. A second loss during that time shows in what the first heartbeat after each sets.
local since = base .. ':contents-since'
redis.pcall('SET', since, time .. ' ' .. me, 'NX')
local reply = { time, (redis.call('GET', epoch) or '') .. ' ' .. (redis.call('GET', since) or '') }

local function state_of(stream, id, submission, attempt, delivery)
  local owner = owner_of(stream, id)
  if owner == me then
    -- Since Redis 7 the reply is empty when the entry was deleted.
    if #redis.call('XCLAIM', stream, group, me, 0, id, 'JUSTID') > 0 then return 'ok' end
  elseif owner then
    return 'lost'
  end
  local known = recall(submission)
  if not known then return 'gone' end
  if known.attempt ~= attempt then return known.attempt > attempt and 'lost' or 'gone' end
  if known.id == id and known.holder == me then return 'ok' end
  -- The reply that named the entry was lost.
  if known.holder == me or owner_of(stream, known.id) == me then return known.id end
  if known.holder ~= '-' or owner_of(stream, known.id) then return 'lost' end
  if not is_here(submission, known) then return 'again' end
  if fair_key_of(known.id) then enter(submission, known) end
  known.holder, known.delivered = me, delivery
  remember(submission, known)
  return known.id
end

while at < #ARGV do
  local stream, id, submission, attempt, delivery = stream_of(arg()), arg(), arg(), number(), number()
  reply[#reply + 1] = state_of(stream, id, submission, attempt, delivery)
end
-- A full Redis refuses this, but the leases are still renewed.
redis.pcall('HSET', base .. ':graders', me, (time + lease) .. ' ' .. about)
return reply
`);

/**
 * Adds a running job again that the queue has lost. Args: consumer, challenge, submission, attempt, delivery,
 * text. Replies with its entry, or with nothing when another consumer has it by now.
 */
export const ADD_AGAIN = script(`
local me, challenge, submission, attempt, delivery, job = arg(), arg(), arg(), number(), number(), arg()
local stream, known = stream_of(challenge), recall(submission)
local id
if known and known.attempt > attempt then return false end
if known and known.attempt == attempt and is_here(submission, known) then
  if known.holder ~= '-' or owner_of(stream, known.id) then return false end
  if fair_key_of(known.id) then enter(submission, known) end
  id = known.id
else
  if known and fair_key_of(known.id) then discard(submission, known) end
  id = add(stream, submission, attempt, job)
end
remember(submission, { attempt = attempt, id = id, holder = me, delivered = delivery, challenge = challenge })
return id
`);

/**
 * Claims entries of one challenge that were idle for longer than a lease. Args: consumer, challenge, lease in
 * ms, cursor, how many to take, the time at which this should run, and the tolerance: after a freeze of
 * Redis, all entries would look idle. Replies with the next cursor, the number of lost jobs, and each job as
 * in an exchange.
 */
export const CLAIM = script(`
local me, challenge, lease, cursor, want, expected, tolerance = arg(), arg(), number(), arg(), number(), number(), number()
if math.abs(now() - expected) > tolerance then return { '0-0', 0, {} } end
local stream = stream_of(challenge)
local claimed = redis.pcall('XAUTOCLAIM', stream, group, me, lease, cursor, 'COUNT', want, 'JUSTID')
if claimed.err then return { '0-0', 0, {} } end
-- Redis 7 and newer list deleted entries separately, older versions among the rest.
local taken, lost = {}, claimed[3] and #claimed[3] or 0
for _, id in ipairs(claimed[2]) do
  local entry = redis.call('XCLAIM', stream, group, me, 0, id)[1]
  if entry then
    local known = recall(entry[2][2])
    if known and known.id ~= id then
      drop(stream, id)
    else
      local count = redis.call('XPENDING', stream, group, id, id, 1)[1][4]
      taken[#taken + 1] = { challenge, id, count, entry[2][6] }
    end
  else
    redis.call('XACK', stream, group, id)
    lost = lost + 1
  end
end
if lost > 0 then redis.call('DEL', epoch) end
return { claimed[1], lost, taken }
`);

/**
 * Returns entries that are pending for a consumer but not running there, because a reply was lost. Args:
 * consumer, 1 to remove it; count, then the challenges; then the entries of its running jobs. Never removes a
 * consumer that still has entries.
 */
export const RETURN_UNSEEN = script(`
local me, leaves = arg(), arg() == '1'
local challenges, held = {}, {}
for _ = 1, number() do challenges[#challenges + 1] = arg() end
while at < #ARGV do held[arg()] = true end
for _, challenge in ipairs(challenges) do
  local stream = stream_of(challenge)
  local pending = redis.pcall('XPENDING', stream, group, '-', '+', 1000, me)
  if not pending.err then
    for _, entry in ipairs(pending) do
      if not held[entry[1]] then redis.call('XCLAIM', stream, group, back, 0, entry[1], 'JUSTID') end
    end
    if leaves and #redis.call('XPENDING', stream, group, '-', '+', 1, me) == 0 then
      redis.call('XGROUP', 'DELCONSUMER', stream, group, me)
    end
  end
end
if leaves then redis.call('HDEL', base .. ':graders', me) end
`);

/** Removes dead consumers without entries. Args: the challenges. */
export const TIDY = script(`
local time, alive = now(), {}
local graders = redis.call('HGETALL', base .. ':graders')
for i = 1, #graders, 2 do
  if tonumber(string.match(graders[i + 1], '^%d+')) > time then alive[graders[i]] = true
  else redis.call('HDEL', base .. ':graders', graders[i]) end
end
while at < #ARGV do
  local stream = stream_of(arg())
  local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, group)
  if not consumers.err then
    for _, fields in ipairs(consumers) do
      local consumer = {}
      for i = 1, #fields, 2 do consumer[fields[i]] = fields[i + 1] end
      if consumer.pending == 0 and consumer.name ~= back and not alive[consumer.name] then
        redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer.name)
      end
    end
  end
end
`);

/** Replies with the description of each attached grader. */
export const ATTACHED = script(`
local time, found = now(), {}
local graders = redis.call('HGETALL', base .. ':graders')
for i = 2, #graders, 2 do
  local lease_end, about = string.match(graders[i], '^(%d+) (.*)$')
  if tonumber(lease_end) > time then found[#found + 1] = about end
end
return found
`);
