-- What setup() was given, with every hole filled; a wrong value is one sentence and a default.
local M = {}

local DEFAULTS = {
  -- The server. A name is looked up in PATH.
  cmd = { 'r1-lsp', 'serve', '--stdio' },
  -- File types to start for; { '*' } for all.
  filetypes = { 'python', 'javascript', 'javascriptreact', 'typescript', 'typescriptreact' },
  -- A folder that holds one of these, above the file, is the workspace.
  root_markers = { '.git', 'pyproject.toml', 'setup.py', 'package.json', 'tsconfig.json' },
  -- The server's own settings: section `r1` of docs/editors.md.
  settings = {},
  -- 'auto': drawn by this plugin, unless vim.lsp.inline_completion is enabled for the buffer;
  -- 'builtin': enables vim.lsp.inline_completion (Neovim 0.12); 'off': none.
  ghost_text = 'auto',
  -- Keys in insert mode; false for none. A key that is mapped already is left alone, unless setup() names it.
  keys = {
    accept = '<M-l>',
    accept_word = '<M-Right>',
    accept_line = '<M-C-Right>',
    dismiss = '<C-]>',
    suggest = '<M-\\>',
    next = '<M-n>',
    previous = '<M-p>',
  },
  -- Changes to the client's capabilities, for completion plugins that need it; nil for none.
  capabilities = nil,
}

local TYPES = {
  cmd = 'table',
  filetypes = 'table',
  root_markers = 'table',
  settings = 'table',
  ghost_text = 'string',
  keys = 'table',
  capabilities = 'table',
}

local GHOST_TEXT = { auto = true, builtin = true, off = true }

--- Fills the holes of what a user wrote.
---@param given table|nil
---@return table options
---@return string[] complaints one sentence each
function M.read(given)
  local options, complaints = vim.deepcopy(DEFAULTS), {}
  for key, value in pairs(given or {}) do
    local wanted = TYPES[key]
    if not wanted then
      table.insert(complaints, ('unknown option "%s" is ignored'):format(key))
    elseif type(value) ~= wanted then
      table.insert(complaints, ('option "%s" must be a %s, not a %s'):format(key, wanted, type(value)))
    elseif key == 'keys' then
      options.keys = M.keys(value, complaints)
    else
      options[key] = vim.deepcopy(value)
    end
  end
  if not GHOST_TEXT[options.ghost_text] then
    table.insert(complaints, ('ghost_text must be auto, builtin or off, not "%s"'):format(options.ghost_text))
    options.ghost_text = DEFAULTS.ghost_text
  end
  options.named_keys = given and type(given.keys) == 'table' and given.keys or {}
  return options, complaints
end

function M.keys(given, complaints)
  local keys = vim.deepcopy(DEFAULTS.keys)
  for name, key in pairs(given) do
    if keys[name] == nil then
      table.insert(complaints, ('unknown key name "%s" is ignored'):format(name))
    elseif key ~= false and type(key) ~= 'string' then
      table.insert(complaints, ('keys.%s must be a string or false'):format(name))
    else
      keys[name] = key
    end
  end
  return keys
end

return M
