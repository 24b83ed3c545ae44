// @ts-check
'use strict';
// What of the user's configuration is whose: most of the section `r1` is the server's, a few keys are the extension's.

const vscode = require('vscode');

const SECTION = 'r1';

/** Keys of the section that the server does not know. */
const OURS = ['server', 'trace'];

/**
 * The server's settings: the section `r1` without the extension's own keys, as plain JSON.
 *
 * @returns {Record<string, unknown>}
 */
function serverSettings() {
  const section = JSON.parse(JSON.stringify(vscode.workspace.getConfiguration(SECTION)));
  for (const key of OURS) delete section[key];
  return section;
}

/** The program to start: a name to look up in PATH, or a path. */
function serverPath() {
  return vscode.workspace.getConfiguration(SECTION).get('server.path', 'r1-lsp');
}

/** @param {vscode.ConfigurationChangeEvent} event */
const changesServer = (event) => event.affectsConfiguration(`${SECTION}.server`);

module.exports = { SECTION, serverSettings, serverPath, changesServer };
