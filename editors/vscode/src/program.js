// @ts-check
'use strict';
// Where the server's program is.

const fs = require('fs');
const os = require('os');
const path = require('path');

/**
 * The absolute path of a program, or undefined when there is none to start.
 *
 * A name is looked up in PATH, `~/` stands for the home directory. A relative path is refused: it would be looked up in
 * the workspace, which must not choose what runs.
 *
 * @param {string} name
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {string | undefined}
 */
function findProgram(name, environment = process.env) {
  const expanded = name.startsWith('~/') ? path.join(os.homedir(), name.slice(2)) : name;
  if (path.isAbsolute(expanded)) return isProgram(expanded) ? expanded : undefined;
  if (expanded === '' || /[\\/]/.test(expanded)) return undefined;
  return (environment.PATH ?? '')
    .split(path.delimiter)
    .filter((directory) => path.isAbsolute(directory))
    .flatMap((directory) => endings(environment).map((ending) => path.join(directory, expanded + ending)))
    .find(isProgram);
}

/** @param {NodeJS.ProcessEnv} environment */
function endings(environment) {
  return process.platform === 'win32' ? ['', ...(environment.PATHEXT ?? '.EXE').split(';')] : [''];
}

/** @param {string} file */
function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

module.exports = { findProgram };
