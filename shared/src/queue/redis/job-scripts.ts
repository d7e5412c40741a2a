import { script } from "./script.ts";

/**
 * Args: for each job its submission, attempt, challenge, fair key and text. Skips a job that is known with
 * this or a newer attempt, unless its entry is gone, so that a rebuild restores every lost job.
 */
export const PUBLISH = script(`
local touched, challenges = {}, {}
for _ = 1, #ARGV / 5 do
  local submission, attempt, challenge, key, job = arg(), number(), arg(), arg(), arg()
  local known = recall(submission)
  local wanted = true
  if known then
    if known.attempt > attempt then wanted = false
    elseif known.attempt == attempt then wanted = not is_here(submission, known)
    else redis.call('PUBLISH', base .. ':control', submission .. ' ' .. known.attempt) end
    if wanted then discard(submission, known) end
  end
  if wanted then put(submission, attempt, challenge, key, job) end
  if not touched[challenge] then challenges[#challenges + 1] = challenge end
  touched[challenge] = true
end
feed_graders(challenges)
`);

/** Args: the submission. Its holder learns of it immediately, or with its next heartbeat. */
export const CANCEL = script(`
local submission = arg()
local known = recall(submission)
if known then
  discard(submission, known)
  redis.call('HDEL', index, submission)
  feed(known.challenge)
  redis.call('PUBLISH', base .. ':control', submission .. ' ' .. known.attempt)
end
`);

/**
 * One step of a consumer: settles its finished jobs, then takes jobs for its free slots.
 *
 * Args: consumer, how many to take; count, then challenge, entry, submission and attempt of each job done;
 * count, then the same of each returned; count, then challenge and entry of each from a blocking read; then
 * each challenge with 1 when its group is known to exist. Replies with 1 when jobs were lost, then challenge,
 * entry, delivery and text of each job taken.
 *
 * Returned jobs are pending for a consumer of the name 'handed-back', and are taken before all others.
 */
export const EXCHANGE = script(`
local me, want = arg(), number()
local taken, lost = {}, false

-- The entry of a job of mine. It may have been added again meanwhile, under an entry that the consumer does not know yet.
local function entry_of(stream, id, known, attempt)
  if owner_of(stream, id) == me then return id end
  if known and known.attempt == attempt and (known.holder == me or owner_of(stream, known.id) == me) then return known.id end
end

local function deliver(challenge, stream, id, fields, count)
  local submission, attempt, job = fields[2], tonumber(fields[4]), fields[6]
  local known = recall(submission)
  if not known then
    remember(submission, { attempt = attempt, id = id, holder = '-', delivered = 0, challenge = challenge })
  elseif known.id ~= id then
    return drop(stream, id)
  elseif known.holder ~= '-' then
    redis.call('XCLAIM', stream, group, known.holder, 0, id, 'RETRYCOUNT', known.delivered, 'JUSTID')
    known.holder, known.delivered = '-', 0
    return remember(submission, known)
  elseif known.delivered > 0 then
    count = known.delivered + 1
    redis.call('XCLAIM', stream, group, me, 0, id, 'RETRYCOUNT', count, 'JUSTID')
    known.delivered = 0
    remember(submission, known)
  end
  taken[#taken + 1] = { challenge, id, count, job }
end

local function gone(stream, id)
  redis.call('XACK', stream, group, id)
  lost = true
end

for _ = 1, number() do
  local stream, id, submission, attempt = stream_of(arg()), arg(), arg(), number()
  local known = recall(submission)
  id = entry_of(stream, id, known, attempt)
  if id then
    drop(stream, id)
    if known and known.id == id then redis.call('HDEL', index, submission) end
  end
end

for _ = 1, number() do
  local stream, id, submission, attempt = stream_of(arg()), arg(), arg(), number()
  local known = recall(submission)
  id = entry_of(stream, id, known, attempt)
  if id and owner_of(stream, id) == me then
    redis.call('XCLAIM', stream, group, back, 0, id, 'JUSTID')
  elseif id then
    known.holder = '-'
    remember(submission, known)
  end
end

for _ = 1, number() do
  local challenge, id = arg(), arg()
  local stream = stream_of(challenge)
  if owner_of(stream, id) == me then
    if #taken >= want then
      redis.call('XCLAIM', stream, group, back, 0, id, 'RETRYCOUNT', 0, 'JUSTID')
    else
      local entry = redis.call('XRANGE', stream, id, id)[1]
      if entry then deliver(challenge, stream, id, entry[2], 1) else gone(stream, id) end
    end
  end
end

local challenges = {}
while at < #ARGV do challenges[#challenges + 1] = { id = arg(), ensured = arg() == '1' } end

local function take(challenge, quota)
  local stream, until_there = stream_of(challenge.id), #taken + quota
  local waiting = redis.pcall('XPENDING', stream, group, '-', '+', quota, back)
  if not waiting.err then
    for _, entry in ipairs(waiting) do
      local claimed = redis.call('XCLAIM', stream, group, me, 0, entry[1])[1]
      if claimed then deliver(challenge.id, stream, entry[1], claimed[2], entry[4] + 1) else gone(stream, entry[1]) end
    end
  end
  while #taken < until_there do
    local read = redis.pcall('XREADGROUP', 'GROUP', group, me, 'COUNT', until_there - #taken, 'STREAMS', stream, '>')
    if not read then
      if advance(challenge.id, until_there - #taken) == 0 then return end
    elseif read.err then
      if not string.find(read.err, 'NOGROUP', 1, true) then error(read.err) end
      redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
      if challenge.ensured then lost = true end
      challenge.ensured = true
    else
      for _, entry in ipairs(read[1][2]) do deliver(challenge.id, stream, entry[1], entry[2], 1) end
    end
  end
end

if #challenges > 0 and want > #taken then
  local share = math.ceil((want - #taken) / #challenges)
  for round = 1, 2 do
    for _, challenge in ipairs(challenges) do
      local room = want - #taken
      if room > 0 then take(challenge, round == 1 and math.min(share, room) or room) end
    end
    if #challenges == 1 then break end
  end
end
for _, challenge in ipairs(challenges) do feed(challenge.id) end

if lost then redis.call('DEL', epoch) end
return { lost and 1 or 0, taken }
`);
