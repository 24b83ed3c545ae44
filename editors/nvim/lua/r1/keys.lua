-- Keys in insert mode. A key whose action has nothing to do does what it did before.
local M = {}

local ONLY_WHEN_VISIBLE = { accept = true, accept_word = true, accept_line = true, dismiss = true }

-- Runs the mapping that the key had before ours, or gives the key itself. Neovim 0.7 names a mapping that is a Lua
-- function by a number that cannot be called.
local function before(key, previous)
  if not previous or vim.tbl_isempty(previous) or type(previous.callback) == 'number' then
    return key
  end
  if previous.callback then
    local result = previous.callback()
    return previous.expr == 1 and result or ''
  end
  return previous.expr == 1 and vim.api.nvim_eval(previous.rhs) or previous.rhs
end

---@param keys table<string, string|false>
---@param named table the keys that setup() was given: these replace what was mapped
function M.map(keys, named)
  for name, key in pairs(keys) do
    local previous = key and vim.fn.maparg(key, 'i', false, true)
    local ours = previous and previous.desc and previous.desc:match('^r1: ')
    if key and (named[name] or ours or vim.tbl_isempty(previous)) then
      M.map_one(name, key, not ours and previous or nil)
    end
  end
end

function M.map_one(name, key, previous)
  local plug = '<Plug>(r1-' .. name:gsub('_', '-') .. ')'
  vim.keymap.set('i', key, function()
    if not ONLY_WHEN_VISIBLE[name] or require('r1').visible() then
      return plug
    end
    if name == 'accept' and require('r1').accept_builtin() then
      return ''
    end
    return before(key, previous)
  end, { expr = true, remap = true, replace_keycodes = true, silent = true, desc = 'r1: ' .. name })
end

return M
