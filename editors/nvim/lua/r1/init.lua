-- Local code completion through r1-lsp. See :help r1.
local M = {}

local client = require('r1.client')
local config = require('r1.config')
local inline = require('r1.inline')

local options = nil

--- Starts the server for the chosen file types, from now on. May be called again with other options.
---@param given table|nil see :help r1-options
function M.setup(given)
  local complaints
  options, complaints = config.read(given)
  for _, complaint in ipairs(complaints) do
    client.say(complaint, vim.log.levels.WARN)
  end
  client.on_edit(M.ask_and_edit)
  local group = vim.api.nvim_create_augroup('r1', {})
  local function on(events, callback, pattern)
    vim.api.nvim_create_autocmd(events, { group = group, callback = callback, pattern = pattern })
  end
  on('FileType', M.attach, options.filetypes)
  on('BufFilePost', M.attach)
  if options.ghost_text == 'auto' then
    on({ 'InsertEnter', 'TextChangedI', 'TextChangedP', 'CursorMovedI' }, inline.changed)
    on({ 'InsertLeave', 'BufLeave' }, inline.left)
  elseif options.ghost_text == 'builtin' then
    M.use_builtin()
  end
  require('r1.keys').map(options.keys, options.named_keys)
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(bufnr) then
      M.attach({ buf = bufnr })
    end
  end
end

function M.attach(event)
  local filetype = vim.bo[event.buf].filetype
  local wanted = vim.tbl_contains(options.filetypes, filetype) or vim.tbl_contains(options.filetypes, '*')
  if wanted and filetype ~= '' then
    client.attach(event.buf, options)
  end
end

function M.use_builtin()
  if vim.lsp.inline_completion then
    vim.lsp.inline_completion.enable(true)
  else
    client.say('ghost_text = "builtin" needs Neovim 0.12 or newer; there is no ghost text', vim.log.levels.WARN)
  end
end

--- The options in force; nil before setup().
function M.options()
  return options
end

--- Whether Neovim's own ghost text (0.12) was asked for, had something, and takes it.
---@return boolean
function M.accept_builtin()
  return options.ghost_text == 'builtin' and vim.lsp.inline_completion ~= nil and vim.lsp.inline_completion.get()
end

--- Inserts the suggestion. False when there is none.
M.accept = inline.accept
M.accept_word = inline.accept_word
M.accept_line = inline.accept_line
M.dismiss = inline.dismiss
M.visible = inline.visible

function M.suggest()
  inline.suggest()
end

function M.next()
  inline.cycle(1)
end

function M.previous()
  inline.cycle(-1)
end

--- The engine's last status: { phase, detail, fraction, model }.
function M.status()
  return client.status
end

--- A few characters for a status line: "", "r1 ...", "r1 42%", "r1", "r1 failed".
---@return string
function M.statusline()
  local status = client.status
  if status.phase == 'ready' then
    return 'r1'
  elseif status.phase == 'off' then
    return ''
  elseif status.phase == 'failed' or status.phase == 'stopped' then
    return 'r1 ' .. status.phase
  end
  return status.fraction and ('r1 %d%%%%'):format(math.floor(status.fraction * 100)) or 'r1 ...'
end

function M.show_status()
  client.say(client.sentence())
end

function M.show_why()
  client.execute(0, 'r1.why', {}, function(reasons)
    require('r1.window').open('r1: why', M.reason_lines(reasons))
  end)
end

-- Newest first: place and sentence.
function M.reason_lines(reasons)
  if type(reasons) ~= 'table' or #reasons == 0 then
    return { 'Nothing was asked for yet.' }
  end
  return vim.tbl_map(function(reason)
    local file = vim.fn.fnamemodify(reason.path or '?', ':~:.')
    return ('%s:%d:%d  %s'):format(file, reason.line, reason.column, reason.sentence)
  end, reasons)
end

function M.restart()
  client.execute(0, 'r1.restartEngine', {})
end

--- Offers the fixes for the error in the cursor's line; from Neovim 0.8 on a single one is applied at once.
function M.fix()
  local only = { 'quickfix' }
  if vim.fn.has('nvim-0.8') == 1 then
    vim.lsp.buf.code_action({ context = { only = only }, apply = true })
  else
    vim.lsp.buf.code_action({ only = only, diagnostics = vim.lsp.diagnostic.get_line_diagnostics() })
  end
end

function M.write_docstring()
  local place = M.range(vim.fn.line('.'), vim.fn.line('.')).start
  client.execute(0, 'r1.writeDocstring', { vim.uri_from_bufnr(0), place })
end

--- Asks for a sentence, then edits the selection that was made last: what the code action "Edit selection" runs.
function M.ask_and_edit()
  local first, last = vim.fn.line("'<"), vim.fn.line("'>")
  vim.ui.input({ prompt = 'Edit the selection (say what should change): ' }, function(sentence)
    if sentence and vim.trim(sentence) ~= '' then
      M.edit({ line1 = math.max(first, 1), line2 = math.max(last, 1), args = vim.trim(sentence) })
    end
  end)
end

--- :R1Edit: the selected lines (or the cursor's) and the sentence.
---@param args table of nvim_create_user_command
function M.edit(args)
  client.execute(0, 'r1.editSelection', { vim.uri_from_bufnr(0), M.range(args.line1, args.line2), args.args })
end

--- :R1Convert FOLDER FILE [TYPE]: makes a GGUF file of a checkpoint; the server reports the progress.
---@param args table of nvim_create_user_command
function M.convert(args)
  local source, target, kind = unpack(args.fargs)
  if not target then
    client.say('R1Convert wants the folder of a checkpoint and the GGUF file to make', vim.log.levels.WARN)
    return
  end
  local function whole(path)
    return vim.fn.fnamemodify(vim.fn.expand(path), ':p'):gsub('(.)/$', '%1')
  end
  local file = whole(target)
  client.execute(0, 'r1.convertModel', { (whole(source)), file, kind }, function()
    client.say('made ' .. file)
  end)
end

-- Whole lines as a protocol range. The end is the start of the next line where there is one.
function M.range(first, last)
  local stop = { line = last, character = 0 }
  if last >= vim.api.nvim_buf_line_count(0) then
    local server = client.of(0)
    local line = vim.fn.getline(last)
    local encoding = server and server.offset_encoding or 'utf-16'
    stop = { line = last - 1, character = require('r1.columns').from_byte(line, #line, encoding) }
  end
  return { start = { line = first - 1, character = 0 }, ['end'] = stop }
end

return M
