// @ts-check
'use strict';
// The extension holds no intelligence: it starts the Language Server, hands it the settings, shows how it is doing and
// forwards a few commands. Ghost text, accepting it, quick fixes and hover are VS Code's own, fed by the client library.

const vscode = require('vscode');
const { Server } = require('./src/server');
const { Status } = require('./src/status');
const { registerCommands } = require('./src/commands');
const { changesServer } = require('./src/settings');

/** @type {Server | undefined} */
let server;

/** @param {vscode.ExtensionContext} context */
exports.activate = async function activate(context) {
  const log = vscode.window.createOutputChannel('R1', { log: true });
  const status = new Status();
  server = new Server(log, status);
  context.subscriptions.push(
    log,
    status,
    ...registerCommands(server, status, log),
    vscode.workspace.onDidChangeConfiguration((event) => changesServer(event) && server?.restart()),
  );
  await server.start();
};

exports.deactivate = async function deactivate() {
  await server?.stop();
  server = undefined;
};
