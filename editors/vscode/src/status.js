// @ts-check
'use strict';
// The status bar item: what the server's `r1/status` notification says, in a few characters.

const vscode = require('vscode');

/**
 * The notification `r1/status`.
 *
 * @typedef {object} EngineStatus
 * @property {string} phase off, starting, loading, ready, restarting, failed; here also stopped
 * @property {string} [detail] a sentence
 * @property {number | null} [fraction] how far loading is, 0 to 1
 * @property {string | null} [model]
 */

class Status {
  constructor() {
    /** @type {EngineStatus} */
    this.current = { phase: 'starting' };
    this.item = vscode.window.createStatusBarItem('r1.status', vscode.StatusBarAlignment.Right, 100);
    this.item.name = 'R1';
    this.item.command = 'r1.menu';
    this.show(this.current);
    this.item.show();
  }

  /** @param {EngineStatus} status */
  show(status) {
    this.current = status;
    this.item.text = label(status);
    this.item.tooltip = sentence(status);
    this.item.accessibilityInformation = { label: `R1: ${sentence(status)}` };
    this.item.backgroundColor = broken(status) ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
  }

  dispose() {
    this.item.dispose();
  }
}

/** @param {EngineStatus} status */
const broken = (status) => status.phase === 'failed' || status.phase === 'stopped';

/** @param {EngineStatus} status */
function label(status) {
  if (broken(status)) return '$(warning) R1';
  if (status.phase === 'ready') return '$(check) R1';
  if (status.phase === 'off') return '$(circle-slash) R1';
  const percent = typeof status.fraction === 'number' ? ` ${Math.floor(status.fraction * 100)}%` : '';
  return `$(loading~spin) R1${percent}`;
}

/**
 * One line for people.
 *
 * @param {EngineStatus} status
 * @returns {string}
 */
function sentence(status) {
  const model = status.model ? ` (${status.model})` : '';
  return status.detail || `The engine is ${status.phase}${model}.`;
}

module.exports = { Status, sentence };
