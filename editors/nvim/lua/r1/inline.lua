-- Ghost text while typing: asks the server, keeps the answer as long as it fits what is typed, inserts it.
local M = {
  --- The answer to the last request that got an error, for :checkhealth.
  last_error = nil,
}

local client = require('r1.client')
local columns = require('r1.columns')
local ghost = require('r1.ghost')
local suggestion = require('r1.suggestion')

local INVOKED, AUTOMATIC = 1, 2

local shown = nil -- { bufnr, list, index }: what the server offered at the cursor
local asked = nil -- { client, id }: the request under way
local seen = nil -- what the last automatic request was about

local function cursor()
  local bufnr = vim.api.nvim_get_current_buf()
  local position = vim.api.nvim_win_get_cursor(0)
  return bufnr, position[1] - 1, position[2], vim.api.nvim_get_current_line()
end

local function inserting()
  return vim.api.nvim_get_mode().mode:sub(1, 1) == 'i'
end

-- Neovim 0.12 draws by itself where the user has switched that on.
local function drawn_by_neovim(bufnr)
  local builtin = vim.lsp.inline_completion
  return builtin ~= nil and builtin.is_enabled({ bufnr = bufnr })
end

local function current()
  return shown and shown.list[shown.index]
end

local function clear()
  if shown then
    ghost.clear(shown.bufnr)
    shown = nil
  end
end

local function cancel()
  if asked then
    client.cancel(asked.client, asked.id)
    asked = nil
  end
end

--- Draws what is left of the suggestion at the cursor, or forgets a suggestion that no longer fits.
---@return table|nil fit
local function redraw()
  local bufnr, row, col, line = cursor()
  local item = current()
  local fit = item and shown.bufnr == bufnr and suggestion.fit(item, row, line, col)
  if not fit then
    clear()
    return nil
  end
  ghost.draw(bufnr, row, col, fit, item.after)
  return fit
end

--- Takes the server's answer, unless the buffer or the cursor has moved on.
local function show(result, row, line, col, encoding)
  local items = type(result) == 'table' and (result.items or result) or {}
  local list = {}
  for _, item in ipairs(items) do
    local one = suggestion.from_item(item, row, line, col, encoding)
    if one and suggestion.fit(one, row, line, col) then
      table.insert(list, one)
    end
  end
  clear()
  if #list > 0 then
    shown = { bufnr = vim.api.nvim_get_current_buf(), list = list, index = 1 }
    redraw()
  end
end

local function ask(trigger, done)
  local bufnr, row, col, line = cursor()
  local server = client.of(bufnr)
  if not server or drawn_by_neovim(bufnr) then
    return
  end
  cancel()
  local tick = vim.api.nvim_buf_get_changedtick(bufnr)
  local encoding = server.offset_encoding or 'utf-16'
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(bufnr) },
    position = { line = row, character = columns.from_byte(line, col, encoding) },
    context = { triggerKind = trigger },
  }
  local mine = { client = server }
  asked = mine
  mine.id = client.request(server, 'textDocument/inlineCompletion', params, bufnr, function(err, result)
    if asked ~= mine then
      return
    end
    asked = nil
    M.last_error = err and err.message or nil
    local now_bufnr, now_row, now_col = cursor()
    local moved = now_bufnr ~= bufnr or now_row ~= row or now_col ~= col
    if err or moved or vim.api.nvim_buf_get_changedtick(bufnr) ~= tick or not inserting() then
      return
    end
    show(result, row, line, col, encoding)
    if done then
      done()
    end
  end)
  if not mine.id then
    asked = nil
  end
end

--- The text or the cursor changed in insert mode.
function M.changed()
  if vim.fn.pumvisible() == 1 then
    cancel()
    clear()
    return
  end
  redraw()
  local bufnr, row, col = cursor()
  local now = table.concat({ bufnr, vim.api.nvim_buf_get_changedtick(bufnr), row, col }, ' ')
  if now ~= seen then
    seen = now
    ask(AUTOMATIC)
  end
end

--- Insert mode or the buffer was left.
function M.left()
  cancel()
  clear()
  seen = nil
end

---@return boolean
function M.visible()
  return current() ~= nil
end

--- Asks for suggestions now, even where they do not come by themselves.
function M.suggest(done)
  ask(INVOKED, done)
end

--- Shows another of the offered suggestions; asks for more when there is only one.
---@param step number 1 or -1
function M.cycle(step)
  local function turn()
    if shown and #shown.list > 1 then
      shown.index = (shown.index - 1 + step) % #shown.list + 1
      redraw()
    end
  end
  if shown and #shown.list > 1 then
    turn()
  else
    M.suggest(turn)
  end
end

--- Hides the suggestion and lets the server know that it was not wanted.
function M.dismiss()
  cancel()
  if not current() then
    return
  end
  local bufnr, row, col, line = cursor()
  clear()
  local server = client.of(bufnr)
  if server then
    local character = columns.from_byte(line, col, server.offset_encoding or 'utf-16')
    client.execute(bufnr, 'r1.dismissed', { vim.uri_from_bufnr(bufnr), { line = row, character = character } })
  end
end

local function insert(bufnr, row, col, stop, text)
  local lines = vim.split(text, '\n', { plain = true })
  vim.api.nvim_buf_set_text(bufnr, row, col, row, stop, lines)
  local last_col = #lines[#lines] + (#lines == 1 and col or 0)
  vim.api.nvim_win_set_cursor(0, { row + #lines, last_col })
end

-- Inserts what `part_of` cuts from what is to come; false when there is nothing.
local function accept(part_of)
  local fit = redraw()
  if not fit then
    return false
  end
  cancel()
  local item = current()
  local bufnr, row, col, line = cursor()
  local part = part_of(fit.rest)
  local whole = part == fit.rest
  local remainder = fit.rest:sub(#part + 1)
  local stop = whole and #line - #item.after or col + suggestion.consumed(remainder, fit.tail)
  insert(bufnr, row, col, stop, part)
  if whole then
    clear()
    if item.command then
      client.execute(bufnr, item.command.command, item.command.arguments)
    end
  else
    shown = { bufnr = bufnr, list = { suggestion.advanced(item, fit.rest, part) }, index = 1 }
    redraw()
  end
  return true
end

---@return boolean inserted
function M.accept()
  return accept(suggestion.all)
end

function M.accept_word()
  return accept(suggestion.word)
end

function M.accept_line()
  return accept(suggestion.line)
end

return M
