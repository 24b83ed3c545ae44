// @ts-check
'use strict';
// Types into a real VS Code (code-server in a headless chromium) and reports what a user sees there.
//
//     node drive.js PLAN.json REPORT.json
//
// The plan says what to start and which steps to take; each step is [name, ...arguments] of STEPS below. The report
// holds { seen: {key: text}, requests: [addresses outside this machine], error: sentence or null }.

const { spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');

/**
 * @typedef {object} Plan
 * @property {string} modules node_modules with playwright-core
 * @property {string[]} server command line of code-server
 * @property {Record<string, string>} environment of code-server
 * @property {number} port
 * @property {string} chromium
 * @property {string} profile folder for the browser
 * @property {string} project
 * @property {string} file
 * @property {string} pictures folder
 * @property {string} log file for code-server's output
 * @property {string[][]} steps
 */

const GHOST = '.monaco-editor [class*="ghost-text"]';
const LINES = '.monaco-editor .view-lines';
const STATUS = '.statusbar-item[id="r1-lsp.r1-lsp.r1.status"]';
const WIDGETS = { hover: '.monaco-hover:visible', actions: '.action-widget:visible', input: '.quick-input-widget:visible' };

/** Loopback, and what never leaves the browser. */
const LOCAL = /^(https?|wss?):\/\/(127\.0\.0\.1|localhost)[:/]|^(data|blob|about|chrome|vscode-file|vscode-webview):/;

/** @param {string} text VS Code draws spaces as no-break spaces or dots. */
const plain = (text) => text.replace(/[\u00a0\u00b7]/g, ' ');

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @template T
 * @param {() => Promise<T>} question
 * @param {string} what
 * @param {number} [seconds]
 * @returns {Promise<T>}
 */
async function until(question, what, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const answer = await question();
    if (answer) return answer;
    await sleep(100);
  }
  throw new Error(`waited ${seconds} s for ${what}`);
}

class Session {
  /**
   * @param {any} page
   * @param {Plan} plan
   */
  constructor(page, plan) {
    this.page = page;
    this.plan = plan;
    /** @type {Record<string, string>} */
    this.seen = {};
  }

  /** @param {string} selector */
  async text(selector) {
    return plain((await this.page.locator(selector).allInnerTexts()).join(''));
  }

  async openFile() {
    const { port, project, file } = this.plan;
    const payload = JSON.stringify([['openFile', `vscode-remote://127.0.0.1:${port}${file}`]]);
    const query = new URLSearchParams({ folder: project, payload });
    await this.page.goto(`http://127.0.0.1:${port}/?${query}`);
    await this.page.waitForSelector(LINES, { timeout: 90000 });
    await this.page.locator(LINES).first().click();
  }
}

/** @type {Record<string, (session: Session, ...args: string[]) => Promise<void>>} */
const STEPS = {
  /** Waits until the status bar says that the model is ready. */
  ready: async (session) => {
    await until(async () => /check/.test((await session.page.locator(STATUS).first().innerHTML().catch(() => ''))), 'the model');
  },
  type: (session, text) => session.page.keyboard.type(text, { delay: 40 }),
  press: async (session, ...keys) => {
    for (const key of keys) await session.page.keyboard.press(key);
  },
  /** Waits for ghost text and remembers it under a key. */
  ghost: async (session, key) => {
    session.seen[key] = await until(() => session.text(GHOST), 'ghost text');
  },
  noGhost: async (session) => {
    await until(async () => (await session.text(GHOST)) === '', 'the end of ghost text');
  },
  /** Saves until the file on disk contains a text. */
  saved: async (session, text) => {
    await until(async () => {
      await session.page.keyboard.press('Control+s');
      await sleep(200);
      return fs.readFileSync(session.plan.file, 'utf8').includes(text);
    }, `a saved ${JSON.stringify(text)}`, 20);
  },
  squiggle: async (session) => {
    await until(() => session.page.locator('.monaco-editor .squiggly-error').count(), 'an error mark');
  },
  /** Waits for a widget (hover, actions, input) and remembers its text under its name. */
  widget: async (session, name) => {
    session.seen[name] = await until(() => session.text(WIDGETS[/** @type {keyof WIDGETS} */ (name)]), name, 20);
  },
  /** Remembers what notifications are open. */
  notifications: async (session) => {
    session.seen.notifications = await session.text('.notification-toast');
  },
  /** Runs a command of the palette by its title. */
  palette: async (session, title) => {
    await session.page.keyboard.press('F1');
    await session.page.keyboard.type(title, { delay: 10 });
    await until(async () => (await session.text('.quick-input-list .monaco-list-row.focused')).includes(title), title, 20);
    await session.page.keyboard.press('Enter');
  },
  /** Waits until the list that a command offers contains a text, and remembers the list. */
  list: async (session, text) => {
    session.seen.list = await until(async () => {
      const shown = await session.text('.quick-input-widget:visible');
      return shown.includes(text) ? shown : '';
    }, `a list with ${JSON.stringify(text)}`, 20);
  },
  picture: async (session, name) => {
    await session.page.screenshot({ path: path.join(session.plan.pictures, `vscode-${name}.png`) });
  },
};

/** @param {number} port */
function answers(port) {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/healthz' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}

/** @param {Plan} plan */
async function openBrowser(plan) {
  const { chromium } = require(path.join(plan.modules, 'playwright-core'));
  return chromium.launchPersistentContext(plan.profile, {
    executablePath: plan.chromium,
    headless: true,
    viewport: { width: 1200, height: 700 },
    args: [
      '--no-sandbox', // inside a user namespace there is no second one
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
    ],
  });
}

/** @param {Plan} plan */
async function drive(plan) {
  const log = fs.openSync(plan.log, 'a');
  const [program, ...args] = plan.server;
  const server = spawn(program, args, { env: plan.environment, stdio: ['ignore', log, log] });
  /** @type {string[]} */
  const requests = [];
  /** @type {Session | undefined} */
  let session;
  let browser;
  let error = null;
  try {
    await until(() => answers(plan.port), 'code-server');
    browser = await openBrowser(plan);
    const page = browser.pages()[0] ?? (await browser.newPage());
    page.on('request', (/** @type {any} */ request) => LOCAL.test(request.url()) || requests.push(request.url()));
    session = new Session(page, plan);
    await session.openFile();
    for (const [name, ...rest] of plan.steps) await STEPS[name](session, ...rest);
  } catch (problem) {
    error = problem instanceof Error ? problem.message : String(problem);
    await (session && STEPS.picture(session, 'failure'));
  } finally {
    await browser?.close();
    server.kill();
  }
  return { seen: session?.seen ?? {}, requests, error };
}

const [planFile, reportFile] = process.argv.slice(2);
drive(JSON.parse(fs.readFileSync(planFile, 'utf8'))).then((report) => {
  fs.writeFileSync(reportFile, JSON.stringify(report));
  process.exitCode = report.error ? 1 : 0;
});
