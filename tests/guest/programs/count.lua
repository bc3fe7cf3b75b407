-- Counts the words of its input and writes SQL about them.
local words = {}
for word in io.lines() do words[word] = (words[word] or 0) + 1 end
print("CREATE TABLE words(word TEXT, times INT);")
for word, times in pairs(words) do print(("INSERT INTO words VALUES('%s', %d);"):format(word, times)) end
print("SELECT * FROM words ORDER BY word;")
