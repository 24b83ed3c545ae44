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
    registerCommand('r1.convert', () => convertModel(server)),
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

/** Types that most people want, from large to small; any other name can be typed on the command line. */
const TYPES = [
  { label: 'Q8_0', description: '8.5 bits for each weight, close to the original' },
  { label: 'Q6_K', description: '6.6 bits' },
  { label: 'Q4_K_M', description: '4.8 bits, the usual choice' },
  { label: 'Q3_K_M', description: '3.8 bits' },
  { label: 'Q2_K', description: '2.9 bits, for models of many experts' },
];

/**
 * Makes a GGUF file of a checkpoint; the server shows the progress.
 *
 * @param {Server} server
 */
async function convertModel(server) {
  const folders = await vscode.window.showOpenDialog({
    title: 'The folder with config.json and the safetensors files',
    canSelectFolders: true,
    canSelectFiles: false,
    openLabel: 'Convert',
  });
  if (!folders?.length) return;
  const type = await vscode.window.showQuickPick(TYPES, { title: 'Bits for each weight' });
  if (!type) return;
  const name = `${folders[0].path.split('/').pop()}-${type.label}.gguf`;
  const target = await vscode.window.showSaveDialog({
    title: 'The file to make',
    defaultUri: vscode.Uri.joinPath(folders[0], '..', name),
    filters: { GGUF: ['gguf'] },
  });
  if (!target) return;
  const made = await server.execute('r1.convertModel', folders[0].fsPath, target.fsPath, type.label);
  if (made) void vscode.window.showInformationMessage(`Converted: ${target.fsPath}`);
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
