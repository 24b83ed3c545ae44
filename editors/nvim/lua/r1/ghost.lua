-- Draws what a suggestion would add, as virtual text. Knows nothing of servers.
local M = {}

local suggestion = require('r1.suggestion')

M.namespace = vim.api.nvim_create_namespace('r1_ghost')
M.highlight = 'R1Ghost'

-- Text between characters needs Neovim 0.10; before, the text lies over what follows the cursor, which is redrawn.
local can_inline = vim.fn.has('nvim-0.10') == 1

---@param bufnr number
function M.clear(bufnr)
  if vim.api.nvim_buf_is_valid(bufnr) then
    vim.api.nvim_buf_clear_namespace(bufnr, M.namespace, 0, -1)
  end
end

--- Draws the suggestion's rest at the cursor, in place of what was drawn before.
---@param bufnr number
---@param row number
---@param col number byte column of the cursor
---@param fit table from suggestion.fit
---@param after string what follows the tail on the line
function M.draw(bufnr, row, col, fit, after)
  M.clear(bufnr)
  local lines = vim.split(fit.rest, '\n', { plain = true })
  local one_line = #lines == 1
  local pieces = can_inline and (one_line or after == '') and suggestion.weave(lines[1], fit.tail)
  if pieces then
    for _, piece in ipairs(pieces) do
      M.mark(bufnr, row, col + piece.at, { virt_text = M.chunks(piece.text), virt_text_pos = 'inline' })
    end
  else
    M.overlay(bufnr, row, col, lines[1], one_line and after or '', fit.tail .. after)
    lines[#lines] = lines[#lines] .. after
  end
  if not one_line then
    M.mark(bufnr, row, col, { virt_lines = vim.tbl_map(M.chunks, vim.list_slice(lines, 2)) })
  end
end

--- Lies over `covered`, the line from the cursor on: new text, then `kept`, then blanks as far as needed.
function M.overlay(bufnr, row, col, text, kept, covered)
  local chunks = M.chunks(text)
  table.insert(chunks, { kept, 'Normal' })
  local missing = vim.fn.strdisplaywidth(covered) - vim.fn.strdisplaywidth(text .. kept)
  table.insert(chunks, { (' '):rep(missing), 'Normal' })
  M.mark(bufnr, row, col, { virt_text = chunks, virt_text_pos = 'overlay' })
end

function M.chunks(text)
  return { { text:gsub('\t', (' '):rep(vim.bo.tabstop)), M.highlight } }
end

function M.mark(bufnr, row, col, options)
  options.hl_mode = 'combine'
  vim.api.nvim_buf_set_extmark(bufnr, M.namespace, row, col, options)
end

return M
