import { createHash } from "node:crypto";
import type { Script } from "../../queue/redis/script.ts";

/** Sessions keep their grader for this long without a refresh. */
export const SERVER_MS = 15_000;
/** How long a session that a grader has left refuses an earlier one. */
const LEFT_MS = 60_000;
/** The time after which messages to a process that does not read them are dropped. */
const INBOX_MS = 60_000;
const JOURNAL_MS = 2 * 24 * 3600 * 1000;

// Every process has an inbox, a list of messages. For each session there are: its server,
// `<process>/<number>`, or "-" when the grader has left it; its owner, the latest server, which stays when
// the server has expired, so that an earlier one does not come back; the processes that wait for a server;
// the journal, a list of `[id of the request, entry]` as JSON; and whether the agent has submitted, beside
// the journal, because graders of earlier releases take every element for a reset or step.
const COMMON = `
local steps, call = KEYS[1] .. ':steps:', redis.call
local function push(process, message)
  local inbox = steps .. 'inbox:' .. process
  -- One that is read is empty most of the time, and new with each message.
  if call('RPUSH', inbox, message) == 1 then call('PEXPIRE', inbox, ${INBOX_MS}) end
end
`;

const CLAIM = `
local function claim(session, me, message)
  call('SET', steps .. 'server:' .. session, me, 'PX', ${SERVER_MS})
  call('SET', steps .. 'owner:' .. session, me, 'PX', ${JOURNAL_MS})
  local waiting = steps .. 'waiting:' .. session
  for _, process in ipairs(call('SMEMBERS', waiting)) do push(process, message) end
  call('DEL', waiting)
end
`;

/**
 * Sends requests. Args: process, then session and message of each. Replies with the server of each; "" when
 * none serves the session.
 */
export const SEND = script(`
local me, servers = ARGV[1], {}
for i = 2, #ARGV, 2 do
  local session, message = ARGV[i], ARGV[i + 1]
  local server = call('GET', steps .. 'server:' .. session)
  if server and server ~= '-' then
    push(string.match(server, '^[^/]+'), message)
  else
    server = ''
    local waiting = steps .. 'waiting:' .. session
    call('SADD', waiting, me)
    call('PEXPIRE', waiting, ${INBOX_MS})
  end
  servers[#servers + 1] = server
end
return servers
`);

/**
 * Takes a session over. Args: server, session, and the message that announces it. Replies with the last
 * element of its journal.
 */
export const SERVE = script(`${CLAIM}
local me, session, message = ARGV[1], ARGV[2], ARGV[3]
claim(session, me, message)
return call('LINDEX', steps .. 'journal:' .. session, -1)
`);

/**
 * Records and sends answers. Args: for each: server, session, process that asked, message, element of the
 * journal, "" or "submit", and "1" when it may be there. Replies with 1 for each, or 0 when another grader
 * has taken the session over.
 */
export const REPLY = script(`
local replies = {}
for i = 1, #ARGV, 6 do
  local me, session, process, message, element, again = unpack(ARGV, i, i + 5)
  local server = call('GET', steps .. 'server:' .. session) or call('GET', steps .. 'owner:' .. session)
  if server and server ~= me then
    replies[#replies + 1] = 0
  else
    local journal = steps .. 'journal:' .. session
    if element == 'submit' then call('SET', steps .. 'submitted:' .. session, '1', 'PX', ${JOURNAL_MS})
    elseif element ~= '' and (again == '0' or call('LINDEX', journal, -1) ~= element) then
      if call('RPUSH', journal, element) == 1 then call('PEXPIRE', journal, ${JOURNAL_MS}) end
    end
    push(process, message)
    replies[#replies + 1] = 1
  end
end
return replies
`);

/**
 * Keeps sessions. Args: server, session and announcing message of each. Replies with 1 for each, or 0 when
 * another grader has taken the session over. A session that Redis has lost is claimed again.
 */
export const REFRESH = script(`${CLAIM}
local replies = {}
for i = 1, #ARGV, 3 do
  local me, session, message = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local key, owner = steps .. 'server:' .. session, steps .. 'owner:' .. session
  local server = call('GET', key)
  local latest = server or call('GET', owner)
  local kept = not latest or latest == me
  if kept and not server then claim(session, me, message)
  elseif kept then
    call('PEXPIRE', key, ${SERVER_MS})
    call('PEXPIRE', owner, ${JOURNAL_MS})
    call('PEXPIRE', steps .. 'journal:' .. session, ${JOURNAL_MS})
  end
  replies[#replies + 1] = kept and 1 or 0
end
return replies
`);

/** Leaves a session to the next grader. Args: server, session. */
export const LEAVE = script(`
local me, key = ARGV[1], steps .. 'server:' .. ARGV[2]
if call('GET', key) == me then call('SET', key, '-', 'PX', ${LEFT_MS}) end
`);

function script(lua: string): Script {
  const whole = COMMON + lua;
  return { lua: whole, sha: createHash("sha1").update(whole).digest("hex") };
}
