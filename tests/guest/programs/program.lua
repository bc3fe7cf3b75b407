-- What Lua programs do; run here and on the host by the same interpreter.
print(_VERSION, arg[1], #arg)

-- Closures, coroutines, metatables.
local function range(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local sum = 0
for i in range(1000) do sum = sum + i end
print(sum)
local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({x = a.x + b.x}, Vector) end
Vector.__tostring = function(v) return "<" .. v.x .. ">" end
print(tostring(setmetatable({x = 1}, Vector) + setmetatable({x = 2}, Vector)))
local order = {}
do
  local guard <close> = setmetatable({}, {__close = function() order[#order + 1] = "closed" end})
  order[#order + 1] = "open"
end
print(table.concat(order, ","))

-- Strings, numbers, tables.
print(("kamen 12.5"):match("(%a+) (%d+)%.(%d+)"), ("a,b,c"):gsub(",", ";"))
print(string.format("%5.2f %x %q %s", math.pi, 255, "a\nb", 7 // 2), 1 << 40, 2 ^ 0.5, math.maxinteger + 1 == math.mininteger)
print(string.pack("<i4z", 7, "x"):byte(1, -1))
print(utf8.len("仮面"), utf8.char(0x4eee, 0x9762))
local words = {}
for word in ("the quick brown fox jumps over the lazy dog"):gmatch("%a+") do words[#words + 1] = word end
table.sort(words)
print(table.concat(words, " "), select("#", table.unpack(words)))
local primes, sieve = 0, {}
for i = 2, 20000 do
  if not sieve[i] then
    primes = primes + 1
    for j = i * i, 20000, i do sieve[j] = true end
  end
end
print(primes)

-- Errors.
print(select(2, pcall(error, {code = 1})).code)
print(select(2, pcall(function() local t = nil; return t.x end)))
print(xpcall(function() error("deep", 0) end, function(message) return "handled " .. message end))
print(load("return 1 +"))

-- Garbage.
local kept = setmetatable({}, {__mode = "v"})
for i = 1, 200 do kept[i] = {string.rep("x", 1000)} end
collectgarbage()
print(#kept == 0, collectgarbage("count") < 4000)

-- Files and processes.
local file = assert(io.open("lua.txt", "w+"))
for i = 1, 100 do file:write(i, " ", i * i, "\n") end
file:seek("set", 0)
local first, square = file:read("n", "n")
print(first, square, file:seek("end"), file:close())
local count = 0
for line in io.lines("lua.txt") do count = count + #line end
print(count, os.rename("lua.txt", "moved.txt"), os.remove("moved.txt"), io.open("moved.txt"))
local pipe = io.popen("echo from a pipe; exit 3")
print(pipe:read("a"), pipe:close())
print(os.execute("kill -TERM $$"))
print(os.date("!%Y-%m-%d", 86400), os.time() > 1e9, os.getenv("NONE"), os.clock() >= 0)
io.stdout:write("end\n")
os.exit(5, true)
