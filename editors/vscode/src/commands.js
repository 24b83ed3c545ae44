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
    registerCommand('r1.showWhy', () => showWhy(server)),
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
 * One record of `r1.why`.
 *
 * @typedef {{ path: string | null, line: number, column: number, sentence: string }} Reason
 */

/**
 * The last suggestions and why they were or were not shown, newest first; choosing one goes to its place.
 *
 * @param {Server} server
 */
async function showWhy(server) {
  const reasons = await server.execute('r1.why');
  if (!Array.isArray(reasons)) return;
  const items = reasons.map((/** @type {Reason} */ reason) => ({
    label: reason.sentence,
    description: `${reason.path ? vscode.workspace.asRelativePath(reason.path) : 'untitled'}:${reason.line}:${reason.column}`,
    reason,
  }));
  const placeHolder = items.length > 0 ? 'Newest first' : 'Nothing was asked for yet';
  const chosen = await vscode.window.showQuickPick(items, { title: 'R1: why a suggestion did or did not come', placeHolder });
  if (chosen?.reason.path) await goTo(chosen.reason.path, chosen.reason);
}

/**
 * @param {string} path
 * @param {Reason} reason line and column from 1
 */
async function goTo(path, { line, column }) {
  const place = new vscode.Position(line - 1, column - 1);
  await vscode.window.showTextDocument(vscode.Uri.file(path), { selection: new vscode.Range(place, place) });
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
