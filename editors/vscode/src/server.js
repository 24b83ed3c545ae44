// @ts-check
'use strict';
// The Language Server as a child process: start, stop, restart, settings, and the `r1.*` commands it executes.

const vscode = require('vscode');
const {
  DidChangeConfigurationNotification,
  ExecuteCommandRequest,
  LanguageClient,
  State,
  TransportKind,
} = require('vscode-languageclient/node');
const { findProgram } = require('./program');
const { SECTION, serverPath, serverSettings } = require('./settings');

const STATUS_METHOD = 'r1/status';

class Server {
  /**
   * @param {vscode.LogOutputChannel} log
   * @param {import('./status').Status} status
   */
  constructor(log, status) {
    this.log = log;
    this.status = status;
    /** @type {LanguageClient | undefined} */
    this.client = undefined;
  }

  get running() {
    return this.client?.state === State.Running;
  }

  /** Starts the server; when that is not possible the status bar and a message say why. Never throws. */
  async start() {
    const program = findProgram(serverPath());
    if (program === undefined) {
      await this.missing(serverPath());
      return;
    }
    this.client = this.makeClient(program);
    try {
      await this.client.start();
    } catch (error) {
      this.log.error(`The server did not start: ${error}`);
      this.status.show({ phase: 'failed', detail: 'The server did not start; see the log.' });
    }
  }

  async stop() {
    const { client } = this;
    this.client = undefined;
    if (!client) return;
    try {
      await client.dispose();
    } catch (error) {
      this.log.warn(`The server did not stop in order: ${error}`);
    }
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  /** Tells the server the settings as they are now. */
  async sendSettings() {
    if (!this.running) return;
    await this.client?.sendNotification(DidChangeConfigurationNotification.type, {
      settings: { [SECTION]: serverSettings() },
    });
  }

  /**
   * Has the server execute one of its commands.
   *
   * @param {string} command
   * @param {unknown[]} args
   * @returns {Promise<unknown>} undefined when it failed, which the user has then been told
   */
  async execute(command, ...args) {
    if (!this.client || !this.running) {
      void vscode.window.showWarningMessage('R1 is not running; "R1: Show Log" says why.');
      return undefined;
    }
    try {
      return await this.client.sendRequest(ExecuteCommandRequest.type, { command, arguments: args });
    } catch (error) {
      void vscode.window.showWarningMessage(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  /** @param {string} program */
  makeClient(program) {
    const client = new LanguageClient(
      SECTION,
      'R1',
      { command: program, args: ['serve'], transport: TransportKind.stdio },
      {
        documentSelector: [{ scheme: 'file' }, { scheme: 'untitled' }],
        initializationOptions: serverSettings,
        outputChannel: this.log,
        middleware: {
          workspace: { configuration: answerConfiguration, didChangeConfiguration: () => this.sendSettings() },
        },
      },
    );
    client.registerFeature(EDIT_COMMAND_FEATURE);
    client.onNotification(STATUS_METHOD, (status) => this.status.show(status));
    client.onDidChangeState(({ newState }) => this.stateChanged(newState));
    return client;
  }

  /** @param {State} state */
  stateChanged(state) {
    void vscode.commands.executeCommand('setContext', 'r1.running', state === State.Running);
    if (state === State.Starting) this.status.show({ phase: 'starting', detail: 'The server is starting.' });
    if (state === State.Stopped) this.status.show({ phase: 'stopped', detail: 'The server has stopped; see the log.' });
  }

  /** @param {string} name */
  async missing(name) {
    const detail = `The program "${name}" was not found. Install r1-lsp, or set r1.server.path to where it is.`;
    this.log.error(detail);
    this.status.show({ phase: 'failed', detail });
    const open = 'Open Settings';
    const chosen = await vscode.window.showErrorMessage(detail, open);
    if (chosen === open) await vscode.commands.executeCommand('workbench.action.openSettings', 'r1.server.path');
  }
}

/**
 * Tells the server which command asks the user for a sentence, so that it can offer "Edit selection" as a code action.
 *
 * @type {import('vscode-languageclient').StaticFeature}
 */
const EDIT_COMMAND_FEATURE = {
  fillClientCapabilities: (capabilities) => {
    capabilities.experimental = { ...capabilities.experimental, r1: { editCommand: 'r1.edit' } };
  },
  initialize: () => {},
  getState: () => ({ kind: 'static' }),
  clear: () => {},
};

/**
 * Answers a server that asks for its section, without the keys that are not its own.
 *
 * @type {import('vscode-languageclient').ConfigurationRequest.MiddlewareSignature}
 */
async function answerConfiguration(params, token, next) {
  const answers = await next(params, token);
  if (!Array.isArray(answers)) return answers;
  return answers.map((answer, i) => (params.items[i].section === SECTION ? serverSettings() : answer));
}

module.exports = { Server };
