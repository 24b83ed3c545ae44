-- The plugin's pure part: which suggestions fit a line, what is drawn, what parts insert. Runs inside a real Neovim;
-- writes "ok" or the failures to the file named by R1_REPORT.
local suggestion = require('r1.suggestion')
local columns = require('r1.columns')
local failures = {}

local function same(what, found, wanted)
  if not vim.deep_equal(found, wanted) then
    table.insert(failures, ('%s: found %s, wanted %s'):format(what, vim.inspect(found), vim.inspect(wanted)))
  end
end

local function item(text, first, last)
  local range = first and { start = { line = 3, character = first }, ['end'] = { line = 3, character = last } }
  return { insertText = text, range = range }
end

-- The rest of a suggestion, for a line where | is the cursor.
local function rest(line, given)
  local col = line:find('|', 1, true) - 1
  line = line:gsub('|', '')
  local one = suggestion.from_item(given, 3, line, col, 'utf-16')
  local fit = one and suggestion.fit(one, 3, line, col)
  return fit and fit.rest or nil
end

same('at the cursor', rest('pri|', item('nt(x)', 3, 3)), 'nt(x)')
same('without a range', rest('pri|', item('nt(x)')), 'nt(x)')
same('from the start of the word', rest('pri|', item('print(x)', 0, 3)), 'nt(x)')
same('over a closing bracket', rest('f(|)', item('x)', 2, 3)), 'x)')
same('what is typed differs', rest('pro|', item('print(x)', 0, 3)), nil)
same('nothing new', rest('f(|)', item(')', 2, 3)), nil)
same('the tail is not contained', rest('f(|)]', item('x)', 2, 4)), nil)
same('the cursor is outside', rest('abc|', item('x', 0, 2)), nil)
same('utf-16 columns', rest('"é😀" + na|', item('me', 10, 10)), 'me')

same('no tail', suggestion.weave('x)', ''), { { at = 0, text = 'x)' } })
same('tail at the end', suggestion.weave('a(b))', ')'), { { at = 0, text = 'a(b)' } })
same('tail in the middle', suggestion.weave('x):', ')'), { { at = 0, text = 'x' }, { at = 1, text = ':' } })

same('word', suggestion.word('  naïve_1 + 2'), '  naïve_1')
same('sign', suggestion.word('(x)'), '(')
same('word on the next line', suggestion.word('\n    return x'), '\n    return')
same('line', suggestion.line('a = 1\nb = 2'), 'a = 1')
same('next line', suggestion.line('\n    a = 1\nb = 2'), '\n    a = 1')

same('a part before the tail', suggestion.consumed(')', ')'), 0)
same('a part with the tail', suggestion.consumed(':', ')'), 1)

local moved = suggestion.advanced({ row = 3, start = 4, text = 'if x:\n  y\n  z', after = '' }, ':\n  y\n  z', ':\n  y')
same('after a part with a line break', { moved.row, moved.start, moved.text }, { 4, 0, '  y\n  z' })

for _, encoding in ipairs({ 'utf-8', 'utf-16', 'utf-32' }) do
  for _, byte in ipairs({ 0, 1, 3, 7, 8 }) do
    local column = columns.from_byte('aé😀b', byte, encoding)
    same(encoding .. ' column', columns.to_byte('aé😀b', column, encoding), byte)
  end
end
same('past the end', columns.to_byte('é', 9, 'utf-16'), 2)

vim.fn.writefile(#failures == 0 and { 'ok' } or failures, vim.env.R1_REPORT)
