/**
 * What a person does in a browser, on the built site. Two files at a time, since a page at 1× leaves most of a core; what
 * holds a page to real time (its speed, its frames, its start) comes after them, alone.
 */
import { defineConfig } from '@playwright/test';

const TIMED = ['smooth.spec.ts', 'start.spec.ts', 'watch.spec.ts'];

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  // Limits for what never comes, wide enough for a machine four times slower; budgets are held elsewhere (`slowness` in e2e/page.ts).
  timeout: 180_000,
  expect: { timeout: 40_000 },
  workers: 2,
  projects: [
    { name: 'together', testIgnore: TIMED },
    { name: 'alone', testMatch: TIMED, workers: 1, dependencies: ['together'] },
  ],
  retries: 0,
  reporter: [['list']],
  use: {
    baseURL: 'http://127.0.0.1:4174',
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      ...(process.env.ORRERY_BROWSER ? { executablePath: process.env.ORRERY_BROWSER } : {}),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
    trace: 'off',
  },
  webServer: {
    command: 'npx vite preview --host 127.0.0.1 --port 4174 --strictPort',
    url: 'http://127.0.0.1:4174',
    reuseExistingServer: false,
  },
});
