/**
 * Finds a browser for the tests: ORRERY_BROWSER, an installed Chrome or Chromium, else Playwright's own
 * download, else Debian's package when root.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { run } from './ensure.mjs';

const PLACES = [
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

export async function findBrowser() {
  const installed = () => [process.env.ORRERY_BROWSER, ...PLACES].find((path) => path && existsSync(path));
  const found = installed();
  if (found) return found;
  if (process.platform === 'linux' && process.getuid?.() === 0 && hasApt()) {
    const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    try {
      run('apt-get', ['update', '-qq'], quiet);
      run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], quiet);
      const path = installed();
      if (path) return path;
    } catch {
      console.error('Debian has no Chromium for us; trying Playwright.');
    }
  }
  run('npx', ['playwright', 'install', '--with-deps', 'chromium']);
  const { chromium } = await import('@playwright/test');
  return chromium.executablePath();
}

function hasApt() {
  try {
    execFileSync('apt-get', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
