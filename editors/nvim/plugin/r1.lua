-- Commands, <Plug> maps and the highlight group. Nothing starts before require('r1').setup() is called.
if vim.g.loaded_r1 then
  return
end
vim.g.loaded_r1 = true

if vim.fn.has('nvim-0.7') == 0 then
  vim.notify('r1: Neovim 0.7 or newer is needed', vim.log.levels.ERROR)
  return
end

local function command(name, call, options)
  vim.api.nvim_create_user_command(name, function(args)
    require('r1')[call](args)
  end, options)
end

command('R1Status', 'show_status', { desc = 'Say how the engine is doing' })
command('R1Why', 'show_why', { desc = 'Say why suggestions were or were not shown' })
command('R1Restart', 'restart', { desc = 'Restart the engine' })
command('R1Fix', 'fix', { desc = 'Offer fixes for the error at the cursor' })
command('R1Docstring', 'write_docstring', { desc = 'Write the docstring of the function at the cursor' })
command('R1Convert', 'convert', { desc = 'Make a GGUF file of a checkpoint', nargs = '+', complete = 'file' })
command('R1Edit', 'edit', { desc = 'Change the selected lines as the sentence says', nargs = '+', range = true })

-- The undo break (<C-g>u) lets one `u` take back what was accepted and nothing else.
local inserts = {
  ['accept'] = '<C-g>u<Cmd>lua require("r1").accept()<CR>',
  ['accept-word'] = '<C-g>u<Cmd>lua require("r1").accept_word()<CR>',
  ['accept-line'] = '<C-g>u<Cmd>lua require("r1").accept_line()<CR>',
  ['dismiss'] = '<Cmd>lua require("r1").dismiss()<CR>',
  ['suggest'] = '<Cmd>lua require("r1").suggest()<CR>',
  ['next'] = '<Cmd>lua require("r1").next()<CR>',
  ['previous'] = '<Cmd>lua require("r1").previous()<CR>',
}
for name, keys in pairs(inserts) do
  vim.keymap.set('i', '<Plug>(r1-' .. name .. ')', keys, { silent = true, desc = 'r1: ' .. name })
end

local function highlight()
  vim.cmd('highlight default R1Ghost ctermfg=8 guifg=#808080')
end
highlight()
vim.api.nvim_create_autocmd('ColorScheme', {
  group = vim.api.nvim_create_augroup('r1_highlight', {}),
  callback = highlight,
})
