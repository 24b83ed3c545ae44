-- Columns: the protocol counts utf-8, utf-16 or utf-32 units, Neovim counts bytes. Pure.
local M = {}

-- Units of one character, by encoding, from its first byte.
local function units(byte, encoding)
  if encoding == 'utf-16' and byte >= 0xF0 then
    return 2
  end
  return 1
end

local function char_length(byte)
  if byte >= 0xF0 then
    return 4
  elseif byte >= 0xE0 then
    return 3
  elseif byte >= 0xC0 then
    return 2
  end
  return 1
end

--- The byte column of a protocol column; past the end of the line it is the end.
---@param line string
---@param column number in units of the encoding
---@param encoding string
---@return number
function M.to_byte(line, column, encoding)
  if encoding == 'utf-8' then
    return math.min(column, #line)
  end
  local at = 1
  while column > 0 and at <= #line do
    local first = line:byte(at)
    column = column - units(first, encoding)
    at = at + char_length(first)
  end
  return math.min(at - 1, #line)
end

--- The protocol column of a byte column.
---@param line string
---@param byte number
---@param encoding string
---@return number
function M.from_byte(line, byte, encoding)
  byte = math.min(byte, #line)
  if encoding == 'utf-8' then
    return byte
  end
  local column, at = 0, 1
  while at <= byte do
    local first = line:byte(at)
    column = column + units(first, encoding)
    at = at + char_length(first)
  end
  return column
end

return M
