-- :checkhealth r1
local M = {}

-- The reporting functions were renamed in Neovim 0.10.
local function reporter()
  local health = vim.health or require('health')
  return {
    start = health.start or health.report_start,
    ok = health.ok or health.report_ok,
    warn = health.warn or health.report_warn,
    error = health.error or health.report_error,
    info = health.info or health.report_info,
  }
end

local function first_line_of(command)
  local lines = vim.fn.systemlist(command)
  return vim.v.shell_error == 0 and lines[1] or nil
end

local function check_program(report, program)
  if vim.fn.executable(program) == 0 then
    report.error(('"%s" was not found'):format(program), { 'Install r1-lsp, or set cmd in setup(): see :help r1-install' })
    return
  end
  local version = first_line_of({ program, '--version' })
  if version then
    report.ok(('%s: %s'):format(vim.fn.exepath(program), version))
  else
    report.warn(('%s does not answer --version'):format(vim.fn.exepath(program)))
  end
end

local function check_server(report)
  local client = require('r1.client')
  if client.status.phase == 'ready' then
    report.ok(client.sentence())
  elseif client.status.phase == 'failed' or client.status.phase == 'stopped' then
    report.error(client.sentence(), { ':R1Restart', 'r1-lsp doctor' })
  else
    report.info(client.sentence())
  end
  local failure = require('r1.inline').last_error
  if failure then
    report.warn('the last request failed: ' .. failure)
  end
end

local function check_drawing(report, options)
  if options.ghost_text == 'builtin' and not vim.lsp.inline_completion then
    report.error('ghost_text = "builtin" needs Neovim 0.12 or newer')
  elseif vim.fn.has('nvim-0.10') == 0 then
    report.info('before Neovim 0.10 ghost text in the middle of a line covers the rest of it, which is redrawn after it')
  else
    report.ok('ghost text: ' .. options.ghost_text)
  end
end

function M.check()
  local report = reporter()
  report.start('r1')
  local options = require('r1').options()
  if not options then
    report.error("require('r1').setup() has not been called", { 'See :help r1-install' })
    return
  end
  check_program(report, options.cmd[1])
  check_server(report)
  check_drawing(report, options)
end

return M
