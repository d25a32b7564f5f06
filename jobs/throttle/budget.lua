-- The budget towards one provider, over all processes and hosts. Everything that has to be atomic is in here.
--
-- KEYS[1]  sorted set: id of a grant -> the moment (ms) that it counts from. Units and tokens of a grant count for one
--          window from that moment. While its call is under way the moment lies in the future, at the call's deadline:
--          the call reaches the provider before it ends, so a window counted from its end is never too short.
-- KEYS[2]  hash: id of a grant -> "units:tokens"
-- KEYS[3]  the day's counter of units
-- KEYS[4]  hash of state: `known` (set once the history is known), `unknown_until` (ms, while the last minute can't be
--          told), `blocked_until` (ms)
-- ARGV[1]  command; the rest is described at each. Limits of 0 mean unlimited. Time is Redis's own.

local log, amounts, day, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local command = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local WINDOW = tonumber(ARGV[2])
local DAY_TTL = 3 * 24 * 3600

local function forget_old()
  local old = redis.call('ZRANGEBYSCORE', log, '-inf', now - WINDOW)
  for _, id in ipairs(old) do redis.call('HDEL', amounts, id) end
  if #old > 0 then redis.call('ZREMRANGEBYSCORE', log, '-inf', now - WINDOW) end
end

local function parse(amount)
  local units, tokens = string.match(amount, '^(%d+):(%d+)$')
  return tonumber(units), tonumber(tokens)
end

local function used()
  local units, tokens = 0, 0
  for _, amount in ipairs(redis.call('HVALS', amounts)) do
    local u, t = parse(amount)
    units, tokens = units + u, tokens + t
  end
  return units, tokens
end

-- The milliseconds until so many units (or tokens) of the window are free again.
local function wait_for(needed_units, needed_tokens)
  local freed_units, freed_tokens = 0, 0
  local entries = redis.call('ZRANGE', log, 0, -1, 'WITHSCORES')
  for i = 1, #entries, 2 do
    local amount = redis.call('HGET', amounts, entries[i])
    if amount then
      local u, t = parse(amount)
      freed_units, freed_tokens = freed_units + u, freed_tokens + t
      if freed_units >= needed_units and freed_tokens >= needed_tokens then
        return math.max(1, tonumber(entries[i + 1]) + WINDOW - now)
      end
    end
  end
  return WINDOW
end

local function keep()
  local ttl = math.ceil(WINDOW / 1000) + 3600
  redis.call('EXPIRE', log, ttl)
  redis.call('EXPIRE', amounts, ttl)
end

-- learn <blocked_for ms> <units spent today>: tell a Redis that lost its memory what is known from elsewhere.
if command == 'learn' then
  if redis.call('HSETNX', state, 'known', now) == 1 then
    redis.call('HSET', state, 'unknown_until', now + tonumber(ARGV[3]))
    if tonumber(ARGV[4]) > 0 then redis.call('SET', day, ARGV[4], 'EX', DAY_TTL) end
  end
  return {1}
end

-- block <ms>: nobody spends anything for a while; a longer block that is there stays.
if command == 'block' then
  local until_ = math.max(tonumber(redis.call('HGET', state, 'blocked_until') or '0'), now + tonumber(ARGV[3]))
  redis.call('HSET', state, 'blocked_until', until_)
  return {until_ - now}
end

-- unblock: as `block` never happened.
if command == 'unblock' then
  redis.call('HDEL', state, 'blocked_until')
  return {1}
end

-- done <id>: the call has ended; its window starts now.
if command == 'done' then
  if redis.call('ZSCORE', log, ARGV[3]) then redis.call('ZADD', log, now, ARGV[3]) end
  return {1}
end

