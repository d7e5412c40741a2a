/**
 * Lua functions for the jobs that wait outside their stream. A stream is read in order, so only one unread
 * entry of it is kept, for graders that block on it. The other jobs of the challenge wait here, and enter the
 * stream when a grader has a free slot for them: first those of the fair key that was served least recently.
 * The stream of an older version may have more unread entries; they are read first.
 *
 * Keys: `waiting:<challenge>` sorts the fair keys that have waiting jobs by when they were served, or by
 * arrival before all others if they never were; `waiting:<challenge>:<key>` sorts their submissions;
 * `waiting` names the challenges; `served:<challenge>` has when each key was served, until no job of the
 * challenge waits. The index has "~<key>" as the entry, and the job's text.
 */
export const WAITING_LUA = `
local waiting = base .. ':waiting'
local NEVER_SERVED = -1e15
local function keys_of(challenge) return base .. ':waiting:' .. challenge end
local function served_of(challenge) return base .. ':served:' .. challenge end
local function count_up() return redis.call('INCR', base .. ':served') end
local function fair_key_of(id) return string.match(id, '^~(.*)$') end

local function has_unread(stream)
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  if groups.err then return false end
  local last = '0-0'
  for _, fields in ipairs(groups) do
    local about = {}
    for i = 1, #fields, 2 do about[fields[i]] = fields[i + 1] end
    if about.name == group then last = about['last-delivered-id'] end
  end
  return #redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', 1) > 0
end

-- Whether the queue has the job, waiting or in its stream.
local function is_here(submission, known)
  local key = fair_key_of(known.id)
  if not key then return exists(stream_of(known.challenge), known.id) end
  local keys = keys_of(known.challenge)
  return redis.call('ZSCORE', keys, key) and redis.call('ZSCORE', keys .. ':' .. key, submission) and true or false
end

local function discard(submission, known)
  local key, keys = fair_key_of(known.id), keys_of(known.challenge)
  if not key then return drop(stream_of(known.challenge), known.id) end
  redis.call('ZREM', keys .. ':' .. key, submission)
  if redis.call('EXISTS', keys .. ':' .. key) == 0 then redis.call('ZREM', keys, key) end
end

local function add_waiting(submission, known)
  known.id = add(stream_of(known.challenge), submission, known.attempt, known.job)
  known.job = nil
  remember(submission, known)
end

-- Moves a waiting job into its stream, out of turn.
local function enter(submission, known)
  discard(submission, known)
  add_waiting(submission, known)
end

-- Moves up to so many waiting jobs into the stream, in turn. Returns their number.
local function advance(challenge, count)
  local keys, moved = keys_of(challenge), 0
  while moved < count do
    local key = redis.call('ZPOPMIN', keys)[1]
    if not key then
      redis.call('SREM', waiting, challenge)
      return moved
    end
    local submissions, time = keys .. ':' .. key, count_up()
    -- The only key has no other to take turns with.
    local several = redis.call('EXISTS', keys) == 1
    local popped = redis.call('ZPOPMIN', submissions, several and 1 or math.min(count - moved, 1000))
    redis.call('HSET', served_of(challenge), key, time)
    if redis.call('EXISTS', submissions) == 1 then redis.call('ZADD', keys, time, key) end
    for i = 1, #popped, 2 do
      local known = recall(popped[i])
      if known and known.id == '~' .. key then add_waiting(popped[i], known) else redis.call('DEL', epoch) end
      moved = moved + 1
    end
  end
  return moved
end

-- A grader of an older version reads the stream only.
local function all_graders_advance()
  local time, graders = now(), redis.call('HVALS', base .. ':graders')
  for _, about in ipairs(graders) do
    local lease_end = tonumber(string.match(about, '^%d+'))
    if lease_end > time and not string.find(about, '"advances":true', 1, true) then return false end
  end
  return true
end

-- Keeps an unread entry in the stream while jobs wait, which wakes the next grader that blocks on it.
local function feed(challenge)
  if redis.call('EXISTS', keys_of(challenge)) == 1 and not has_unread(stream_of(challenge)) then advance(challenge, 1) end
end

local function feed_graders(challenges)
  local advancing = #challenges == 0 or all_graders_advance()
  for _, challenge in ipairs(challenges) do
    if advancing then feed(challenge) else advance(challenge, math.huge) end
  end
end

local function put(submission, attempt, challenge, key, job)
  local keys, stream = keys_of(challenge), stream_of(challenge)
  local time = count_up()
  local known = { attempt = attempt, holder = '-', delivered = 0, challenge = challenge }
  if redis.call('EXISTS', keys) == 0 and not has_unread(stream) then
    redis.call('DEL', served_of(challenge))
    redis.call('HSET', served_of(challenge), key, time)
    known.id = add(stream, submission, attempt, job)
  else
    local submissions = keys .. ':' .. key
    redis.call('ZADD', submissions, time, submission)
    if redis.call('ZCARD', submissions) == 1 then
      local last = redis.call('HGET', served_of(challenge), key)
      redis.call('ZADD', keys, last or NEVER_SERVED + time, key)
      redis.call('SADD', waiting, challenge)
    end
    known.id, known.job = '~' .. key, job
  end
  remember(submission, known)
end
`;
