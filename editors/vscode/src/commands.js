// @ts-check
'use strict';
// The commands of the palette. Their names differ from the server's own: the client library registers those itself.

const vscode = require('vscode');
const { sentence } = require('./status');

/** @typedef {import('./server').Server} Server */

/**
 * @param {Server} server
 * @param {import('./status').Status} status
 * @param {vscode.LogOutputChannel} log
 * @returns {vscode.Disposable[]}
 */
function registerCommands(server, status, log) {
  const { registerCommand, registerTextEditorCommand } = vscode.commands;
  return [
    registerTextEditorCommand('r1.edit', (editor) => editSelection(server, editor)),
    registerTextEditorCommand('r1.docstring', (editor) => writeDocstring(server, editor)),
    registerTextEditorCommand('r1.dismiss', (editor) => dismiss(server, editor)),
    registerCommand('r1.showWhy', () => showWhy(server, log)),
    registerCommand('r1.restart', () => (server.running ? server.execute('r1.restartEngine') : server.restart())),
    registerCommand('r1.showLog', () => log.show(true)),
    registerCommand('r1.menu', () => menu(status)),
  ];
}

/**
 * @param {Server} server
 * @param {vscode.TextEditor} editor
 */
async function editSelection(server, editor) {
  const wish = await vscode.window.showInputBox({
    title: 'Edit the selection',
    prompt: 'Say in a sentence what should change, in any language.',
    placeHolder: 'handle the empty list',
  });
  if (!wish?.trim()) return;
  const { start, end } = editor.selection;
  await server.execute('r1.editSelection', editor.document.uri.toString(), { start, end }, wish.trim());
}

/**
 * @param {Server} server
 * @param {vscode.TextEditor} editor
 */
async function writeDocstring(server, editor) {
  await server.execute('r1.writeDocstring', editor.document.uri.toString(), editor.selection.active);
}

/**
 * Hides the suggestion as Escape always does, and lets the server know that it was not wanted.
 *
 * @param {Server} server
 * @param {vscode.TextEditor} editor
 */
async function dismiss(server, editor) {
  await vscode.commands.executeCommand('editor.action.inlineSuggest.hide');
  await server.execute('r1.dismissed', editor.document.uri.toString(), editor.selection.active);
}

/**
 * @param {Server} server
 * @param {vscode.LogOutputChannel} log
 */
async function showWhy(server, log) {
  const reasons = await server.execute('r1.why');
  if (!Array.isArray(reasons)) return;
  const lines = reasons.map(reasonLine).reverse();
  if (lines.length === 0) lines.push('  nothing was asked for yet');
  log.info(`Why suggestions were or were not shown, newest last:\n${lines.join('\n')}`);
  log.show(true);
}

/**
 * @param {{ path: string | null, line: number, column: number, sentence: string }} reason
 * @returns {string}
 */
function reasonLine(reason) {
  const file = reason.path ? vscode.workspace.asRelativePath(reason.path) : 'untitled';
  return `  ${file}:${reason.line}:${reason.column}  ${reason.sentence}`;
}

/** @param {import('./status').Status} status */
async function menu(status) {
  const commands = [
    { label: '$(question) Why no suggestion?', command: 'r1.showWhy' },
    { label: '$(debug-restart) Restart the engine', command: 'r1.restart' },
    { label: '$(output) Show the log', command: 'r1.showLog' },
    { label: '$(gear) Settings', command: 'workbench.action.openSettings', argument: '@ext:r1-lsp.r1-lsp' },
  ];
  const chosen = await vscode.window.showQuickPick(commands, { title: 'R1', placeHolder: sentence(status.current) });
  if (chosen) await vscode.commands.executeCommand(chosen.command, chosen.argument);
}

module.exports = { registerCommands };
