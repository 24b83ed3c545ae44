-- Neovim 0.12's own ghost text, stood in for by a table with the functions that its documentation names: what the plugin
-- asks of it, and that it does not draw beside it.
local failures, calls = {}, {}

local function check(what, holds)
  if not holds then
    table.insert(failures, what)
  end
end

vim.lsp.inline_completion = {
  enable = function(on)
    table.insert(calls, { 'enable', on })
  end,
  is_enabled = function(filter)
    return filter.bufnr ~= nil
  end,
  get = function()
    table.insert(calls, { 'get' })
    return true
  end,
}

local r1 = require('r1')
r1.setup({ ghost_text = 'builtin', filetypes = {} })
check('enabled once', vim.deep_equal(calls, { { 'enable', true } }))
check('its suggestion is taken', r1.accept_builtin())
check('get was called', vim.deep_equal(calls[2], { 'get' }))

r1.setup({ ghost_text = 'auto', filetypes = {} })
local asked = false
require('r1.client').of = function()
  return { offset_encoding = 'utf-16', request = function()
    asked = true
  end }
end
require('r1.inline').changed()
check('nothing is asked where Neovim draws', not asked)

vim.fn.writefile(#failures == 0 and { 'ok' } or failures, vim.env.R1_REPORT)
