-- One suggestion against the line it belongs to: does it still fit, what is left of it, what does a part of it insert.
-- Pure: knows lines, byte columns and text, no buffers and no server.
--
-- A suggestion is { row, start, text, after, command }: `text` stands for the line from byte column `start` up to the
-- text `after`, which follows it. Everything the user types in between keeps it alive as long as it agrees with `text`.
local M = {}

local columns = require('r1.columns')

--- A suggestion from the protocol's item, or nil when the item cannot be shown on this line.
---@param item table
---@param row number 0-based row of the cursor
---@param line string
---@param col number byte column of the cursor
---@param encoding string
---@return table|nil
function M.from_item(item, row, line, col, encoding)
  local text = type(item.insertText) == 'table' and item.insertText.value or item.insertText
  if type(text) ~= 'string' or text == '' then
    return nil
  end
  local first, last = col, col
  local range = item.range
  if type(range) == 'table' then
    if range.start.line ~= row or range['end'].line ~= row then
      return nil
    end
    first = columns.to_byte(line, range.start.character, encoding)
    last = columns.to_byte(line, range['end'].character, encoding)
  end
  if first > col or last < col then
    return nil
  end
  local command = type(item.command) == 'table' and item.command or nil
  text = text:gsub('\r\n?', '\n')
  return { row = row, start = first, text = text, after = line:sub(last + 1), command = command }
end

--- Where the suggestion stands when the cursor is here; nil when it no longer fits or is used up.
---@return table|nil { rest: what is still to come, tail: existing text that it covers, before the cursor's `after` }
function M.fit(suggestion, row, line, col)
  local stop = #line - #suggestion.after
  if row ~= suggestion.row or col < suggestion.start or stop < col or line:sub(stop + 1) ~= suggestion.after then
    return nil
  end
  local typed = line:sub(suggestion.start + 1, col)
  if suggestion.text:sub(1, #typed) ~= typed then
    return nil
  end
  local rest, tail = suggestion.text:sub(#typed + 1), line:sub(col + 1, stop)
  if rest == '' or rest == tail or not M.weave(rest, tail) then
    return nil
  end
  return { rest = rest, tail = tail }
end

--- The pieces of `text` that are new when `tail` stays where it is; nil when `tail` is not contained in order.
---@param text string
---@param tail string
---@return table|nil list of { at = bytes of tail before the piece, text = piece }
function M.weave(text, tail)
  if tail == '' then
    return { { at = 0, text = text } }
  end
  if text:sub(-#tail) == tail then
    return { { at = 0, text = text:sub(1, -#tail - 1) } }
  end
  local pieces, from = {}, 1
  for i = 1, #tail do
    local found = text:find(tail:sub(i, i), from, true)
    if not found then
      return nil
    end
    if found > from then
      table.insert(pieces, { at = i - 1, text = text:sub(from, found - 1) })
    end
    from = found + 1
  end
  if from <= #text then
    table.insert(pieces, { at = #tail, text = text:sub(from) })
  end
  return pieces
end

--- All of what is to come.
function M.all(rest)
  return rest
end

--- The first word of what is to come, with the white space before it.
---@param rest string
---@return string
function M.word(rest)
  return rest:match('^%s*[%w_\128-\255]+') or rest:match('^%s*[^%w_%s\128-\255]+') or rest
end

--- What is to come up to the end of its first line that is not empty.
---@param rest string
---@return string
function M.line(rest)
  return rest:match('^\n*[^\n]+') or rest
end

--- How much of the tail a part of the rest replaces: as little as leaves the remainder a fitting suggestion.
---@param remainder string
---@param tail string
---@return number bytes
function M.consumed(remainder, tail)
  for bytes = 0, #tail do
    if M.weave(remainder, tail:sub(bytes + 1)) then
      return bytes
    end
  end
  return #tail
end

--- The same suggestion after a part with line breaks was inserted: it goes on in the part's last line.
---@param suggestion table
---@param rest string what was to come before
---@param part string what of it was inserted
---@return table
function M.advanced(suggestion, rest, part)
  local _, breaks = part:gsub('\n', '')
  if breaks == 0 then
    return suggestion
  end
  local last = part:match('[^\n]*$')
  return {
    row = suggestion.row + breaks,
    start = 0,
    text = last .. rest:sub(#part + 1),
    after = suggestion.after,
    command = suggestion.command,
  }
end

return M
