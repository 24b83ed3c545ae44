-- The Language Server: starting it for a buffer, asking it, and what it says about its engine.
local M = {
  --- The last `r1/status`: { phase, detail, fraction, model }.
  status = { phase = 'off' },
}

local NAME = 'r1'
-- Says that it is this plugin that asks: it sends a request for each key and leaves the debounce to the server,
-- while Neovim's own vim.lsp.inline_completion waits 200 ms first.
local CLIENT_INFO = 'r1.nvim'

-- The command of a code action that wants a sentence from the user; registered in r1.setup().
local EDIT_COMMAND = 'r1.edit'

local ids = {} -- workspace -> client id, where vim.lsp.start does not exist
local said = {} -- messages that were shown once

--- Runs `action` for the code action "Edit selection".
function M.on_edit(action)
  vim.lsp.commands[EDIT_COMMAND] = function()
    action()
  end
end

---@param message string
---@param level number|nil
function M.say_once(message, level)
  if not said[message] then
    said[message] = true
    M.say(message, level)
  end
end

function M.say(message, level)
  vim.schedule(function()
    vim.notify('r1: ' .. message, level or vim.log.levels.INFO)
  end)
end

--- Starts the server for the buffer's workspace, or attaches to the one that runs.
---@param bufnr number
---@param options table
function M.attach(bufnr, options)
  if vim.bo[bufnr].buftype ~= '' or vim.api.nvim_buf_get_name(bufnr) == '' then
    return
  end
  if vim.fn.executable(options.cmd[1]) == 0 then
    local program = options.cmd[1]
    M.say_once(('the program "%s" was not found; see :help r1-install'):format(program), vim.log.levels.ERROR)
    return
  end
  local config = M.config(options, M.root(bufnr, options.root_markers))
  if vim.lsp.start then
    vim.lsp.start(config, { bufnr = bufnr })
  else
    M.attach_old(bufnr, config)
  end
end

-- Neovim 0.7 has no vim.lsp.start.
function M.attach_old(bufnr, config)
  local root = config.root_dir or ''
  if not ids[root] or vim.lsp.client_is_stopped(ids[root]) then
    ids[root] = vim.lsp.start_client(config)
  end
  if ids[root] then
    vim.lsp.buf_attach_client(bufnr, ids[root])
  end
end

---@param options table
---@param root string|nil
function M.config(options, root)
  local settings = vim.deepcopy(options.settings)
  if next(settings) == nil then
    settings = vim.empty_dict()
  end
  return {
    name = NAME,
    cmd = options.cmd,
    root_dir = root,
    init_options = settings,
    settings = { r1 = settings },
    capabilities = M.capabilities(options),
    handlers = { ['r1/status'] = M.on_status },
    before_init = function(params)
      if options.ghost_text == 'auto' then
        params.clientInfo = { name = CLIENT_INFO, version = tostring(params.clientInfo.version) }
      end
    end,
    on_exit = M.on_exit,
  }
end

-- Neovim 0.7 to 0.11 do not know inline completion (LSP 3.18) themselves.
function M.capabilities(options)
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.textDocument.inlineCompletion = { dynamicRegistration = false }
  capabilities.experimental = { r1 = { editCommand = EDIT_COMMAND } }
  return vim.tbl_deep_extend('force', capabilities, options.capabilities or {})
end

---@return string|nil
function M.root(bufnr, markers)
  local folder = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(bufnr), ':p:h')
  while true do
    for _, marker in ipairs(markers) do
      if vim.loop.fs_stat(folder .. '/' .. marker) then
        return folder
      end
    end
    local parent = vim.fn.fnamemodify(folder, ':h')
    if parent == folder then
      return nil
    end
    folder = parent
  end
end

--- The client of a buffer, once it has been initialized.
---@param bufnr number
---@return table|nil
function M.of(bufnr)
  local clients
  if vim.lsp.get_clients then
    clients = vim.lsp.get_clients({ bufnr = bufnr, name = NAME })
  else
    clients = vim.tbl_values(vim.lsp.buf_get_clients(bufnr))
  end
  for _, client in ipairs(clients) do
    if client.name == NAME and client.initialized then
      return client
    end
  end
end

--- Sends a request; `answer(err, result)` is called once, on the main loop.
---@return number|nil id for M.cancel
function M.request(client, method, params, bufnr, answer)
  local ok, id
  if vim.fn.has('nvim-0.11') == 1 then
    ok, id = client:request(method, params, answer, bufnr)
  else
    ok, id = client.request(method, params, answer, bufnr)
  end
  return ok and id or nil
end

function M.cancel(client, id)
  if vim.fn.has('nvim-0.11') == 1 then
    if not client:is_stopped() then
      client:cancel_request(id)
    end
  elseif not client.is_stopped() then
    client.cancel_request(id)
  end
end

--- Has the server execute a command; an error is shown, `answer(result)` is only called without one.
function M.execute(bufnr, command, arguments, answer)
  local client = M.of(bufnr)
  if not client then
    M.say('the server is not running for this buffer; :checkhealth r1 says more', vim.log.levels.WARN)
    return
  end
  local params = { command = command, arguments = arguments }
  M.request(client, 'workspace/executeCommand', params, bufnr, function(err, result)
    if err then
      M.say(err.message, vim.log.levels.WARN)
    elseif answer then
      answer(result)
    end
  end)
end

function M.on_status(_, status)
  M.status = status
  if status.phase == 'failed' then
    M.say_once(M.sentence(), vim.log.levels.WARN)
  end
  if vim.fn.exists('#User#R1Status') == 1 then
    vim.api.nvim_exec_autocmds('User', { pattern = 'R1Status', modeline = false })
  end
end

function M.on_exit(code, signal)
  M.status = { phase = 'stopped' }
  if code ~= 0 and vim.v.dying == 0 then
    local log = vim.lsp.get_log_path and vim.lsp.get_log_path() or vim.lsp.log.get_filename()
    M.say(('the server ended (exit code %d, signal %d); its log: %s'):format(code, signal, log), vim.log.levels.WARN)
  end
end

--- How the engine is doing, in one line.
---@return string
function M.sentence()
  local status = M.status
  local percent = status.fraction and (' %d%%'):format(math.floor(status.fraction * 100)) or ''
  local detail = status.detail and status.detail ~= '' and ': ' .. status.detail or ''
  return ('the engine is %s%s%s'):format(status.phase, percent, detail)
end

return M