-- refund <id> <units kept>: give back units that will not be sent.
if command == 'refund' then
  local amount = redis.call('HGET', amounts, ARGV[3])
  if not amount then return {0} end
  local units, tokens = parse(amount)
  local kept = math.min(units, tonumber(ARGV[4]))
  if units - kept > 0 and redis.call('EXISTS', day) == 1 then
    if redis.call('DECRBY', day, units - kept) < 0 then redis.call('SET', day, 0, 'EX', DAY_TTL) end
  end
  if kept == 0 then
    redis.call('HDEL', amounts, ARGV[3])
    redis.call('ZREM', log, ARGV[3])
  else
    redis.call('HSET', amounts, ARGV[3], kept .. ':' .. tokens)
  end
  return {units - kept}
end

-- From here on a lost memory matters.
if redis.call('HEXISTS', state, 'known') == 0 then return {-1, 0, 0} end
forget_old()
local units_used, tokens_used = used()
local today = tonumber(redis.call('GET', day) or '0')
local blocked_until = tonumber(redis.call('HGET', state, 'blocked_until') or '0')
local unknown_until = tonumber(redis.call('HGET', state, 'unknown_until') or '0')
local blocked_for = math.max(0, blocked_until - now, unknown_until - now)

local function left(limit, spent)
  if limit == 0 then return math.huge end
  return math.max(0, limit - spent)
end

-- look <units/min> <tokens/min> <units/day>: what is left, for people.
if command == 'look' then
  return {units_used, tokens_used, today, blocked_for}
end

-- reserve <id> <wanted> <in flight ms> <units/min> <tokens/min> <units/day> <reserves of each>
-- returns {units granted, units of them that ordinary work may use, ms to wait when 0 are granted}
if command == 'reserve' then
  local id, wanted, flight = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
  local per_minute, tokens_pm, per_day = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
  local r_minute, r_tokens, r_day = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
  if blocked_for > 0 then return {0, 0, blocked_for} end
  if left(tokens_pm, tokens_used) == 0 then return {0, 0, wait_for(0, 1)} end
  local all = math.min(wanted, left(per_minute, units_used), left(per_day, today))
  if all <= 0 then
    if left(per_day, today) <= 0 then return {0, 0, -1} end
    return {0, 0, wait_for(1, 0)}
  end
  local ordinary = math.min(all, left(per_minute, units_used + r_minute), left(per_day, today + r_day))
  if left(tokens_pm, tokens_used + r_tokens) == 0 then ordinary = 0 end
  local wait = 0
  if ordinary == 0 then
    if left(per_day, today + r_day) == 0 then
      wait = -1
    else
      local units = per_minute > 0 and math.max(0, units_used + r_minute + 1 - per_minute) or 0
      local tokens = tokens_pm > 0 and math.max(0, tokens_used + r_tokens + 1 - tokens_pm) or 0
      wait = wait_for(units, tokens)
    end
  end
  redis.call('ZADD', log, now + flight, id)
  redis.call('HSET', amounts, id, all .. ':0')
  redis.call('INCRBY', day, all)
  redis.call('EXPIRE', day, DAY_TTL)
  keep()
  return {all, ordinary, wait}
end

-- spend <id> <tokens> <tokens/min> <reserve> <texts>: count the tokens of a grant's texts before they are sent.
-- returns {1, 0} or {0, tokens that would fit now, ms to wait}
if command == 'spend' then
  local id, tokens, tokens_pm, reserve = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
  local amount = redis.call('HGET', amounts, id)
  if not amount then return {-2, 0, 0} end
  local room = left(tokens_pm, tokens_used + reserve)
  -- A text that is larger than what there ever is goes alone, when nothing else does: it would never fit.
  local alone = tonumber(ARGV[7]) == 1 and tokens_used == 0
  if tokens > room and not alone then
    return {0, room, wait_for(0, tokens - room)}
  end
  local units = parse(amount)
  redis.call('HSET', amounts, id, units .. ':' .. tokens)
  return {1, 0, 0}
end

return redis.error_reply('unknown command ' .. command)
